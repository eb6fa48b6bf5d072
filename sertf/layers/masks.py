"""Masks over a spectrogram while a network trains."""

from typing import Any

import keras
from keras import ops

from sertf.errors import check_whole


@keras.saving.register_keras_serializable("sertf")
class SpectrogramMasks(keras.layers.Layer):
    """Set bands and spans of a spectrogram to 0, anew in every training step; otherwise pass it on.

    SpecAugment without its time warping (Park et al. 2019, section 2). Each mask's width is drawn evenly from 0 to the
    widest, then its place; an axis shorter than the widest can be masked whole. 0 is the mean of standardised features.

    Args:
        bands: widest mask in bands.
        frames: widest mask in frames.
        count: masks of either kind.
        seed: of the draws.

    Call arguments:
        inputs: (batch, frames, bands), or (batch, frames, bands, channels), which are masked together.
    """

    def __init__(self, bands: int, frames: int, *, count: int = 2, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("SpectrogramMasks", least=0, bands=bands, frames=frames)
        check_whole("SpectrogramMasks", count=count)
        self.bands, self.frames, self.count, self.seed = bands, frames, count, seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        kept_frames = self._kept(inputs, 1, self.frames)[:, :, None]
        kept_bands = self._kept(inputs, 2, self.bands)[:, None, :]
        kept = kept_frames * kept_bands  # (batch, frames, bands)
        return inputs * (kept if len(inputs.shape) == 3 else kept[..., None])

    def _kept(self, inputs, axis, widest):
        """(batch, size of the axis): 0 where a mask is, else 1."""
        size = inputs.shape[axis]
        shape = (ops.shape(inputs)[0], self.count, 1)
        width = ops.floor(keras.random.uniform(shape, seed=self.draws) * (min(widest, size) + 1))
        start = ops.floor(keras.random.uniform(shape, seed=self.draws) * (size - width + 1))
        places = ops.arange(size, dtype="float32")
        masked = ops.any(ops.logical_and(places >= start, places < start + width), axis=1)
        return ops.cast(ops.logical_not(masked), inputs.dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        own = {"bands": self.bands, "frames": self.frames, "count": self.count, "seed": self.seed}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("sertf")
class FrameMask(keras.layers.Layer):
    """True for the frames of a padded utterance: from the first that is not 0 throughout to the last.

    Args:
        every: for steps of so many frames, of which the first one decides.

    Call arguments:
        inputs: (batch, frames, values), with frames of 0 at the ends of an utterance.

    Returns:
        (batch, ceil(frames / every)) booleans.
    """

    def __init__(self, every: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("FrameMask", every=every)
        self.every = every

    def call(self, inputs):
        used = ops.cast(ops.any(ops.not_equal(inputs, 0), axis=2), "int32")  # (batch, frames)
        so_far = ops.cumsum(used, axis=1)
        own = ops.logical_and(so_far > 0, so_far - used < so_far[:, -1:])
        return own[:, :: self.every]

    def compute_output_spec(self, inputs):
        frames = inputs.shape[1]
        return keras.KerasTensor((inputs.shape[0], frames and -(-frames // self.every)), "bool")

    def get_config(self):
        return {**super().get_config(), "every": self.every}


@keras.saving.register_keras_serializable("sertf")
class CountedPadding(keras.layers.Layer):
    """Set masked steps to 0 and end the mask, so that the layers behind this one count padding.

    Call arguments:
        inputs: (batch, steps, values).
        mask: (batch, steps) booleans, True where a step is the utterance's own; by default every step is.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        own = ops.ones_like(inputs[:, :, :1], dtype="bool") if mask is None else mask[:, :, None]
        return ops.where(own, inputs, ops.zeros_like(inputs))

    def compute_mask(self, inputs, mask=None):
        return None

    def compute_output_shape(self, inputs_shape):
        return inputs_shape


@keras.saving.register_keras_serializable("sertf")
class MaskedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch norm over a spectrogram whose statistics see own frames only; what lies beyond becomes 0.

    Call arguments:
        inputs: (batch, frames, bands, channels).
        own: (batch, frames) booleans, true where a frame counts.
    """

    def build(self, inputs_shape, own_shape):
        super().build(inputs_shape)

    def call(self, inputs, own, training=None):
        values = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))  # half precision loses statistics
        own = ops.cast(own, values.dtype)
        if training and self.trainable:
            mean, variance = self._statistics(values, own)
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + now * (1 - self.momentum))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        scale = self.gamma * ops.rsqrt(variance + self.epsilon)
        normed = (values * scale + (self.beta - mean * scale)) * own[:, :, None, None]
        return ops.cast(normed, inputs.dtype)

    def _statistics(self, values, own):
        """Mean and variance of each channel over own frames.

        On one CPU core, products of matrices take half the time of Keras's sums over masked axes.
        """
        bands, channels = values.shape[2:]
        rows = ops.reshape(values, (-1, channels))
        counted = ops.reshape(ops.repeat(own, bands, axis=1), (1, -1))
        count = ops.maximum(ops.sum(counted), 1)
        mean = ops.matmul(counted, rows)[0] / count
        square = ops.matmul(counted, ops.square(rows))[0] / count
        return mean, ops.maximum(square - ops.square(mean), 0)

    def compute_output_shape(self, inputs_shape, own_shape):
        return inputs_shape
