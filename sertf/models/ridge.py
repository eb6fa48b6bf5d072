"""Ridge regression in closed form, a whole grid of penalties at the price of one (Hoerl and Kennard 1970). NumPy alone."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DIRECTIONS = 64
"""Principal directions of training that a leverage keeps; along the others the rows count as having no spread."""


class Leverage(NamedTuple):
    """How far a row x lies from those of training: (x - centre)ᵀ (Xᵀ W X + penalty)⁻¹ (x - centre), of weighted rows X.

    The variance of a Bayesian linear regression grows by it (Bishop 2006, *Pattern Recognition and Machine Learning*,
    equation 3.59).

    Attributes:
        centre: (dims,) weighted mean of the training rows.
        axes: (dims, directions) principal directions of Xᵀ W X times √(e / (e + penalty)) of their eigenvalues e.
        penalty: of the ridge regression.
    """

    centre: np.ndarray
    axes: np.ndarray
    penalty: float

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Leverages (rows,) of rows (rows, dims)."""
        apart = rows - self.centre
        squares = np.square(apart).sum(axis=1) - np.square(apart @ self.axes).sum(axis=1)
        return np.maximum(squares, 0.0) / self.penalty


class Linear(NamedTuple):
    """A linear model: features @ kernel + bias.

    Attributes:
        kernel: (dims, outputs) float64.
        bias: (outputs,) float64.
        leverage: by its training rows; None of models other than ridge regression.
    """

    kernel: np.ndarray
    bias: np.ndarray
    leverage: Leverage | None = None

    def values(self, rows: np.ndarray) -> np.ndarray:
        """The model's values, (rows, outputs)."""
        return rows @ self.kernel + self.bias

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Softmax of the model's values, (rows, outputs)."""
        return softmax(self.values(rows))


def fit_ridge(
    features: np.ndarray, targets: np.ndarray, penalties: Sequence[float], weights: np.ndarray
) -> list[Linear]:
    """Minimise the weighted squared error plus `penalty` times the squared kernel; the bias is not penalised.

    Equals scikit-learn's `Ridge(alpha=penalty).fit(features, targets, sample_weight=weights)` for each penalty. One
    eigendecomposition serves all of them: of rows by rows where there are more dimensions than rows, else of dimensions
    by dimensions.

    Args:
        features: (rows, dims).
        targets: (rows, outputs).
        penalties: above 0.
        weights: (rows,) of the squared errors.
    """
    features, targets = features.astype("float64"), targets.astype("float64")
    mean, target_mean = (np.average(values, axis=0, weights=weights) for values in (features, targets))
    roots = np.sqrt(weights)[:, None]
    centred, shifted = (features - mean) * roots, (targets - target_mean) * roots
    wide = centred.shape[1] > centred.shape[0]
    values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    values = np.maximum(values, 0.0)[:, None]  # rounding makes zeros negative
    # The kernel is before @ (projected / (values + penalty)).
    before, projected = (
        (centred.T @ vectors, vectors.T @ shifted) if wide else (vectors, vectors.T @ (centred.T @ shifted))
    )
    directions, largest = before[:, -DIRECTIONS:], values[-DIRECTIONS:, 0]  # values ascend
    found = []
    for penalty in penalties:
        kernel = before @ (projected / (values + penalty))
        # Of rows by rows, `before` has the directions times √e.
        axes = directions * np.sqrt((1 if wide else largest) / (largest + penalty))
        axes = axes.astype("float16").astype("float32")  # as a network keeps them
        found.append(Linear(kernel, target_mean - mean @ kernel, Leverage(mean, axes, penalty)))
    return found


def softmax(values: np.ndarray) -> np.ndarray:
    """Softmax of each row, (rows, outputs)."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def class_targets(labels: np.ndarray, classes: int) -> np.ndarray:
    """Targets (rows, classes) of a classifier by regression: 1 in the column of the row's class, -1 in the others."""
    return 2 * np.eye(classes)[labels] - 1


def balanced_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weights (rows,) of mean 1 by which every class counts the same."""
    counts = np.bincount(labels, minlength=classes)
    return len(labels) / classes / counts[labels]
