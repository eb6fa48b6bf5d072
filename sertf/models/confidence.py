"""How much less sure a ridge regression is of clips that lie far from those of training.

A linear model answers a clip of an unlike voice or microphone as surely as any other: its values may even be larger. The
leverage of `sertf.models.ridge` tells such clips. `fit_curve` learns how the temperature of the scores (Guo et al. 2017,
arXiv:1706.04599) follows from it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sertf.evaluation.calibration import TEMPERATURES
from sertf.models.ridge import softmax

POWERS = (0.0, 8.0)
"""Lowest and highest power of a curve."""


class Curve(NamedTuple):
    """A temperature T of scores by the leverage h: T = lowest · (1 + (h / usual)^power).

    Attributes:
        lowest: temperature of a clip of no leverage.
        usual: leverage of a clip whose temperature is twice the lowest.
        power: how steeply the temperature grows.
    """

    lowest: float
    usual: float
    power: float

    def __call__(self, leverage: np.ndarray) -> np.ndarray:
        """Temperatures (rows,) of leverages (rows,)."""
        return self.lowest * (1 + (leverage / self.usual) ** self.power)


SAME = Curve(0.5, 1.0, 0.0)
"""The curve of a temperature of 1, whatever the leverage."""


def fit_curve(
    labels: np.ndarray, values: Sequence[np.ndarray], leverages: Sequence[np.ndarray], weights: np.ndarray
) -> Curve:
    """The curve of the lowest cross-entropy on rows that were held out, by one cut or more; each cut counts the same.

    Args:
        labels: (rows,).
        values: of each cut, the decision values (rows, classes) of models that did not train on the row.
        leverages: of each cut, (rows,) by the training rows of these models.
        weights: (rows,) by which rows count.
    """
    from scipy.optimize import minimize

    logs = np.log(np.maximum(np.concatenate(leverages), 1e-12))
    bounds = [tuple(np.log(TEMPERATURES)), (logs.min() - 3, logs.max() + 3), POWERS]

    def loss(found):
        curve = Curve(np.exp(found[0]), np.exp(found[1]), found[2])
        losses = []
        for scores, leverage in zip(values, leverages, strict=True):
            of_truth = softmax(scores / curve(leverage)[:, None])[np.arange(len(labels)), labels]
            losses.append(-np.average(np.log(np.maximum(of_truth, 1e-12)), weights=weights))
        return np.mean(losses)

    starts = [(np.log(0.2), np.quantile(logs, share), 2.0) for share in (0.25, 0.75)]
    best = min(
        (minimize(loss, start, method="Nelder-Mead", bounds=bounds, options={"maxiter": 600}) for start in starts),
        key=lambda found: found.fun,
    ).x
    return Curve(float(np.exp(best[0])), float(np.exp(best[1])), float(best[2]))
