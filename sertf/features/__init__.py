"""Front ends: Keras layers, padded waveform batches in, features out. One file and one line below for each."""

import inspect
from collections.abc import Mapping
from typing import Any

from sertf.audio.files import MIN_SECONDS
from sertf.custom import front_ends as custom_front_ends
from sertf.custom.code import import_named, is_custom, source_digest
from sertf.errors import SertfError, unknown
from sertf.extraction.checks import check_names
from sertf.extraction.clip import Compiled
from sertf.features.front_end import FrontEnd
from sertf.features.functionals import Functionals
from sertf.features.fused_statistics import FusedStatistics
from sertf.features.log_mel import LogMel
from sertf.features.mfcc_chroma import MfccChroma
from sertf.features.scalogram import Scalogram
from sertf.features.speech_log_mel import SpeechLogMel
from sertf.features.waveform import Waveform
from sertf.features.whisper import Whisper

FEATURES: dict[str, type[FrontEnd]] = {
    "mfcc_chroma": MfccChroma,
    "log_mel": LogMel,
    "speech_log_mel": SpeechLogMel,
    "fused_statistics": FusedStatistics,
    "functionals": Functionals,
    "scalogram": Scalogram,
    "waveform": Waveform,
    "whisper": Whisper,
}


def find(name: str) -> type[FrontEnd]:
    """The class of a name in `FEATURES`, or of a custom front end "module:Class" derived from `FrontEnd`.

    Raises:
        SertfError: a name that is neither.
    """
    if not is_custom(name):
        if name not in FEATURES:
            raise SertfError(unknown("front end", name, FEATURES))
        return FEATURES[name]
    module, found = import_named("front end", name)
    if not inspect.isclass(found) or not issubclass(found, FrontEnd):
        raise SertfError(
            f"Front end {name}: the module {module.__name__} has no class {name.partition(':')[2]} derived from "
            "sertf.features.FrontEnd; define it there."
        )
    source_digest(found)  # of the file at its import
    return found


def make(name: str, options: Mapping[str, Any]) -> FrontEnd:
    """A front end by its name, with options, checked.

    Raises:
        SertfError: an unknown name, an option that it does not take, or a custom one that no manifest could describe.
    """
    front_end = find(name)
    check_names(front_end, options)
    return custom_front_ends.check(name, front_end, options) if is_custom(name) else front_end(**options)


def check_computed(name: str, front_end: FrontEnd) -> None:
    """Refuse a custom front end whose features contradict its attributes, or change where a clip is padded."""
    if is_custom(name):
        custom_front_ends.check_features(name, front_end, Compiled, shortest_seconds=MIN_SECONDS)


__all__ = [
    "FEATURES",
    "check_computed",
    "find",
    "make",
    "FrontEnd",
    "Functionals",
    "FusedStatistics",
    "LogMel",
    "MfccChroma",
    "Scalogram",
    "SpeechLogMel",
    "Waveform",
    "Whisper",
]
