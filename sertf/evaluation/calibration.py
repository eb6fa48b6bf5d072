"""Calibration: whether a confidence of 0.8 is right in 80 of 100 clips, and the temperature that mends it.

Confidences are of probabilities that sum to 1. `probabilities` makes them from any scores of 0 or more. The map is the
softmax of log scores over a temperature. At temperature 1 it divides the scores by their sum: those of a softmax stay as
they are, and capsule lengths become shares.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sertf.errors import SertfError

if TYPE_CHECKING:
    import pandas as pd

BINS = 15
FLOOR = 1e-12
"""Scores below count as this much, so that their logarithm exists."""
TEMPERATURES = (0.05, 20.0)
"""Lowest and highest temperature that is fitted."""
ERRORS = {"ece": "ECE", "brier": "Brier score", "nll": "negative log-likelihood"}
"""The errors of calibration, by their keys, with the names that a report prints; 0 is best."""


class Reliability(NamedTuple):
    """Predictions in bins of their confidence, each an array of shape (bins,); NaN for an empty bin.

    Attributes:
        counts: predictions.
        confidence: their mean confidence.
        accuracy: share of them that is right.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def probabilities(scores: ArrayLike, temperature: float = 1.0) -> np.ndarray:
    """Probabilities from scores: softmax(log(scores) / temperature), shape (n, k).

    For scores of a softmax this divides its logits by the temperature (Guo et al. 2017, "On Calibration of Modern Neural
    Networks", equation 9).

    Args:
        scores: 0 or more, shape (n, k).
        temperature: above 0; larger ones make less of a difference between the emotions.

    Raises:
        SertfError: negative or non-finite scores, other shapes, or a temperature of 0 or less.

    >>> probabilities([[0.2, 0.6]]).round(3).tolist()
    [[0.25, 0.75]]
    >>> probabilities([[0.2, 0.8]], temperature=2).round(3).tolist()
    [[0.333, 0.667]]
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.size == 0 or not np.isfinite(scores).all() or scores.min() < 0:
        raise SertfError(
            f"scores must be finite numbers of 0 or more in shape (utterances, emotions), got shape {scores.shape}; "
            "calibration needs the scores of a model."
        )
    if not 0 < temperature < np.inf:
        raise SertfError(f"temperature must be above 0, got {temperature!r}.")
    logits = np.log(np.maximum(scores, FLOOR)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def reliability(truth: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> Reliability:
    """Predictions in bins of equal width of their confidence, the largest probability: bin m is ((m - 1) / bins, m / bins].

    Args:
        truth: index of the true emotion, shape (n,).
        probabilities: shape (n, k).
        bins: their number.

    >>> reliability([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2).accuracy.tolist()
    [nan, 0.5]
    """
    truth, values = _checked(truth, probabilities)
    confidence = values.max(axis=1)
    right = values.argmax(axis=1) == truth
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=of, minlength=bins) / counts for of in (confidence, right)]
    return Reliability(counts, *means)


def ece(truth: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: sum over bins of their share · |accuracy - confidence| (Guo et al. 2017, equation 3).

    Args:
        truth, probabilities, bins: as of `reliability`.

    >>> round(ece([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2), 4)
    0.35
    """
    return _ece(reliability(truth, probabilities, bins))


def brier(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Brier score: mean over utterances of sum over k of (p_k - [truth is k])², from 0 to 2 (Brier 1950).

    Args:
        truth: index of the true emotion, shape (n,).
        probabilities: shape (n, k).

    >>> round(brier([0, 1], [[0.9, 0.1], [0.8, 0.2]]), 4)
    0.65
    """
    truth, values = _checked(truth, probabilities)
    return float(np.mean(np.sum((values - np.eye(values.shape[1])[truth]) ** 2, axis=1)))


def nll(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Negative log-likelihood: mean over utterances of -log p_truth, in nats; p below `FLOOR` counts as that.

    Args:
        truth: index of the true emotion, shape (n,).
        probabilities: shape (n, k).

    >>> round(nll([0, 1], [[0.9, 0.1], [0.8, 0.2]]), 4)
    0.8574
    """
    truth, values = _checked(truth, probabilities)
    return float(-np.mean(np.log(np.maximum(values[np.arange(len(truth)), truth], FLOOR))))


def fit_temperature(truth: ArrayLike, scores: ArrayLike) -> float:
    """The temperature of the lowest negative log-likelihood on validation utterances, within `TEMPERATURES`.

    Source: Guo et al. 2017, section 4.2. The likelihood has one optimum, since its logarithm is concave in 1 / temperature.

    Args:
        truth: index of the true emotion, shape (n,).
        scores: of a model, shape (n, k).
    """
    from scipy.optimize import minimize_scalar

    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log: nll(truth, probabilities(scores, np.exp(log))), bounds=(low, high), method="bounded"
    )
    return float(np.exp(found.x))


def truth_and_scores(predictions: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray]:
    """Index of the true emotion, (n,), and scores, (n, k), of a table of predictions."""
    from sertf.evaluation.scores import score_columns

    columns = score_columns(predictions)
    index = {emotion: place for place, emotion in enumerate(columns)}
    return predictions["truth"].map(index).to_numpy(dtype=int), predictions[columns].to_numpy(dtype=float)


def calibration_of(predictions: "pd.DataFrame", temperature: float = 1.0) -> dict[str, float]:
    """The errors of calibration, by the keys of `ERRORS`, of the rows of a table of predictions."""
    truth, scores = truth_and_scores(predictions)
    values = probabilities(scores, temperature)
    return {"ece": ece(truth, values), "brier": brier(truth, values), "nll": nll(truth, values)}


def calibration(predictions: "pd.DataFrame") -> dict[str, Any]:
    """Calibration of all repeats, as a report holds it.

    Returns:
        dict of `values`, the errors by the keys of `ERRORS`, one a repeat; and of `bins`, one list each of count, mean
        confidence and accuracy (None for an empty bin), all repeats pooled.
    """
    parts = [calibration_of(part) for _, part in predictions.groupby("repeat", sort=True)]
    truth, scores = truth_and_scores(predictions)
    found = reliability(truth, probabilities(scores))
    bins = [[int(count), *(float(v) if count else None for v in means)] for count, *means in zip(*found)]
    return {"values": {key: [part[key] for part in parts] for key in ERRORS}, "bins": bins}


def _ece(found: Reliability) -> float:
    gaps = np.abs(found.accuracy - found.confidence)
    return float(np.nansum(found.counts / found.counts.sum() * gaps))


def _checked(truth, values):
    truth, values = np.asarray(truth), np.asarray(values, dtype=float)
    if values.ndim != 2 or truth.shape != values.shape[:1] or values.size == 0:
        raise SertfError(
            f"truth must have shape (utterances,) and probabilities (utterances, emotions), neither empty, got "
            f"{truth.shape} and {values.shape}."
        )
    return truth, values
