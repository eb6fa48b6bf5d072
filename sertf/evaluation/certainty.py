"""Certain answers: the confidence from which on a stated share of a model's answers is right."""

import numpy as np
from numpy.typing import ArrayLike

from sertf.errors import SertfError

FEWEST = 10
"""A share of fewer certain answers says nothing."""


def certainty_threshold(truth: ArrayLike, probabilities: ArrayLike, precision: float) -> float | None:
    """The lowest confidence from which on at least `precision` of the answers are right.

    Of all thresholds that reach the precision it keeps the most answers, as selective classification does (El-Yaniv and
    Wiener 2010, "On the Foundations of Noise-free Selective Classification").

    Args:
        truth: index of the true emotion, shape (n,).
        probabilities: shape (n, k); the confidence is the largest of a row.
        precision: wanted share of right answers, above 0 and at most 1.

    Returns:
        The threshold; 0 if all answers together reach the precision. None if no `FEWEST` answers or more do.

    Raises:
        SertfError: a precision out of range.

    >>> certainty_threshold([0] * 20, [[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 10, precision=1.0)
    0.75
    """
    check_precision(precision)
    values = np.asarray(probabilities, dtype=float)
    confidence = values.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    confidence = confidence[order]
    right = (values.argmax(axis=1) == np.asarray(truth))[order]
    kept = np.arange(1, len(right) + 1)
    # A threshold lies between two confidences that differ.
    apart = np.append(confidence[:-1] > confidence[1:], True)
    reached = apart & (kept >= FEWEST) & (np.cumsum(right) >= precision * kept)
    if not reached.any():
        return None
    last = int(np.flatnonzero(reached)[-1])
    return 0.0 if last == len(right) - 1 else float((confidence[last] + confidence[last + 1]) / 2)


def certain_part(truth: ArrayLike, probabilities: ArrayLike, threshold: float) -> tuple[float, float | None]:
    """Share of answers with a confidence of the threshold or more, and share of these that are right; None without any.

    Args:
        truth, probabilities: as of `certainty_threshold`.
        threshold: confidence.

    >>> certain_part([0, 1], [[0.9, 0.1], [0.6, 0.4]], 0.7)
    (0.5, 1.0)
    """
    values = np.asarray(probabilities, dtype=float)
    certain = values.max(axis=1) >= threshold
    right = values.argmax(axis=1) == np.asarray(truth)
    return float(certain.mean()), float(right[certain].mean()) if certain.any() else None


def check_precision(precision: float) -> None:
    """Raise SertfError unless a share of right answers can be asked for."""
    if not 0 < precision <= 1:
        raise SertfError(f"The precision of certain answers must lie above 0 and at most at 1, got {precision!r}.")
