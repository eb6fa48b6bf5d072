"""Front ends of a user's own beside the zoo's: named "module:Class", such as "my_features:Energy".

`sertf.features.find` imports the class, which is derived from `sertf.features.FrontEnd`. Here is refused what no cache,
no manifest and no exported model could be made of.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sertf.custom.code import check_plain
from sertf.errors import SertfError

# What rounding leaves between a padded and an unpadded clip: of a value's largest, and of the largest of all values.
_TOLERANCE, _SMALLEST = 1e-2, 1e-5


def check(name: str, front_end: type, options: Mapping[str, Any]) -> Any:
    """Refuse a user's own front end that no cache and no manifest could describe.

    Args:
        name: "module:Class".
        front_end: the class, derived from `sertf.features.FrontEnd`.
        options: its keyword arguments.

    Returns:
        The layer.
    """
    base = next(part for part in front_end.__mro__ if part.__name__ == "FrontEnd")
    check_plain(f"Front end {name}", options)
    _check_arguments(name, front_end, base, options)
    made = front_end(**options)
    _check_attributes(name, made, base)
    config = made.get_config()
    check_plain(f"Front end {name}", config)
    config = _as_kept(config)
    given = {argument: value for argument, value in _as_kept(options).items() if config[argument] != value}
    again = _again(name, front_end, config).get_config()
    for argument in [*given, *config]:
        if argument in given or _as_kept(again)[argument] != config[argument]:
            raise SertfError(
                f"Front end {name} keeps of {argument} something else than it was given; keep the argument as it is, under "
                "its name, and what is made of it under another."
            )
    return made


def _check_arguments(name, front_end, base, options):
    parameters = inspect.signature(front_end).parameters
    for argument, entry in parameters.items():
        if entry.kind in (entry.VAR_KEYWORD, entry.VAR_POSITIONAL):
            raise SertfError(
                f"Front end {name} must write its constructor's arguments out, which manifests hold, in place of {entry}."
            )
        if argument not in ("name", "sample_rate") and hasattr(base, argument):
            raise SertfError(
                f"Front end {name} has an argument {argument}, which is a name of Keras or of FrontEnd; choose another."
            )
    try:
        inspect.signature(front_end).bind(**options)
    except TypeError as error:
        raise SertfError(
            f"Front end {name} is made of the options {', '.join(options) or '(none)'} ({error}); give every argument a "
            "default or an option."
        ) from None


def _check_attributes(name, made, base):
    shape, span = getattr(made, "feature_shape", None), made.span
    if not (
        isinstance(shape, tuple) and len(shape) == 2 and all(_is_whole(size) for size in shape[shape[0] is None :])
    ):
        raise SertfError(
            f"Front end {name} must set self.feature_shape in its constructor, (frames, values of a frame), with None in "
            f"place of frames that depend on the clip's length, but has {shape!r}."
        )
    for method in ("features", "frames") if shape[0] is None else ("features",):
        if getattr(type(made), method) is getattr(base, method):
            raise SertfError(f"Front end {name} must define {_SIGNATURES[method]}.")
    if not _is_whole(made.minimum_samples):
        raise SertfError(
            f"Front end {name} must have a whole number above 0 as minimum_samples, got {made.minimum_samples!r}."
        )
    if span is not None and not (
        isinstance(span, tuple)
        and len(span) == 2
        and all(type(place) is int for place in span)
        and 0 <= span[0] < span[1]
    ):
        raise SertfError(
            f"Front end {name} must have as span its first sample and the one behind its last, whole numbers, got {span!r}."
        )
    if made.reports_cuts and span is None:
        raise SertfError(f"Front end {name} reports cuts but has no span; set the span, or reports_cuts to False.")
    if made.reads_middle and not hasattr(made, "duration_seconds"):
        raise SertfError(f"Front end {name} reads the middle of clips, but says not how much; set duration_seconds.")


_SIGNATURES = {"features": "features(self, waveform, lengths)", "frames": "frames(self, lengths)"}


def _is_whole(value):
    return type(value) is int and value > 0


def _as_kept(config):
    """As a manifest gives it back: lists in place of tuples."""
    return json.loads(json.dumps(config))


def _again(name, front_end, config):
    try:
        return front_end(**config)
    except TypeError as error:
        raise SertfError(
            f"Front end {name} cannot be made again of what a manifest keeps of it, where tuples are lists ({error}); take "
            "lists too."
        ) from error


def check_features(
    name: str, front_end: Any, compiled: Callable[[Any], Callable[..., Any]], *, shortest_seconds: float
) -> None:
    """Refuse a user's own front end whose features are not what it says, or are others where a clip is padded.

    Args:
        name: "module:Class".
        front_end: the layer.
        compiled: function from a layer to one of (batch, samples) and (batch,) to an array.
        shortest_seconds: what a clip has at least.
    """
    generator, rate = np.random.default_rng(0), front_end.sample_rate or 16000
    compute, again = compiled(front_end), compiled(_again(name, type(front_end), _as_kept(front_end.get_config())))
    shortest = max(front_end.minimum_samples, round(shortest_seconds * rate))
    for samples in (shortest, max(shortest, rate)):
        clip = generator.normal(scale=0.1, size=(1, samples)).astype("float32")
        padded = np.pad(clip, [[0, 0], [0, samples + 1000]])
        lengths = np.array([samples], "int32")
        alone, among = (np.asarray(compute(given, lengths)) for given in (clip, padded))
        frames, shape = front_end.frames(samples), front_end.feature_shape
        if not _is_whole(frames):
            raise SertfError(
                f"Front end {name} must say in frames(lengths) how many frames {samples} samples have, a whole number above 0, "
                f"but says {frames!r}; divide by //, and let minimum_samples be what a frame needs."
            )
        wanted = (1, frames if shape[0] is None else shape[0], shape[1])
        if alone.shape != wanted or alone.dtype != "float32" or among.shape[1] < frames:
            raise SertfError(
                f"Front end {name} must give float32 of shape {wanted} for a clip of {samples} samples, as feature_shape and "
                f"frames say, but gives {alone.dtype} of shape {alone.shape}."
            )
        if not np.isfinite(alone).all():
            raise SertfError(
                f"Front end {name} gives NaN or infinity for noise of {samples} samples; if it needs more of them, set "
                "minimum_samples."
            )
        for other, when, mend in (
            (among, "where a clip is padded with zeros", "leave out what lies behind `lengths`"),
            (np.asarray(again(clip, lengths)), "where it is made again of what a manifest keeps", "keep its arguments"),
        ):
            apart = np.abs(alone[:, :frames] - other[:, :frames]).max(axis=(0, 1))  # of each value of a frame
            if not (apart <= _TOLERANCE * np.abs(alone).max(axis=(0, 1)) + _SMALLEST * np.abs(alone).max()).all():
                raise SertfError(f"Front end {name} gives other features {when} (by {apart.max():.3g}); {mend}.")
    if front_end.weights:
        raise SertfError(
            f"Front end {name} has weights ({front_end.weights[0].path}), which no run would keep; make its constants NumPy "
            "arrays, and layers that are trained part of the model."
        )
