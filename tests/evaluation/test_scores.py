"""Scores against scikit-learn, literal loops over the formulas, and examples worked by hand."""

import doctest

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from sertf.errors import SertfError
from sertf.evaluation import scores
from tests.tables import table

EMOTIONS = ["neutral", "happiness", "sadness", "anger"]


def random_labels(seed, count=97):
    rng = np.random.default_rng(seed)
    truth = rng.choice(EMOTIONS, count, p=[0.1, 0.2, 0.3, 0.4])
    predicted = np.where(rng.random(count) < 0.5, truth, rng.choice(EMOTIONS, count))
    return truth, predicted


def test_doctests():
    result = doctest.testmod(scores)
    assert result.attempted > 5 and result.failed == 0


@pytest.mark.parametrize("seed", range(5))
def test_against_scikit_learn(seed):
    truth, predicted = random_labels(seed)
    matrix = scores.confusion_matrix(truth, predicted, EMOTIONS)
    np.testing.assert_array_equal(matrix, sklearn.metrics.confusion_matrix(truth, predicted, labels=EMOTIONS))
    assert scores.uar(truth, predicted) == pytest.approx(sklearn.metrics.balanced_accuracy_score(truth, predicted))
    assert scores.wa(truth, predicted) == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
    for ours, average in ((scores.macro_f1, "macro"), (scores.weighted_f1, "weighted")):
        expected = sklearn.metrics.f1_score(truth, predicted, average=average)
        assert ours(truth, predicted) == pytest.approx(expected)
        assert ours(truth, predicted, EMOTIONS) == pytest.approx(expected)
    expected = sklearn.metrics.precision_score(truth, predicted, average="macro", zero_division=0)
    assert scores.macro_precision(truth, predicted) == pytest.approx(expected)
    recalls = sklearn.metrics.recall_score(truth, predicted, labels=EMOTIONS, average=None)
    assert scores.recall_per_class(truth, predicted, EMOTIONS) == pytest.approx(dict(zip(EMOTIONS, recalls)))
    precisions, _, f1, _ = sklearn.metrics.precision_recall_fscore_support(truth, predicted, labels=EMOTIONS)
    assert scores.precision_per_class(truth, predicted, EMOTIONS) == pytest.approx(dict(zip(EMOTIONS, precisions)))
    assert scores.f1_per_class(truth, predicted, EMOTIONS) == pytest.approx(dict(zip(EMOTIONS, f1)))


def test_a_label_without_utterances():
    truth, predicted = ["anger", "anger", "sadness"], ["anger", "neutral", "sadness"]
    assert scores.uar(truth, predicted, EMOTIONS) == 0.75
    assert scores.recall_per_class(truth, predicted, EMOTIONS) == {"sadness": 1.0, "anger": 0.5}
    assert scores.precision_per_class(truth, predicted, EMOTIONS) == {"sadness": 1.0, "anger": 1.0}
    assert scores.f1_per_class(truth, predicted, EMOTIONS) == pytest.approx({"sadness": 1.0, "anger": 2 / 3})
    never = scores.precision_per_class(["anger", "sadness"], ["sadness", "sadness"], EMOTIONS)
    assert never == {"sadness": 0.5, "anger": 0.0}
    # neutral was predicted, so its F1 of 0 counts as in scikit-learn; happiness never occurs and does not.
    assert scores.macro_f1(truth, predicted, EMOTIONS) == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_integer_labels():
    assert scores.recall_per_class([0, 0, 1], [0, 1, 1]) == {0: 0.5, 1: 1.0}


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_thresholded_precision_recall_by_a_literal_loop(threshold):
    rng = np.random.default_rng(3)
    values = rng.dirichlet([0.5] * 4, 60)
    truth = rng.integers(0, 4, 60)
    true_positives = false_positives = false_negatives = 0
    for i in range(60):
        for j in range(4):
            decided, is_label = values[i, j] > threshold, truth[i] == j
            true_positives += decided and is_label
            false_positives += decided and not is_label
            false_negatives += is_label and not decided
    precision, recall = scores.thresholded_precision_recall(truth, values, threshold)
    assert precision == pytest.approx(true_positives / (true_positives + false_positives))
    assert recall == pytest.approx(true_positives / (true_positives + false_negatives))


def test_thresholded_precision_where_nothing_is_decided():
    assert scores.thresholded_precision_recall([0, 1], [[0.5, 0.5], [0.5, 0.5]]) == (0.0, 0.0)


