"""Front ends: Keras layers, padded waveform batches in, features out. One file and one line below for each."""

import inspect

from sertf.custom.code import import_named, is_custom, source_digest
from sertf.errors import SertfError, unknown
from sertf.features.front_end import FrontEnd
from sertf.features.fused_statistics import FusedStatistics
from sertf.features.log_mel import LogMel
from sertf.features.mfcc_chroma import MfccChroma
from sertf.features.scalogram import Scalogram
from sertf.features.waveform import Waveform

FEATURES: dict[str, type[FrontEnd]] = {
    "mfcc_chroma": MfccChroma,
    "log_mel": LogMel,
    "fused_statistics": FusedStatistics,
    "scalogram": Scalogram,
    "waveform": Waveform,
}


def find(name: str) -> type[FrontEnd]:
    """The class of a name in `FEATURES`, or of a user's own, "module:Class", which is derived from `FrontEnd`.

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
    source_digest(found)  # of the file as it is imported
    return found


__all__ = ["FEATURES", "find", "FrontEnd", "FusedStatistics", "LogMel", "MfccChroma", "Scalogram", "Waveform"]
