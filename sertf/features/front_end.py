"""The base class of every front end, the zoo's and custom ones."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from sertf.errors import SertfError, check_whole
from sertf.layers import spectral


class FrontEnd(keras.layers.Layer):
    """A Keras layer from padded waveforms to features, the same in training and in an exported model.

    A subclass sets `feature_shape` in its constructor and stores each argument unchanged under its name. It defines
    `features` with `keras.ops`. Unless all clips have the same number of frames, it defines `frames` with arithmetic that
    ints and tensors share. Constants are NumPy arrays, made in `build` if they are large. A front end trains no weights.
    One with pretrained weights reads them in `build` and describes them in `pretrained`.

    The files of the class and its base classes decide whether features in the cache still count. What these files import
    or read does not. After such a change raise `version`.

    Args:
        sample_rate: Hz of the waveforms; clips are resampled to it. None uses every clip at its own rate; such a model
            cannot be exported.
        name: name of the layer.

    Call arguments:
        waveform: (batch, samples) floats, full scale at 1; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, frames, values) float32, rows of 0 beyond an utterance's own frames.

    Raises:
        SertfError: the input is not such a waveform, or shorter than `minimum_samples`.

    Attributes:
        version: raise it with every change of the arithmetic, so that older features in the cache no longer count.
        span: first sample that is read of every clip and the one behind the last; None for all of it.
        minimum_samples: least samples of a clip.
        reports_cuts: whether to warn of clips longer than the span.
        trims: whether quiet ends are cut off. An utterance may then have fewer frames than `frames` says; rows of 0 follow.
        reads_middle: whether only the middle of a clip longer than `duration_seconds` is read.
        feature_shape: (frames, values of a frame); None in place of frames that depend on the clip's length.
        added_later: arguments that came after features were stored. At their defaults they enter no digest.
        pretrained: title, digest, licence, citation and url of pretrained weights; None without.
    """

    feature_shape: tuple[int | None, int]
    version = 1
    span: tuple[int, int] | None = None
    minimum_samples = 1
    reports_cuts = False
    trims = False
    reads_middle = False
    added_later: tuple[str, ...] = ()
    pretrained: Mapping[str, str] | None = None

    def __init__(self, sample_rate: int | None, *, name: str | None = None):
        # float32 under any global policy: half precision would round a power spectrum's small values to 0.
        super().__init__(name=name, dtype="float32", trainable=False)
        if sample_rate is not None:
            check_whole(type(self).__name__, sample_rate=sample_rate)
        self.sample_rate = sample_rate

    def frames(self, lengths: Any) -> Any:
        """Own frames of utterances of `lengths` samples (ints, arrays or tensors): those of `feature_shape`, for all."""
        if self.feature_shape[0] is None:
            raise SertfError(
                f"{type(self).__name__} must define frames(lengths), since its feature_shape gives no number of frames."
            )
        return lengths * 0 + self.feature_shape[0]

    def own_frames(self, features: np.ndarray, samples: int) -> np.ndarray:
        """The frames of one utterance of so many samples, from its features (frames, values) with rows of padding."""
        features = features[: self.frames(samples)]
        return features[: np.flatnonzero(features.any(axis=1)).max(initial=0) + 1] if self.trims else features

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        """Pairs of a label and the number of values of a frame that it names, in their order; figures show them."""
        return [counted("dimension", self.feature_shape[1])]

    @property
    def frame_step_seconds(self) -> float | None:
        """Time from one frame to the next; None where a frame is no fixed stretch of time."""
        hop = getattr(self, "hop_length", None)
        return hop / self.sample_rate if hop and self.sample_rate else None

    def features(self, waveform: keras.KerasTensor, lengths: keras.KerasTensor) -> keras.KerasTensor:
        """Features, (batch, frames, values).

        Args:
            waveform: (batch, samples) with zeros behind each row's own samples.
            lengths: (batch,) int32, none beyond the samples that are there.
        """
        raise SertfError(f"{type(self).__name__} must define features(waveform, lengths).")

    def call(self, waveform: keras.KerasTensor, lengths: keras.KerasTensor | None = None) -> keras.KerasTensor:
        spectral.check_samples(type(self).__name__, waveform, self.minimum_samples, lengths)
        if lengths is None:
            return self.features(waveform, spectral.own_lengths(waveform, None))
        lengths = spectral.own_lengths(waveform, lengths)
        waveform = spectral.keep_own(waveform, spectral.own_positions(lengths, keras.ops.shape(waveform)[1]))
        features = self.features(waveform, lengths)
        if self.feature_shape[0] is not None:
            return features
        return spectral.keep_own(features, spectral.own_positions(self.frames(lengths), keras.ops.shape(features)[1]))

    def compute_output_shape(self, waveform_shape: tuple[int | None, int | None]) -> tuple[int | None, int | None, int]:
        batch, samples = waveform_shape
        frames, values = self.feature_shape
        if frames is None and samples is not None:
            frames = self.frames(samples)
        return (batch, frames, values)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor as plain values; plain lists and dicts replace Keras's tracked ones."""
        arguments = inspect.signature(type(self)).parameters
        missing = [argument for argument in arguments if not hasattr(self, argument)]
        if missing:
            raise SertfError(
                f"{type(self).__name__} must store each argument of its constructor under the argument's name, but has no "
                f"{', '.join(missing)}; add self.{missing[0]} = {missing[0]}."
            )
        return {argument: _plain(getattr(self, argument)) for argument in arguments}


def counted(label: str, size: int) -> tuple[str, int]:
    """A group of dimensions that are numbered from 1.

    >>> counted("MFCC", 34)
    ('MFCC 1 to 34', 34)
    """
    return f"{label} 1 to {size}", size


def _plain(value):
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return (tuple if isinstance(value, tuple) else list)(_plain(inner) for inner in value)
    return value
