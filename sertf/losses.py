"""Losses of the zoo that Keras lacks, on integer labels and scores."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike

from sertf.errors import SertfError


def class_weights(labels: ArrayLike, num_classes: int, *, names: Sequence[str] | None = None) -> np.ndarray:
    """Inverse class frequencies, scaled to a mean of 1, (num_classes,) float32.

    Args:
        labels: class indices of the training part, (n,).
        num_classes: number of classes.
        names: class names for the error.

    Raises:
        SertfError: a label is no class, or a class has no training utterance; its weight would be infinite.

    >>> class_weights([0, 0, 0, 1], 2).tolist()
    [0.5, 1.5]
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        raise SertfError(f"labels must be a list of class indices, whole numbers, got {labels.dtype} {labels.shape}.")
    labels = labels.astype(int)
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise SertfError(f"labels must be from 0 to {num_classes - 1}, got {labels.min()} to {labels.max()}.")
    counts = np.bincount(labels, minlength=num_classes)
    absent = [str(names[k]) if names else str(k) for k in np.flatnonzero(counts == 0).tolist()]
    if absent:
        raise SertfError(
            f"The training part has no utterance of {', '.join(absent)}; its weight in a balanced loss would be infinite; "
            "use fewer folds, or leave the emotion out."
        )
    inverse = 1 / counts
    return (inverse / inverse.mean()).astype("float32")


@keras.saving.register_keras_serializable("sertf")
class BalancedMarginLoss(keras.losses.Loss):
    """Balanced margin loss of SpeechNet (BSPC 2025, equation 15).

    (1/N) Σ_i Σ_j ω_j [ y_ij max(0, α1 − ŷ_ij)² + α2 (1 − y_ij) max(0, ŷ_ij − α3)² ] β, ŷ the scores.

    β = max((1/C) Σ_c (1 − y_c + y_c (C − 1)/(1 − 1/C)) / (1 − 1/C), 1). The inner sum is over a one-hot row. With C
    classes it is ((C − 1) + (C − 1)/(1 − 1/C)) / (1 − 1/C) = (C − 1 + C) C/(C − 1). So β = (2C − 1)/(C − 1), a constant
    that scales the gradient.

    The paper prints 0.5 for all α. With α1 = α3 the loss is 0 as soon as all scores of an utterance are 0.5. From there
    on nothing separates the classes. Sabour et al. (2017), whose margin loss this balances, use 0.9, 0.5 and 0.1.

    Args:
        weights: ω, one weight a class, see `class_weights`.
        margins: (α1, α2, α3).

    Call arguments:
        y_true: class indices, (batch,) or (batch, 1).
        y_pred: scores from 0 to 1, (batch, classes); they need not sum to 1.

    Raises:
        SertfError: weights or margins are not such numbers. In a call: the number of scores is not that of the classes,
            or labels are not one index an utterance. A call does not check indices: one beyond the classes matches none.
    """

    def __init__(
        self,
        weights: ArrayLike,
        margins: Sequence[float] = (0.5, 0.5, 0.5),
        name: str = "balanced_margin",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.weights, self.margins = _numbers(weights), tuple(_numbers(margins))
        if not (len(self.weights) >= 2 and all(0 < weight < np.inf for weight in self.weights)):
            raise SertfError(f"BalancedMarginLoss: weights must be 2 or more finite numbers above 0, got {weights!r}.")
        if len(self.margins) != 3 or not all(0 <= margin <= 1 for margin in self.margins):
            raise SertfError(
                "BalancedMarginLoss: margins must be three numbers from 0 to 1 (alpha1, alpha2, alpha3), got "
                f"{margins!r}."
            )

    @property
    def balance(self) -> float:
        """β of the published formula for one-hot labels."""
        classes = len(self.weights)
        return max((2 * classes - 1) / (classes - 1), 1.0)

    def call(self, y_true, y_pred):
        upper, weight_of_others, lower = self.margins
        y_true = ops.convert_to_tensor(y_true)  # Keras turns a list into a list of scalars
        rows = y_true.shape[0] if len(y_true.shape) else 1, y_pred.shape[0]
        if (
            y_pred.shape[-1] != len(self.weights)
            or (len(y_true.shape) > 1 and y_true.shape[-1] != 1)
            or (None not in rows and rows[0] != rows[1])
        ):
            raise SertfError(
                f"BalancedMarginLoss: labels must be class indices (batch,) and scores (batch, {len(self.weights)}), one a "
                f"weight, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        truth = ops.one_hot(labels, len(self.weights), dtype=y_pred.dtype)  # (batch, classes)
        missed = ops.square(ops.maximum(upper - y_pred, 0.0))
        claimed = ops.square(ops.maximum(y_pred - lower, 0.0))
        terms = truth * missed + weight_of_others * (1.0 - truth) * claimed
        return self.balance * ops.sum(ops.cast(self.weights, y_pred.dtype) * terms, axis=-1)  # (batch,)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.weights, "margins": list(self.margins)}


def _numbers(values):
    """A row of numbers as a list of floats; an empty list for anything else."""
    try:
        row = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return []
    return row.tolist() if row.ndim == 1 else []
