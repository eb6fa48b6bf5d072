"""Reproducibility against a literal loop over the equations, and examples worked by hand."""

import doctest
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.evaluation import reproducibility
from tests.tables import table

EMOTIONS = ["neutral", "happiness", "sadness", "anger"]


def test_worked_by_hand_with_even_repeats():
    by_repeat = np.array(
        [  # utterances: perfect and right, perfect and wrong, 3 of 4, tie of 2 and 2, scattered 2-1-1, all different
            ["a", "b", "a", "a", "c", "a"],
            ["a", "b", "a", "a", "c", "b"],
            ["a", "b", "a", "b", "b", "c"],
            ["a", "b", "b", "b", "a", "d"],
        ]
    )
    truth = ["a", "a", "a", "b", "a", "a"]
    # C = 4 4 3 2 2 1, correct = 4 0 3 2 1 1, R/2 = 2
    assert reproducibility.rates(by_repeat, truth) == pytest.approx(
        {"GLR": 5 / 6, "FLR": 3 / 6, "PLR": 2 / 6, "CLR": 3 / 6, "FCLR": 2 / 6, "PCLR": 1 / 6}
    )


def test_worked_by_hand_with_odd_repeats():
    by_repeat = [  # R/2 = 1.5, so two of three agree "in half", one does not
        ["a", "a", "a", "b"],
        ["a", "a", "b", "b"],
        ["a", "b", "c", "c"],
    ]
    truth = ["a", "b", "a", "b"]
    # C = 3 2 1 2, correct = 3 1 1 2
    assert reproducibility.rates(by_repeat, truth) == {
        "GLR": 0.75,
        "FLR": 0.5,
        "PLR": 0.25,
        "CLR": 0.5,
        "FCLR": 0.25,
        "PCLR": 0.25,
    }


@pytest.mark.parametrize("repeats", [2, 3, 6, 7])
def test_by_a_literal_loop(repeats):
    rng = np.random.default_rng(repeats)
    truth = rng.choice(EMOTIONS, 40)
    by_repeat = np.where(rng.random((repeats, 40)) < 0.6, truth, rng.choice(EMOTIONS, (repeats, 40)))
    expected = Counter()
    for i in range(40):
        most = Counter(by_repeat[:, i].tolist()).most_common(1)[0][1]
        right = sum(1 for repeat in range(repeats) if by_repeat[repeat, i] == truth[i])
        expected["GLR"] += most >= repeats / 2
        expected["FLR"] += repeats / 2 <= most < repeats
        expected["PLR"] += most == repeats
        expected["CLR"] += right >= repeats / 2
        expected["FCLR"] += repeats / 2 <= right < repeats
        expected["PCLR"] += right == repeats
    result = reproducibility.rates(by_repeat, truth)
    assert result == pytest.approx({name: count / 40 for name, count in expected.items()})
    assert list(result) == ["GLR", "FLR", "PLR", "CLR", "FCLR", "PCLR"]


def test_refuses_one_repeat_and_other_test_sets():
    with pytest.raises(SertfError, match="2 repeats or more, got 1"):
        reproducibility.rates([["a"]], ["a"])
    with pytest.raises(SertfError, match="one test set"):
        reproducibility.rates([["a", "b"], ["a"]], ["a", "b"])
    with pytest.raises(SertfError, match="one test set"):
        reproducibility.rates([[], []], [])
    with pytest.raises(SertfError, match="list of the predictions of each repeat, got None"):
        reproducibility.rates(None, ["a"])


@pytest.mark.parametrize(
    ("by_repeat", "truth", "message"),
    [
        ([["a", None], ["a", "b"]], ["a", "b"], "labels of every utterance, but some are missing"),
        ([[0.0, np.nan], [0.0, 1.0]], [0.0, 1.0], "labels of every utterance, but some are missing"),
        ([["a", "b"], ["a", "b"]], ["a", None], "labels of every utterance, but some are missing"),
        ([[0, 1], [0, 1]], ["a", "b"], "some are numbers and others are names"),
        ([np.array([0, "b"], object)] * 2, np.array([0, "b"], object), "some are numbers and others are names"),
        ([[0, [1]], [0, 1]], [0, 1], "must be a plain row of labels, one an utterance"),
    ],
)
def test_labels_that_cannot_agree(by_repeat, truth, message):
    with pytest.raises(SertfError, match=message):
        reproducibility.rates(by_repeat, truth)


def test_numbers_of_whichever_type_agree():
    plain = np.array([0, 1, 2])
    assert reproducibility.rates([plain.astype(object), plain.astype(float)], plain)["PCLR"] == 1.0


def test_of_a_table_matches_by_utterance():
    first = table([0.9, 0.2, 0.8], truth=["anger", "anger", "sadness"])
    second = table([0.1, 0.2, 0.8], truth=["anger", "anger", "sadness"], repeat=1).iloc[::-1]
    result = reproducibility.rates_of(pd.concat([first, second]))
    assert result == pytest.approx({"GLR": 1, "FLR": 1 / 3, "PLR": 2 / 3, "CLR": 1 / 3, "FCLR": 1 / 3, "PCLR": 0})


def test_of_overlapping_folds():
    parts = [
        table([0.9], truth=["anger"], repeat=repeat, fold=fold, utterances=["u"])
        for repeat in (0, 1)
        for fold in ("1", "2")
    ]
    assert reproducibility.rates_of(pd.concat(parts))["PCLR"] == 1.0
    with pytest.raises(SertfError, match="twice in one fold"):
        reproducibility.rates_of(pd.concat([*parts, parts[0]]))


def test_of_different_test_sets():
    first = table([0.9, 0.2], truth=["anger", "anger"])
    other = table([0.9, 0.2], truth=["anger", "anger"], repeat=1, utterances=["u0", "u7"])
    with pytest.raises(SertfError, match="different utterances: 2 of 3 .* 'u1'"):
        reproducibility.rates_of(pd.concat([first, other]))
    with pytest.raises(SertfError, match="disagree about the true emotion"):
        reproducibility.rates_of(pd.concat([first, table([0.9, 0.2], truth=["anger", "sadness"], repeat=1)]))


def test_the_examples_in_docstrings():
    assert doctest.testmod(reproducibility).failed == 0
