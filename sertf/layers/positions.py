"""Positions for attention. Attention by itself ignores the order of steps."""

from typing import Any

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


@keras.saving.register_keras_serializable("sertf")
class NoisePositions(keras.layers.Layer):
    """Add a vector of noise, drawn once and never trained, to each step of (batch, steps, units).

    SERCT's code does so: its initialisation draws the 2000 positions anew as Xavier's uniform noise, where the thesis has
    sines (section 4.4). The number of steps is fixed.

    Args:
        longest: steps of the table that the noise's width comes from; its limit is √(6 / (longest + units)).
    """

    def __init__(self, longest: int = 2000, **kwargs: Any):
        super().__init__(**kwargs)
        self.longest = longest

    def build(self, inputs_shape):
        limit = (6 / (self.longest + inputs_shape[2])) ** 0.5
        self.positions = self.add_weight(
            name="positions",
            shape=inputs_shape[1:],
            initializer=keras.initializers.RandomUniform(-limit, limit),
            trainable=False,
        )

    def call(self, inputs):
        return inputs + self.positions

    def compute_output_shape(self, inputs_shape):
        return inputs_shape

    def get_config(self):
        return {**super().get_config(), "longest": self.longest}
