"""A temperature of the scores that grows as a clip lies farther from those of training."""

from typing import Any

import keras
from keras import ops

from sertf.errors import check_whole


@keras.saving.register_keras_serializable("sertf")
class LeverageTemperature(keras.layers.Layer):
    """The temperature of each row, T = T0 · (1 + (h / h0)^power), by its leverage h of `sertf.models.ridge`.

    Its weights are set, not trained: scales (dims,), centre (dims,), axes (dims, directions), penalty, and the curve (T0,
    h0, power). The axes are float16, which halves the largest of them.

    Args:
        directions: columns of the axes.

    Call arguments:
        inputs: (batch, dims); times the scales they are what the ridge regression was fitted on.

    Returns:
        (batch, 1) float32.
    """

    def __init__(self, directions: int, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        check_whole(type(self).__name__, directions=directions)
        self.directions = directions

    def build(self, inputs_shape):
        dims = inputs_shape[-1]

        def weight(name, shape, dtype="float32", initializer="zeros"):
            return self.add_weight(
                name=name, shape=shape, dtype=dtype, initializer=initializer, trainable=False, autocast=False
            )

        self.scales = weight("scales", (dims,), initializer="ones")
        self.centre = weight("centre", (dims,))
        self.axes = weight("axes", (dims, self.directions), "float16")
        self.penalty = weight("penalty", (), initializer="ones")
        self.curve = weight("curve", (3,), initializer="ones")

    def call(self, inputs):
        apart = ops.cast(inputs, "float32") * self.scales - self.centre
        within = ops.matmul(apart, ops.cast(self.axes, "float32"))
        squares = ops.sum(ops.square(apart), axis=-1) - ops.sum(ops.square(within), axis=-1)
        leverage = ops.maximum(squares, 0.0) / self.penalty
        lowest, usual, power = (self.curve[i] for i in range(3))
        return (lowest * (1 + ops.power(leverage / usual, power)))[:, None]

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], 1)

    def get_config(self):
        config = super().get_config()
        del config["dtype"]
        return {**config, "directions": self.directions}
