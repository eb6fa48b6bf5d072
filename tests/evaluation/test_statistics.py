"""Intervals and tests against literal second implementations and hand-worked values."""

import doctest
import time

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics

from sertf.errors import SertfError
from sertf.evaluation import statistics

EMOTIONS = ["neutral", "sadness", "anger"]


def predictions(*, speakers=6, utterances=12, repeats=3, skill=0.5, seed=0):
    """Random predictions; a speaker's difficulty is shared by the repeats."""
    rng = np.random.default_rng(seed)
    truth_rng = np.random.default_rng(99)
    rows = []
    truth = truth_rng.choice(EMOTIONS, (speakers, utterances), p=[0.2, 0.3, 0.5])
    ease = rng.uniform(0, skill * 2, speakers)
    for repeat in range(repeats):
        for speaker in range(speakers):
            for utterance in range(utterances):
                true = truth[speaker, utterance]
                scores = rng.dirichlet([1, 1, 1])
                scores[EMOTIONS.index(true)] += ease[speaker]
                rows.append([f"u{speaker}-{utterance}", f"s{speaker}", repeat, "1", true, *scores / scores.sum()])
    return pd.DataFrame(rows, columns=["utterance", "speaker", "repeat", "fold", "truth", *EMOTIONS])


def chosen(table):
    return table[EMOTIONS].idxmax(axis=1)


def scored(table, score):
    truth, predicted = table["truth"], chosen(table)
    if score == "uar":
        return sklearn.metrics.balanced_accuracy_score(truth, predicted)
    if score == "wa":
        return sklearn.metrics.accuracy_score(truth, predicted)
    return sklearn.metrics.f1_score(truth, predicted, average=score.removesuffix("_f1"))


def literal_draws(table, score, samples, seed):
    """Draw rows, not counts: the same speakers, pooled, scored by scikit-learn."""
    names = sorted(table["speaker"].unique())
    weights = np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=samples)
    means = []
    for draw in weights:
        picked = [name for name, weight in zip(names, draw) for _ in range(weight)]
        means.append(
            np.mean(
                [
                    scored(pd.concat([part[part["speaker"] == name] for name in picked]), score)
                    for _, part in table.groupby("repeat")
                ]
            )
        )
    return np.array(means)


def test_doctests():
    result = doctest.testmod(statistics)
    assert result.attempted and result.failed == 0


def test_mean_std_divides_by_n_minus_1():
    assert statistics.mean_std([1, 2, 4]) == pytest.approx((7 / 3, 1.5275252316519465))


@pytest.mark.parametrize("values", [[], [0.5], [0.5, float("nan")], [[0.5, 0.6]]])
def test_mean_std_refuses(values):
    with pytest.raises(SertfError):
        statistics.mean_std(values)


@pytest.mark.parametrize("score", ["uar", "wa", "macro_f1", "weighted_f1"])
def test_bootstrap_equals_drawing_rows(score):
    table = predictions()
    expected = np.quantile(literal_draws(table, score, 30, 7), [0.025, 0.975])
    assert statistics.clustered_bootstrap(table, score=score, samples=30, seed=7) == pytest.approx(tuple(expected))


def test_bootstrap_does_not_depend_on_row_order_and_repeats_itself():
    table = predictions()
    first = statistics.clustered_bootstrap(table, samples=300)
    assert first == statistics.clustered_bootstrap(table.sample(frac=1, random_state=3), samples=300)
    assert first != statistics.clustered_bootstrap(table, samples=300, seed=1)
    mean = np.mean([scored(part, "uar") for _, part in table.groupby("repeat")])
    assert first[0] < mean < first[1]


def test_bootstrap_chunks_equal_one_piece(monkeypatch):
    table = predictions()
    whole = statistics.clustered_bootstrap(table, samples=500)
    monkeypatch.setattr(statistics, "_CHUNK", 7)
    assert statistics.clustered_bootstrap(table, samples=500) == pytest.approx(whole)


def test_bootstrap_is_wider_than_over_single_utterances():
    table = predictions(speakers=6, utterances=40, repeats=2, skill=1.0)
    low, high = statistics.clustered_bootstrap(table)
    naive_low, naive_high = statistics.clustered_bootstrap(table, cluster="utterance")
    assert high - low > naive_high - naive_low


def test_bootstrap_of_the_size_of_ravdess_is_fast():
    table = predictions(speakers=24, utterances=60, repeats=10)
    start = time.perf_counter()
    statistics.clustered_bootstrap(table)
    assert time.perf_counter() - start < 5  # some 0.05 s; rows drawn one by one take minutes


def test_an_emotion_of_one_speaker_only():
    table = predictions(speakers=3, utterances=4)
    table.loc[(table["truth"] == "neutral") & (table["speaker"] != "s0"), "truth"] = "anger"
    low, high = statistics.clustered_bootstrap(table, samples=200)
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t, {"score": "accuracy"}, "score must be one of .*'uar'"),
        (lambda t: t, {"cluster": "sentence"}, r"lacks the columns \['sentence'\]"),
        (lambda t: t, {"samples": 0}, "samples must be a whole number above 0, got 0"),
        (lambda t: t, {"samples": 2.5}, "samples must be a whole number above 0, got 2.5"),
        (lambda t: t, {"level": 95}, "level must lie between 0 and 1, such as 0.95, got 95"),
        (lambda t: t[t["speaker"] == "s0"], {}, "two or more of its values"),
        (lambda t: t.assign(anger=np.nan), {}, "finite numbers"),
        (lambda t: t.assign(anger="x"), {}, "finite numbers"),
        (lambda t: t.iloc[:0], {}, "finite numbers"),
        (lambda t: t.assign(truth="joy"), {}, r"\['joy'\] have no score column"),
        (lambda t: t.iloc[1:], {}, "'s0' differs"),
    ],
)
def test_bootstrap_refuses(change, options, message):
    with pytest.raises(SertfError, match=message):
        statistics.clustered_bootstrap(change(predictions()), **options)


