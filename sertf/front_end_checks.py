"""What a front end cannot be asked for, refused before anything is trained."""

import collections
import inspect

import numpy as np

from sertf import own_code
from sertf.errors import SertfError, unknown

# Of the largest value: what rounding leaves between a padded and an unpadded clip, and no more.
_TOLERANCE = 1e-2


class FrontEndError(SertfError):
    """An augmentation or a corpus that a front end makes nothing sensible of."""


def check_names(front_end, options):
    """Refuse options that a front end, a class of `sertf.features`, does not take."""
    known = [name for name in inspect.signature(front_end).parameters if name != "name"]
    for name in options:
        if name not in known:
            raise FrontEndError(unknown(f"option of {front_end.__name__}", name, known))


def check_own(name, front_end, options):
    """Refuse a user's own front end that no cache and no manifest could describe.

    Args:
        name: "module:Class".
        front_end: the class.
        options: its keyword arguments.

    Returns:
        The layer.
    """
    own_code.check_plain(f"Front end {name}", options)
    try:
        inspect.signature(front_end).bind(**options)
    except TypeError as error:
        raise FrontEndError(
            f"Front end {name} is made of the options {', '.join(options) or '(none)'} ({error}); give every argument a "
            "default or an option."
        ) from None
    made = front_end(**options)
    shape = getattr(made, "feature_shape", None)
    if not (
        isinstance(shape, tuple)
        and len(shape) == 2
        and all(type(size) is int and size > 0 for size in shape[1 if shape[0] is None else 0 :])
    ):
        raise FrontEndError(
            f"Front end {name} must set self.feature_shape in its constructor, (frames, values of a frame), with None in "
            f"place of frames that depend on the clip's length, but has {shape!r}."
        )
    config = made.get_config()
    own_code.check_plain(f"Front end {name}", config)
    again = front_end(**config).get_config()
    if again != config:
        changed = ", ".join(argument for argument in config if again.get(argument) != config[argument])
        raise FrontEndError(
            f"Front end {name} is another one if it is made again of what it keeps of {changed}; keep the argument as it was "
            "given."
        )
    return made


def check_features(name, front_end, compute):
    """Refuse a user's own front end whose features are not what it says, or are others where a clip is padded.

    Args:
        name: "module:Class".
        front_end: the layer.
        compute: the layer compiled, a function of (batch, samples) and (batch,) to an array.
    """
    generator = np.random.default_rng(0)
    for samples in (front_end.minimum_samples, max(front_end.minimum_samples, front_end.sample_rate or 16000)):
        clip = generator.normal(scale=0.1, size=(1, samples)).astype("float32")
        padded = np.pad(clip, [[0, 0], [0, samples + 1000]])
        alone, among = (np.asarray(compute(given, np.array([samples], "int32"))) for given in (clip, padded))
        frames, shape = front_end.frames(samples), front_end.feature_shape
        if type(frames) is not int or frames < 1:
            raise FrontEndError(
                f"Front end {name} must say in frames(lengths) how many frames {samples} samples have, a whole number above 0, "
                f"but says {frames!r}; divide by //, and let minimum_samples be what a frame needs."
            )
        wanted = (1, frames if shape[0] is None else shape[0], shape[1])
        if alone.shape != wanted or alone.dtype != "float32" or among.shape[1] < frames:
            raise FrontEndError(
                f"Front end {name} must give float32 of shape {wanted} for a clip of {samples} samples, as feature_shape and "
                f"frames say, but gives {alone.dtype} of shape {alone.shape}."
            )
        if not np.isfinite(alone).all():
            raise FrontEndError(f"Front end {name} gives NaN or infinity for noise of {samples} samples.")
        apart = np.abs(alone[:, :frames] - among[:, :frames]).max()
        if not apart <= _TOLERANCE * np.abs(alone).max():
            raise FrontEndError(
                f"Front end {name} gives other features where a clip is padded with zeros (by {apart:.3g}); leave out what "
                "lies behind `lengths`, as clips of a batch are padded to the longest."
            )
    if front_end.weights:
        raise FrontEndError(
            f"Front end {name} has weights ({front_end.weights[0].path}), which no run would keep; make its constants NumPy "
            "arrays, and layers that are trained part of the model."
        )


def check_cuts(augmentation, front_end):
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


def check_rates(folds, sample_rates, front_end):
    """Refuse to test at another sample rate than was trained at, where a front end takes every clip at its own.

    Single clips of another rate than most, as a corpus may hold, are no reason; `sertf.notes` says them.

    Args:
        folds: list of `sertf.folds.Fold`.
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
