"""The reconstruction error of an autoencoder as a part of the loss."""

from typing import Any

import keras
from keras import ops

from sertf.errors import SertfError, check_finite


@keras.saving.register_keras_serializable("sertf")
class ReconstructionError(keras.layers.Layer):
    """Pass a code on and add `weight` times the mean squared error of its reconstruction to the model's loss.

    Call arguments:
        code: (batch, units), returned as it is.
        target, reconstruction: (batch, values) each.
    """

    def __init__(self, weight: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        check_finite("ReconstructionError", weight=weight)
        if weight < 0:
            raise SertfError(f"ReconstructionError: weight must be 0 or more, got {weight!r}.")
        self.weight = weight

    def call(self, code, target, reconstruction):
        self.add_loss(self.weight * ops.mean(ops.square(target - reconstruction)))
        return code

    def compute_output_shape(self, code_shape, target_shape, reconstruction_shape):
        return code_shape

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}
