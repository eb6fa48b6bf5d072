"""Custom front ends, named "module:Class", such as "my_features:Energy".

`sertf.features.find` imports the class, which derives from `sertf.features.FrontEnd`. The checks here refuse a front end
that does not suit a cache, a manifest or an exported model.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sertf.custom.code import check_plain
from sertf.errors import SertfError

# Differences by rounding between a padded and an unpadded clip: relative to a value's largest, and to the largest of all.
_TOLERANCE, _SMALLEST = 1e-2, 1e-5


def check(name: str, front_end: type, options: Mapping[str, Any]) -> Any:
    """Refuse a custom front end that no cache and no manifest could describe.

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
                f"Front end {name} must store the argument {argument} unchanged as self.{argument}; put derived values in "
                "another attribute."
            )
    return made


def _check_arguments(name, front_end, base, options):
    parameters = inspect.signature(front_end).parameters
    for argument, entry in parameters.items():
        if entry.kind in (entry.VAR_KEYWORD, entry.VAR_POSITIONAL):
            raise SertfError(
                f"Front end {name} must list its constructor's arguments by name, for manifests, in place of {entry}."
            )
        if argument not in ("name", "sample_rate") and hasattr(base, argument):
            raise SertfError(
                f"Front end {name} has an argument {argument}, but Keras or FrontEnd uses this name; choose another."
            )
    try:
        inspect.signature(front_end).bind(**options)
    except TypeError as error:
        raise SertfError(
            f"Front end {name} cannot be built with the options {', '.join(options) or '(none)'} ({error}); give every "
            "argument a default or an option."
        ) from None


def _check_attributes(name, made, base):
    shape, span = getattr(made, "feature_shape", None), made.span
    if not (
        isinstance(shape, tuple) and len(shape) == 2 and all(_is_whole(size) for size in shape[shape[0] is None :])
    ):
        raise SertfError(
            f"Front end {name} must set self.feature_shape in its constructor to (frames, values of a frame), got {shape!r}. "
            f"Set frames to None if they depend on the clip's length."
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
            f"Front end {name} must set span to its first sample and the one behind its last, whole numbers, got {span!r}."
        )
    if made.reports_cuts and span is None:
        raise SertfError(f"Front end {name} reports cuts but has no span; set span, or set reports_cuts to False.")
    if made.reads_middle and not hasattr(made, "duration_seconds"):
        raise SertfError(
            f"Front end {name} reads the middle of clips but does not state its length; set duration_seconds."
        )


_SIGNATURES = {"features": "features(self, waveform, lengths)", "frames": "frames(self, lengths)"}


def _is_whole(value):
    return type(value) is int and value > 0


def _as_kept(config):
    """The configuration as a manifest returns it: lists in place of tuples."""
    return json.loads(json.dumps(config))


def _again(name, front_end, config):
    try:
        return front_end(**config)
    except TypeError as error:
        raise SertfError(
            f"Front end {name} cannot be rebuilt from its manifest, which has lists in place of tuples ({error}); accept "
            "lists too."
        ) from error


def check_features(
    name: str, front_end: Any, compiled: Callable[[Any], Callable[..., Any]], *, shortest_seconds: float
) -> None:
    """Refuse a custom front end whose features contradict its attributes, or change where a clip is padded.

    Args:
        name: "module:Class".
        front_end: the layer.
        compiled: function from a layer to one of (batch, samples) and (batch,) to an array.
        shortest_seconds: least length of a clip.
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
                f"Front end {name}: frames(lengths) must give a whole number above 0 for {samples} samples, got "
                f"{frames!r}; divide by //, and let minimum_samples be what a frame needs."
            )
        wanted = (1, frames if shape[0] is None else shape[0], shape[1])
        if alone.shape != wanted or alone.dtype != "float32" or among.shape[1] < frames:
            raise SertfError(
                f"Front end {name} must give float32 of shape {wanted} for a clip of {samples} samples, by feature_shape and "
                f"frames, but gives {alone.dtype} of shape {alone.shape}."
            )
        if not np.isfinite(alone).all():
            raise SertfError(
                f"Front end {name} gives NaN or infinity for noise of {samples} samples; if it needs more samples, set "
                "minimum_samples."
            )
        for other, when, mend in (
            (among, "where a clip is padded with zeros", "ignore the samples beyond `lengths`"),
            (np.asarray(again(clip, lengths)), "when rebuilt from its manifest", "store its arguments unchanged"),
        ):
            apart = np.abs(alone[:, :frames] - other[:, :frames]).max(axis=(0, 1))  # of each value of a frame
            if not (apart <= _TOLERANCE * np.abs(alone).max(axis=(0, 1)) + _SMALLEST * np.abs(alone).max()).all():
                raise SertfError(f"Front end {name} gives other features {when} (by {apart.max():.3g}); {mend}.")
    if front_end.weights:
        raise SertfError(
            f"Front end {name} has weights ({front_end.weights[0].path}), but no run stores them; make its constants NumPy "
            "arrays, and put trained layers into the model."
        )
