"""Another place of a clip inside its window while a network trains."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("sertf")
class RandomPlace(keras.layers.Layer):
    """Move the clip in a spectrogram of a fixed window, anew in every training step; otherwise pass it on.

    The CNN-LSTM on wavelet-scaled spectrograms pads a random amount at both ends (TS 2025, section 3.4). Padding is every
    frame before and behind the clip that equals the first frame, if the last one equals it too. The clip moves by whole
    frames, and every place in the window is equally likely. A clip without padding at both ends stays where it is.

    Args:
        seed: of the draws.

    Call arguments:
        inputs: (batch, frames, values), of one value throughout the padding of a dimension.
    """

    def __init__(self, *, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        batch, (frames, values) = ops.shape(inputs)[0], inputs.shape[1:]
        own = ops.any(ops.not_equal(inputs, inputs[:, :1]), axis=2)  # (batch, frames)
        own = ops.cast(ops.logical_or(own, own[:, -1:]), "int32")  # no padding behind the clip: all frames are its own
        first, behind = ops.argmax(own, axis=1), ops.argmax(ops.flip(own, axis=1), axis=1)  # frames of padding
        free = ops.cast(first + behind, "float32")
        start = ops.floor(keras.random.uniform((batch,), seed=self.draws) * (free + 1))
        by = ops.cast(start, "int32") - ops.cast(first, "int32")
        source = ops.mod(ops.arange(frames, dtype="int32")[None] - by[:, None], frames)
        rows = ops.arange(batch, dtype="int32")[:, None]
        # One index into all rows: several times faster than taking along an axis.
        return ops.take(ops.reshape(inputs, (-1, values)), rows * frames + source, axis=0)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
