"""Restricted Boltzmann machine with class units."""

from typing import Any

import keras
from keras import ops

from sertf.errors import check_whole


@keras.saving.register_keras_serializable("sertf")
class ClassificationRBM(keras.layers.Layer):
    """Negative free energies of a restricted Boltzmann machine whose visible units are the input and the class.

    Summed over all states of the hidden units, -F(x, y) = d_y + Σ_j log(1 + exp(c_j + U_jy + W_j · x)). The softmax of
    these over the classes is exactly p(y | x) (Larochelle and Bengio 2008, equation 2). Trained by cross-entropy this is
    their discriminative machine. It needs no sampling.

    Args:
        hidden_units: number of binary hidden units.
        num_classes: number of classes.

    Call arguments:
        x: (batch, values).

    Returns:
        (batch, num_classes).
    """

    def __init__(self, hidden_units: int, num_classes: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("ClassificationRBM", hidden_units=hidden_units, num_classes=num_classes)
        self.hidden_units = hidden_units
        self.num_classes = num_classes

    def build(self, x_shape):
        self.visible = self.add_weight(name="visible", shape=(x_shape[-1], self.hidden_units))  # W
        self.classes = self.add_weight(name="classes", shape=(self.hidden_units, self.num_classes))  # U
        self.hidden_bias = self.add_weight(name="hidden_bias", shape=(self.hidden_units,), initializer="zeros")  # c
        self.class_bias = self.add_weight(name="class_bias", shape=(self.num_classes,), initializer="zeros")  # d

    def call(self, x):
        by_input = ops.matmul(x, self.visible) + self.hidden_bias  # (batch, hidden)
        by_class = by_input[:, :, None] + self.classes  # (batch, hidden, classes)
        return self.class_bias + ops.sum(ops.softplus(by_class), axis=1)

    def compute_output_shape(self, x_shape):
        return (x_shape[0], self.num_classes)

    def get_config(self):
        return {**super().get_config(), "hidden_units": self.hidden_units, "num_classes": self.num_classes}