def test_predicted_takes_the_first_of_equal_scores():
    assert scores.predicted(table([0.9, 0.2, 0.5], truth="anger")).tolist() == ["anger", "sadness", "sadness"]


def test_scores_of():
    result = scores.scores_of(table([0.9, 0.2, 0.4, 0.1], truth=["anger", "anger", "sadness", "sadness"]))
    assert result.pop("recall") == {"sadness": 1.0, "anger": 0.5}
    assert result.pop("precision") == pytest.approx({"sadness": 2 / 3, "anger": 1.0})
    assert result.pop("f1") == pytest.approx({"sadness": 4 / 5, "anger": 2 / 3})
    assert result == pytest.approx(
        {
            "uar": 0.75,
            "wa": 0.75,
            "macro_f1": (2 / 3 + 4 / 5) / 2,
            "macro_precision": (1 + 2 / 3) / 2,
            "weighted_f1": (2 / 3 + 4 / 5) / 2,
            "thresholded_precision": 0.75,
            "thresholded_recall": 0.75,
            "thresholded_f1": 0.75,
        }
    )


def test_scores_of_refuses_several_repeats():
    both = pd.concat([table([0.9], truth="anger"), table([0.9], truth="anger", repeat=1)])
    with pytest.raises(SertfError, match=r"one repeat, got those of \[0, 1\]"):
        scores.scores_of(both)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="truth"), r"lacks the columns \['truth'\]"),
        (lambda t: t.drop(columns=["anger", "sadness"]), "one score column an emotion"),
        (lambda t: t.iloc[:0], "is empty"),
        (lambda t: t.assign(truth=["joy", None]), r"missing values in the columns \['truth'\]"),
        (lambda t: t.assign(repeat=[0, float("nan")]), r"missing values in the columns \['repeat'\]"),
        (lambda t: pd.concat([t, t[["anger"]]], axis=1), r"several columns of the names \['anger'\]; keep one"),
        (lambda t: t.assign(truth=["joy", 3]), r"the emotions \[3, 'joy'\] of the truth have no score column"),
        (lambda t: t.assign(truth="joy"), r"\['joy'\] of the truth have no score column"),
        (lambda t: t.assign(anger="high"), "'anger' must hold numbers"),
        (lambda t: t.assign(anger=[0.5, float("nan")]), "NaN or infinite for 1 of 2 predictions.*'u1'"),
        (lambda t: t.assign(anger=[float("inf"), 0.5]), "NaN or infinite for 1 of 2 predictions.*'u0'"),
    ],
)
def test_bad_tables(change, message):
    with pytest.raises(SertfError, match=message):
        scores.scores_of(change(table([0.9, 0.2], truth=["anger", "sadness"])))


@pytest.mark.parametrize("function", [scores.uar, scores.wa, scores.macro_f1, scores.weighted_f1])
def test_bad_labels(function):
    with pytest.raises(SertfError, match=r"truth holds the labels \['joy'\]"):
        function(["joy"], ["anger"], EMOTIONS)
    with pytest.raises(SertfError, match=r"predicted holds the labels \['joy'\]"):
        function(["anger"], ["joy"], EMOTIONS)
    with pytest.raises(SertfError, match="one length"):
        function(["anger"], ["anger", "anger"])
    for pair in (([], []), ([["anger"]], ["anger"]), ("anger", "anger")):
        with pytest.raises(SertfError, match="not empty"):
            function(*pair)
    with pytest.raises(SertfError, match=r"predicted must hold a label .* 1 of 2 are missing .* at index 1"):
        function(["anger", "joy"], ["anger", None])
    with pytest.raises(SertfError, match=r"truth must hold a label .* 1 of 2 are missing .* at index 0"):
        function([float("nan"), 1.0], [0.0, 1.0])


def test_bad_scores_for_the_thresholded_pair():
    with pytest.raises(SertfError, match="finite"):
        scores.thresholded_precision_recall([0], [[np.nan, 1.0]])
    with pytest.raises(SertfError, match="from 0 to 1"):
        scores.thresholded_precision_recall([2], [[0.5, 0.5]])
    with pytest.raises(SertfError, match="shape"):
        scores.thresholded_precision_recall([0, 1], [[0.5, 0.5]])


def test_repeated_labels_are_refused():
    with pytest.raises(SertfError, match="each label once"):
        scores.confusion_matrix(["a"], ["a"], ["a", "a"])
