"""Checks of options, augmentation and sample rates against a front end, before training."""

import collections
import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sertf.audio.augmentation import Augmentation, RandomCut
from sertf.audio.files import AudioError, open_audio
from sertf.errors import SertfError, unknown
from sertf.protocols.folds import Fold

if TYPE_CHECKING:
    import keras


class FrontEndError(SertfError):
    """An augmentation or a corpus that does not suit a front end."""


def check_names(front_end: type, options: Mapping[str, Any]) -> None:
    """Refuse options that a front end, a class of `sertf.features`, does not take."""
    known = [name for name in inspect.signature(front_end).parameters if name != "name"]
    for name in options:
        if name not in known:
            raise FrontEndError(unknown(f"option of {front_end.__name__}", name, known))


def check_headers(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Open every recording without decoding it.

    Returns:
        list of (path, reason) of those that cannot be opened.
    """
    bad = []
    for path in dict.fromkeys(map(str, paths)):
        try:
            with open_audio(path):
                pass
        except AudioError as error:
            bad.append((path, error.reason))
    return bad


def check_cuts(augmentation: Augmentation, front_end: "keras.Layer") -> None:
    """Refuse random cuts that a front end would not show, and fresh copies whose length does not fit the batches."""
    name = type(front_end).__name__
    if front_end.span is not None and any(isinstance(step, RandomCut) for step in augmentation.steps):
        raise FrontEndError(
            f"RandomCut changes nothing for {name}, which reads a fixed span of every clip; leave it out."
        )
    if augmentation.changes_length and augmentation.fresh and front_end.feature_shape[0] is None:
        raise FrontEndError(
            f"Fresh copies of another length need a front end with a fixed number of frames, and {name} is not one; set "
            "fresh=False or leave out RandomCut, Speed and RecordingCondition."
        )


def check_rates(folds: Iterable[Fold], sample_rates: Mapping[str, int], front_end: "keras.Layer") -> None:
    """Refuse different sample rates in training and test, if a front end uses every clip at its own rate.

    A few clips of another rate are allowed. `sertf.extraction.warnings` warns of them.

    Args:
        folds: list of `sertf.protocols.folds.Fold`.
        sample_rates: utterance to Hz.
        front_end: the layer.
    """
    if front_end.sample_rate is not None:
        return
    for fold in folds:
        trained, tested = (_most_frequent(sample_rates[u] for u in part) for part in (fold.train, fold.test))
        if trained != tested:
            name = type(front_end).__name__
            raise FrontEndError(
                f"{fold.name}: the training clips have {trained} Hz and the test clips {tested} Hz, but {name} uses each at "
                f"its own rate; give {name} a sample_rate to resample all of them to."
            )


def _most_frequent(values):
    ((value, _),) = collections.Counter(values).most_common(1)
    return value
