"""What a front end cannot be asked for, refused before anything is trained."""

import collections
import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sertf.audio.augmentation import Augmentation
from sertf.errors import SertfError, unknown
from sertf.protocols.folds import Fold

if TYPE_CHECKING:
    import keras


class FrontEndError(SertfError):
    """An augmentation or a corpus that a front end makes nothing sensible of."""


def check_names(front_end: type, options: Mapping[str, Any]) -> None:
    """Refuse options that a front end, a class of `sertf.features`, does not take."""
    known = [name for name in inspect.signature(front_end).parameters if name != "name"]
    for name in options:
        if name not in known:
            raise FrontEndError(unknown(f"option of {front_end.__name__}", name, known))


def check_cuts(augmentation: Augmentation, front_end: "keras.Layer") -> None:
    """Refuse cuts at random that a front end would not show, or that batches have no room for."""
    name = type(front_end).__name__
    if augmentation.changes_length and front_end.span is not None:
        raise FrontEndError(
            f"RandomCut changes nothing for {name}, which reads a fixed span of every clip; leave it out."
        )
    if augmentation.changes_length and augmentation.fresh and front_end.feature_shape[0] is None:
        raise FrontEndError(
            f"Batches have the lengths of the originals, so fresh copies by RandomCut need a front end of a fixed number "
            f"of frames, which {name} is not; set fresh=False or leave RandomCut out."
        )


def check_rates(folds: Iterable[Fold], sample_rates: Mapping[str, int], front_end: "keras.Layer") -> None:
    """Refuse to test at another sample rate than was trained at, where a front end takes every clip at its own.

    Single clips of another rate than most, as a corpus may hold, are no reason; `sertf.extraction.warnings` says them.

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
                f"{fold.name}: the clips that are trained on have {trained} Hz and those that are tested {tested} Hz, and "
                f"{name} takes each at its own rate; give {name} a sample_rate to resample all of them to."
            )


def _most_frequent(values):
    ((value, _),) = collections.Counter(values).most_common(1)
    return value
