"""Capsules: partition into blocks, routing by agreement to class capsules, lengths as scores (SpeechNet; Sabour 2017)."""

from typing import Any

import keras
from keras import ops

from sertf.errors import SertfError, check_whole

MODES = ("modified", "classic")
# Keeps the gradient of a length finite where a capsule is zero.
SMALLEST_SQUARE = 1e-12


def squash(capsules: keras.KerasTensor) -> keras.KerasTensor:
    """Shrink vectors on the last axis to lengths below 1: |v|²/(1 + |v|²) · v/|v| (Sabour et al. 2017, equation 1)."""
    square = ops.sum(ops.square(capsules), axis=-1, keepdims=True)
    return capsules * (ops.sqrt(square + SMALLEST_SQUARE) / (1.0 + square))


def _check_shape(layer, argument, form, shape):
    if len(shape) != 3 or None in shape[1:]:
        raise SertfError(f"{layer}: {argument} must be {form}, of fixed size but for the batch, got {tuple(shape)}.")


@keras.saving.register_keras_serializable("sertf")
class CapsulePartition(keras.layers.Layer):
    """Cut (batch, steps, filters) into blocks of `dimension` adjacent values, (batch, capsules, dimension).

    SpeechNet takes ⌊steps · filters / d⌋ blocks; here d must divide, so that nothing is dropped.
    """

    def __init__(self, dimension: int = 16, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole("CapsulePartition", dimension=dimension)
        self.dimension = dimension

    def build(self, inputs_shape):
        _check_shape("CapsulePartition", "inputs", "(batch, steps, filters)", inputs_shape)
        _, steps, filters = inputs_shape
        if (steps * filters) % self.dimension:
            raise SertfError(
                f"CapsulePartition: dimension must divide the {steps} x {filters} = {steps * filters} values, "
                f"got {self.dimension}."
            )
        self._capsules = steps * filters // self.dimension

    def call(self, inputs):
        return ops.reshape(inputs, (-1, self._capsules, self.dimension))

    def compute_output_shape(self, inputs_shape):
        batch, steps, filters = inputs_shape
        return batch, steps * filters // self.dimension, self.dimension

    def get_config(self):
        return {**super().get_config(), "dimension": self.dimension}


@keras.saving.register_keras_serializable("sertf")
class CapsuleRouting(keras.layers.Layer):
    """Class capsules from capsules, by routing.

    Capsule i predicts a_ij = W_ij h_i for class j. Both modes start from equal weights and compute v_j = Σ_i c_ij a_ij
    `iterations` times. In between they update the weights c_ij from the agreement u_ij = a_ij · v_j:

    - "modified" (SpeechNet, equations 12 to 14): c_ij is the softmax over classes of u_ij, which replaces the logits.
    - "classic" (Sabour et al. 2017, procedure 1): u_ij adds to the logits, and every v_j is squashed.

    The paper leaves details of its routing open, and this layer fills them in. The paper scores blocks i and j, with a_ij
    of d x d values. It uses h_j for v_j in equation 12, and sums equation 13 to d and equation 14 to n_4. It names no
    squash. Here one at the end turns lengths into scores; `squashed=False` leaves it out. With two iterations no logits
    have added up yet, so the modes differ only in the squash of the first v_j.

    Args:
        num_classes: classes.
        dimension: values of a class capsule.
        iterations: how many times v is computed, 1 or more.
        mode: "modified" or "classic".
        squashed: shrink the class capsules to lengths below 1 at the end, as scores need.

    Call arguments:
        capsules: (batch, capsules, values).

    Returns:
        Class capsules, (batch, num_classes, dimension).
    """

    def __init__(
        self,
        num_classes: int,
        *,
        dimension: int = 16,
        iterations: int = 2,
        mode: str = "modified",
        squashed: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_whole("CapsuleRouting", num_classes=num_classes, dimension=dimension, iterations=iterations)
        if mode not in MODES:
            raise SertfError(f"CapsuleRouting: mode must be one of {', '.join(MODES)}, got {mode!r}.")
        self.num_classes = num_classes
        self.dimension = dimension
        self.iterations = iterations
        self.mode = mode
        self.squashed = squashed

    def build(self, capsules_shape):
        _check_shape("CapsuleRouting", "capsules", "(batch, capsules, values)", capsules_shape)
        _, capsules, values = capsules_shape
        # Glorot's deviation for each W_ij on its own, a small square matrix; Keras would take its fans from all of them.
        deviation = (2 / (values + self.dimension)) ** 0.5
        self.kernel = self.add_weight(
            name="kernel",
            shape=(capsules, values, self.num_classes * self.dimension),
            initializer=keras.initializers.RandomNormal(stddev=deviation),
        )

    def call(self, capsules):
        # The batch comes first in the products: with the capsules first XLA's are 20 times slower on a CPU.
        predictions = ops.einsum("bie,ief->bif", capsules, self.kernel)
        shape = (-1, self.kernel.shape[0], self.num_classes, self.dimension)
        predictions = ops.reshape(predictions, shape)  # (batch, capsules, classes, dimension)
        classic = self.mode == "classic"
        logits = None
        v = ops.sum(predictions, axis=1) / self.num_classes  # (batch, classes, dimension)
        for _ in range(self.iterations - 1):
            v = squash(v) if classic else v
            agreement = ops.sum(predictions * v[:, None], axis=-1)  # (batch, capsules, classes)
            logits = agreement if logits is None or not classic else logits + agreement
            weights = ops.softmax(logits, axis=-1)
            v = ops.sum(weights[..., None] * predictions, axis=1)
        return squash(v) if self.squashed else v

    def compute_output_shape(self, capsules_shape):
        return capsules_shape[0], self.num_classes, self.dimension

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dimension": self.dimension,
            "iterations": self.iterations,
            "mode": self.mode,
            "squashed": self.squashed,
        }


@keras.saving.register_keras_serializable("sertf")
class CapsuleLength(keras.layers.Layer):
    """Lengths of capsules, (batch, classes, dimension) to (batch, classes)."""

    def call(self, capsules):
        return ops.sqrt(ops.sum(ops.square(capsules), axis=-1) + SMALLEST_SQUARE)

    def compute_output_shape(self, capsules_shape):
        return capsules_shape[:-1]
