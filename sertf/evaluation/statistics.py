"""Intervals and tests over repeats and speakers.

Two sources of chance are kept apart. Repeats differ by seed: `mean_std`, `paired_test` and, where two systems have
unequal numbers of them, `unpaired_test` speak about them, on one fixed set of speakers. Other speakers would give other
scores: `clustered_bootstrap` and `clustered_difference` draw the speakers anew, whole speakers at a time, because
utterances of one speaker are not independent.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from numpy.typing import ArrayLike

from sertf.errors import SertfError, check_whole, is_number

_CHUNK = 256  # draws held in memory at a time: with 10 repeats of 11 emotions some 2.5 MB


@dataclass(frozen=True)
class PairedTest:
    """Two systems compared over n repeats; the difference is a minus b, p-values are two-sided."""

    n: int
    difference: float
    low: float
    high: float
    t_p: float
    wilcoxon_p: float


@dataclass(frozen=True)
class UnpairedTest:
    """Two systems compared over n[0] and n[1] repeats; the difference is a minus b, the p-value is two-sided."""

    n: tuple[int, int]
    difference: float
    low: float
    high: float
    t_p: float


@dataclass(frozen=True)
class Difference:
    """The difference of two mean scores, a minus b, with its interval over speakers."""

    difference: float
    low: float
    high: float


def mean_std(values: ArrayLike) -> tuple[float, float]:
    """Mean and sample standard deviation (divisor n - 1) of the scores of n repeats.

    Raises:
        SertfError: for fewer than two values, whose spread is unknown, and for values that are not finite.

    >>> mean_std([1, 2, 3])
    (2.0, 1.0)
    """
    values = _finite("values", values)
    if len(values) < 2:
        raise SertfError(f"a standard deviation needs the scores of 2 repeats or more, got {len(values)}.")
    return float(values.mean()), float(values.std(ddof=1))


def paired_test(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> PairedTest:
    """Compare two systems by their scores in the same repeats: paired t-test and Wilcoxon's signed-rank test.

    The interval is the t-test's, for the mean of a - b over repeats. Both tests take the repeats as independent draws
    of the seed; they say nothing about other speakers. Where every difference is the same, the spread is 0: p is then
    1 for a difference of 0 and 0 for any other in the t-test.

    Args:
        a, b: scores by repeat, the same repeats in the same order, shape (n,), n of 2 or more.
        level: the interval's coverage.

    Raises:
        SertfError: if the lengths differ, if n < 2 or if a score is not finite.
    """
    _check_level(level)
    a, b = _finite("a", a), _finite("b", b)
    if len(a) != len(b) or len(a) < 2:
        raise SertfError(
            f"a paired test needs the scores of the same 2 or more repeats, got {len(a)} and {len(b)}; run both with as "
            "many --repeats, 2 or more."
        )
    difference = a - b
    n, mean, spread = len(a), float(difference.mean()), float(difference.std(ddof=1))
    if spread <= 1e-12:  # equal but for rounding: scipy would divide by 0
        t_p, margin = float(abs(mean) <= 1e-12), 0.0
    else:
        t_p = float(scipy.stats.ttest_rel(a, b).pvalue)
        margin = float(scipy.stats.t.ppf((1 + level) / 2, n - 1) * spread / np.sqrt(n))
    wilcoxon_p = float(scipy.stats.wilcoxon(difference).pvalue) if np.abs(difference).max() > 1e-12 else 1.0
    return PairedTest(n=n, difference=mean, low=mean - margin, high=mean + margin, t_p=t_p, wilcoxon_p=wilcoxon_p)


def unpaired_test(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> UnpairedTest:
    """Compare two systems by their scores in unequal numbers of repeats: Welch's t-test (1947), of unequal variances.

    The interval is the test's, for the difference of the two means over repeats. As `paired_test`, it says nothing about
    other speakers, and where neither system's scores differ, p is 1 for a difference of 0 and 0 for any other.

    Args:
        a, b: scores by repeat, shapes (n,) and (m,), each of 2 or more.
        level: the interval's coverage.

    Raises:
        SertfError: if n or m < 2 or if a score is not finite.
    """
    _check_level(level)
    a, b = _finite("a", a), _finite("b", b)
    n = len(a), len(b)
    if min(n) < 2:
        raise SertfError(
            f"a test over repeats needs the scores of 2 or more of each system, got {n[0]} and {n[1]}; run both with 2 "
            "--repeats or more."
        )
    difference = float(a.mean() - b.mean())
    if max(a.std(), b.std()) <= 1e-12:  # equal but for rounding: scipy would divide by 0
        return UnpairedTest(n, difference, difference, difference, float(abs(difference) <= 1e-12))
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # a deterministic system's spread is 0
        test = scipy.stats.ttest_ind(a, b, equal_var=False)
    low, high = test.confidence_interval(level)
    return UnpairedTest(n, difference, float(low), float(high), float(test.pvalue))


def compared_over_repeats(a: Sequence[float], b: Sequence[float]) -> PairedTest | UnpairedTest:
    """`paired_test` of as many scores, `unpaired_test` of unequal numbers."""
    return paired_test(a, b) if len(a) == len(b) else unpaired_test(a, b)


def clustered_bootstrap(
    predictions: pd.DataFrame,
    *,
    score: str = "uar",
    cluster: str = "speaker",
    samples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of the score's mean over repeats, by a bootstrap that draws whole clusters with replacement.

    Each draw takes as many speakers as there are, the same ones for every repeat, pools their utterances, scores each
    repeat and averages. The interval holds the middle `level` of the draws (percentile bootstrap; Field and Welsh
    2007, "Bootstrapping clustered data"). Confusion matrices are counted once per speaker and repeat, so a draw is a
    weighted sum of them. An emotion that no drawn speaker has is left out of that draw's UAR.

    Args:
        predictions: table with the columns repeat, truth, the cluster's and one score column an emotion.
        score: "uar", "wa", "macro_f1" or "weighted_f1".
        cluster: the column whose values are drawn.
        samples: number of draws.
        seed: of the draws.
        level: the interval's coverage.

    Returns:
        (low, high).

    Raises:
        SertfError: on an unknown score, a missing column, scores that are not finite, or fewer than two clusters.
    """
    counts, _ = _counts(predictions, cluster)  # (clusters, repeats, k, k)
    draws = _draws([counts], _function(score), samples, seed)[0]
    return _interval(draws, level)


