"""Self-training: a ridge regression takes its own answers to clips without labels for targets, and is solved anew with them.

The idea is old (Scudder 1965, *IEEE Transactions on Information Theory* 11). The answers come as probabilities, so that
a doubtful one says little. Each clip counts as one of training. Such clips tell the model how their speakers, language
and recordings differ from those of training. They should hold several emotions.
"""

import numpy as np

from sertf.models.ridge import Leverage, Linear, softmax

SHARPNESS = 4.0
"""Values are multiplied by it ahead of the softmax that gives the targets."""
ROUNDS = 10
"""How often the model answers anew."""
MOST_ROWS = 4000
"""Of more rows so many are taken, evenly: time and memory grow with a power of their number."""


def correction(rows: np.ndarray, values: np.ndarray, leverage: Leverage) -> Linear:
    """What self-training on unlabelled rows adds to a ridge regression, as a linear model of its own.

    With extra rows X and targets T the kernel gains H⁻¹Xᵀ(I + XH⁻¹Xᵀ)⁻¹(T - V), by the matrix inversion lemma. V are the
    values before it, and H is the matrix of the regression's normal equations. The leverage knows H along the principal
    directions of training. Rows are centred on those of training, and the bias of the regression stays.

    Args:
        rows: (rows, dims) as the regression was fitted on, unlabelled.
        values: (rows, classes) that the regression gives them.
        leverage: of the regression.

    Returns:
        The kernel (dims, classes) and bias (classes,) to be added to those of the regression.
    """
    from scipy.linalg import cho_factor, cho_solve

    chosen = evenly(len(rows))
    rows, values = rows[chosen], values[chosen]
    apart = rows - leverage.centre
    within = apart @ leverage.axes
    products = (apart @ apart.T - within @ within.T) / leverage.penalty  # XH⁻¹Xᵀ, (rows, rows)
    factor = cho_factor(np.eye(len(rows)) + products)
    now = values
    for _ in range(ROUNDS):
        targets = 2 * softmax(SHARPNESS * now) - 1  # as `sertf.models.ridge.class_targets` has them
        dual = cho_solve(factor, targets - values)  # (rows, classes)
        now = values + products @ dual
    before = apart.T @ dual
    kernel = (before - leverage.axes @ (leverage.axes.T @ before)) / leverage.penalty
    return Linear(kernel, -leverage.centre @ kernel)


def evenly(count: int) -> np.ndarray:
    """Places of at most `MOST_ROWS` of so many rows.

    >>> evenly(3)
    array([0, 1, 2])
    """
    kept = min(count, MOST_ROWS)
    return np.arange(kept) * count // kept