def test_paired_test_against_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.6, 0.01, 10), rng.normal(0.58, 0.01, 10)
    result = statistics.paired_test(a, b)
    reference = scipy.stats.ttest_rel(a, b)
    interval = reference.confidence_interval(0.95)
    assert result.n == 10
    assert result.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.t_p == pytest.approx(reference.pvalue)
    assert result.wilcoxon_p == pytest.approx(scipy.stats.wilcoxon(a, b).pvalue)


def test_wilcoxon_by_hand():
    # Five differences of one sign: 2 of the 32 sign patterns are as extreme.
    result = statistics.paired_test([0.61, 0.63, 0.64, 0.66, 0.69], [0.6, 0.61, 0.61, 0.62, 0.64])
    assert result.wilcoxon_p == pytest.approx(2 / 32)


def test_paired_test_without_spread():
    same = statistics.paired_test([0.5, 0.6, 0.7], [0.5, 0.6, 0.7])
    assert (same.difference, same.low, same.high, same.t_p, same.wilcoxon_p) == (0, 0, 0, 1, 1)
    shifted = statistics.paired_test([0.5, 0.75, 1.0], [0.25, 0.5, 0.75])
    assert (shifted.difference, shifted.low, shifted.high, shifted.t_p) == (0.25, 0.25, 0.25, 0)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([0.5], [0.5], "got 1 and 1; run both with as many --repeats, 2 or more"),
        ([0.5, 0.6], [0.5], "got 2 and 1"),
        ([0.5, np.nan], [0.5, 0.6], "finite"),
        (["x", 0.5], [0.5, 0.6], "finite"),
    ],
)
def test_paired_test_refuses(a, b, message):
    with pytest.raises(SertfError, match=message):
        statistics.paired_test(a, b)


def test_unpaired_test_by_the_textbook():
    """Welch's interval of the scores written out: variances of their own, the degrees of freedom of Satterthwaite."""
    a, b = [0.61, 0.66, 0.64], [0.52, 0.58, 0.55, 0.49, 0.61]
    result = statistics.unpaired_test(a, b)
    parts = [np.var(values, ddof=1) / len(values) for values in (a, b)]
    degrees = sum(parts) ** 2 / sum(part**2 / (len(values) - 1) for part, values in zip(parts, (a, b)))
    margin = scipy.stats.t.ppf(0.975, degrees) * np.sqrt(sum(parts))
    assert result.n == (3, 5) and result.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert (result.low, result.high) == pytest.approx((result.difference - margin, result.difference + margin))
    assert result.t_p == pytest.approx(2 * scipy.stats.t.sf(result.difference / np.sqrt(sum(parts)), degrees))


def test_unpaired_test_without_spread():
    same = statistics.unpaired_test([0.5, 0.5], [0.5, 0.5, 0.5])
    assert (same.difference, same.low, same.high, same.t_p) == (0, 0, 0, 1)
    apart = statistics.unpaired_test([0.75, 0.75], [0.5, 0.5, 0.5])
    assert (apart.difference, apart.low, apart.high, apart.t_p) == (0.25, 0.25, 0.25, 0)
    one = statistics.unpaired_test([0.75, 0.75], [0.5, 0.6, 0.4])  # as a deterministic model against a trained one
    assert one.low < 0.25 < one.high and 0 < one.t_p < 0.05


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [([0.5], [0.5, 0.6], "got 1 and 2; run both with 2 --repeats or more"), ([0.5, np.inf], [0.5] * 3, "finite")],
)
def test_unpaired_test_refuses(a, b, message):
    with pytest.raises(SertfError, match=message):
        statistics.unpaired_test(a, b)


def test_clustered_difference_by_literal_draws():
    a, b = predictions(seed=1, skill=0.8), predictions(seed=2, skill=0.3, repeats=2)
    result = statistics.clustered_difference(a, b, samples=25, seed=5)
    draws = literal_draws(a, "uar", 25, 5) - literal_draws(b, "uar", 25, 5)
    means = [np.mean([scored(part, "uar") for _, part in table.groupby("repeat")]) for table in (a, b)]
    assert result.difference == pytest.approx(means[0] - means[1])
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


def test_a_system_does_not_differ_from_itself():
    table = predictions()
    assert statistics.clustered_difference(table, table) == statistics.Difference(0.0, 0.0, 0.0)


def test_clustered_difference_needs_the_same_utterances():
    table = predictions()
    other = table.assign(utterance=table["utterance"].replace({"u0-0": "u0-99"}))
    with pytest.raises(SertfError, match="tested on 72 and 72, 71 of them shared"):
        statistics.clustered_difference(table, other)