def clustered_difference(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    score: str = "uar",
    cluster: str = "speaker",
    samples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference:
    """Difference of two systems' mean scores, a minus b, and its interval when whole speakers are drawn.

    Both systems are scored on the same drawn speakers, so what makes a speaker hard for both cancels out. The systems
    may have different numbers of repeats. An interval without 0 speaks for a difference on other speakers too.

    Args:
        a, b: tables of predictions as for `clustered_bootstrap`, with the column utterance, of the same utterances.
        score, cluster, samples, seed, level: as for `clustered_bootstrap`.

    Returns:
        A `Difference`.

    Raises:
        SertfError: as `clustered_bootstrap`, and if the tables differ in utterances, their speakers or emotions.
    """
    function = _function(score)
    (counts_a, names_a), (counts_b, names_b) = _counts(a, cluster), _counts(b, cluster)
    facts_a, facts_b = _facts(a, cluster), _facts(b, cluster)
    if names_a != names_b or not facts_a.equals(facts_b):
        raise SertfError(
            f"two systems can be paired only on the same utterances with the same {cluster} and emotion; these were "
            f"tested on {len(facts_a)} and {len(facts_b)}, {len(facts_a.merge(facts_b))} of them shared."
        )
    point = float(function(counts_a.sum(axis=0)).mean() - function(counts_b.sum(axis=0)).mean())
    draws_a, draws_b = _draws([counts_a, counts_b], function, samples, seed)
    return Difference(point, *_interval(draws_a - draws_b, level))


def _uar(matrices):
    totals = matrices.sum(axis=-1)
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    return (hits / np.maximum(totals, 1)).sum(axis=-1) / (totals > 0).sum(axis=-1)


def _wa(matrices):
    return np.trace(matrices, axis1=-2, axis2=-1) / matrices.sum(axis=(-2, -1))


def _f1(matrices):
    both = matrices.sum(axis=-1) + matrices.sum(axis=-2)
    return 2 * np.diagonal(matrices, axis1=-2, axis2=-1) / np.maximum(both, 1), both > 0


def _macro_f1(matrices):
    f1, occurs = _f1(matrices)
    return f1.sum(axis=-1) / occurs.sum(axis=-1)


def _weighted_f1(matrices):
    return (_f1(matrices)[0] * matrices.sum(axis=-1)).sum(axis=-1) / matrices.sum(axis=(-2, -1))


# The formulas of sertf/scores.py, over any number of confusion matrices at a time: (..., k, k) to (...).
_SCORES = {"uar": _uar, "wa": _wa, "macro_f1": _macro_f1, "weighted_f1": _weighted_f1}


def _function(score):
    if score not in _SCORES:
        raise SertfError(f"score must be one of {sorted(_SCORES)}, got {score!r}.")
    return _SCORES[score]


def _finite(name, values):
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        found = np.array(np.nan)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise SertfError(f"{name} must be a list of finite scores, one a repeat, got {values!r}.")
    return found


def _counts(predictions, cluster):
    """Confusion matrices of shape (clusters, repeats, k, k), and the clusters' names, sorted."""
    missing = [column for column in ("utterance", "repeat", "truth", cluster) if column not in predictions.columns]
    if missing:
        raise SertfError(f"the table of predictions lacks the columns {missing}.")
    emotions = [c for c in predictions.columns if c not in ("utterance", "speaker", "repeat", "fold", "truth", cluster)]
    try:
        scores = predictions[emotions].to_numpy(dtype=float)
    except (TypeError, ValueError):
        scores = np.empty((len(predictions), 0))
    if scores.size == 0 or not np.isfinite(scores).all():
        raise SertfError(
            f"the score columns {emotions} must hold finite numbers, one column an emotion and one row or more."
        )
    truth = pd.Index(emotions).get_indexer(predictions["truth"])
    if (truth < 0).any():
        raise SertfError(f"the true emotions {sorted(set(predictions['truth']) - set(emotions))} have no score column.")
    clusters, names = pd.factorize(predictions[cluster], sort=True)
    repeats, repeat_names = pd.factorize(predictions["repeat"], sort=True)
    if len(names) < 2:
        raise SertfError(
            f"an interval over the column {cluster!r} needs two or more of its values, got {names.tolist()}."
        )
    shape = (len(names), len(repeat_names), len(emotions), len(emotions))
    flat = np.ravel_multi_index((clusters, repeats, truth, scores.argmax(axis=1)), shape)
    counts = np.bincount(flat, minlength=np.prod(shape)).reshape(shape)
    sizes = counts.sum(axis=(2, 3))  # (clusters, repeats)
    if (sizes != sizes[:, :1]).any():
        raise SertfError(
            f"the repeats must be tested on the same utterances; the number of utterances of {cluster} "
            f"{names[int(np.argmax((sizes != sizes[:, :1]).any(axis=1)))]!r} differs between them."
        )
    return counts, names.tolist()


def _facts(predictions, cluster):
    columns = ["utterance", cluster, "truth"]
    return predictions[columns].drop_duplicates().sort_values(columns, ignore_index=True).astype(object)


def _draws(systems, function, samples, seed):
    """The score's mean over repeats in each draw, one array of shape (samples,) for each system's counts."""
    check_whole("a bootstrap", samples=samples)
    rng = np.random.default_rng(seed)
    clusters = len(systems[0])
    weights = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=samples)  # (samples, clusters)
    results = []
    for counts in systems:
        flat = counts.reshape(clusters, -1).astype(float)
        parts = [
            function((weights[start : start + _CHUNK] @ flat).reshape(-1, *counts.shape[1:])).mean(axis=-1)
            for start in range(0, samples, _CHUNK)
        ]
        results.append(np.concatenate(parts))
    return results


def _check_level(level):
    if not is_number(level) or not 0 < level < 1:
        raise SertfError(f"level must lie between 0 and 1, such as 0.95, got {level!r}.")


def _interval(draws, level):
    _check_level(level)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
