"""Positions for attention. Attention by itself ignores the order of steps."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("sertf")
class LearnedPositions(keras.layers.Layer):
    """Add a trained vector to each step of (batch, steps, units); the number of steps is fixed."""

    def build(self, inputs_shape):
        self.positions = self.add_weight(
            name="positions", shape=inputs_shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02)
        )

    def call(self, inputs):
        return inputs + self.positions

    def compute_output_shape(self, inputs_shape):
        return inputs_shape


@keras.saving.register_keras_serializable("sertf")
class SinusoidalPositions(keras.layers.Layer):
    """Add sines and cosines of the position to each step of (batch, steps, units) (Vaswani et al. 2017, section 3.5).

    Value 2i of step t is sin(t / 10000^(2i / units)), value 2i + 1 the cosine of the same. Nothing in it is trained; the
    number of steps is fixed.
    """

    def build(self, inputs_shape):
        _, steps, units = inputs_shape
        pairs = np.arange(units) // 2
        angles = np.arange(steps)[:, None] / 10000 ** (2 * pairs / units)
        self._positions = np.where(np.arange(units) % 2, np.cos(angles), np.sin(angles)).astype("float32")

    def call(self, inputs):
        return inputs + ops.cast(self._positions, inputs.dtype)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape
