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
