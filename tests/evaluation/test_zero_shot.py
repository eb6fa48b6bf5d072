import doctest

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.metrics

from sertf.evaluation import zero_shot


def test_doctests():
    result = doctest.testmod(zero_shot)
    assert result.attempted and not result.failed


def predictions(truth, chosen, *, fold="small", repeat=0, speakers=4):
    names = ["anger", "fear", "neutral"]
    table = pd.DataFrame(
        {
            "utterance": [f"{fold}-{i}" for i in range(len(truth))],
            "speaker": [f"{fold}-s{i % speakers}" for i in range(len(truth))],
            "repeat": repeat,
            "fold": fold,
            "truth": truth,
        }
    )
    table[names] = np.eye(3)[[names.index(emotion) for emotion in chosen]]
    return table


@pytest.mark.parametrize("counts", [(6, 3, 3), (1, 9), (5, 5), (1, 1, 1, 20)])
def test_chance_of_the_weighted_f1_is_the_best_of_all_shares(counts):
    truth = np.repeat(np.arange(len(counts)), counts)
    p = np.array(counts) / sum(counts)
    q = np.random.default_rng(0).dirichlet(np.full(len(counts), 0.5), size=200_000)
    best = (2 * p**2 * q / (p + q)).sum(axis=1).max()
    level = zero_shot.chance(truth)["weighted_f1"]
    assert best <= level + 1e-9 and best == pytest.approx(level, abs=1e-3)


def test_answers_that_ignore_the_clip_score_no_more_than_chance():
    truth = np.repeat(["anger", "fear", "neutral"], (60, 30, 10))
    level, random = zero_shot.chance(truth)["weighted_f1"], np.random.default_rng(0)
    for shares in ((1, 0, 0), (0.6, 0.3, 0.1), (0.8, 0.2, 0)):
        answers = np.repeat(["anger", "fear", "neutral"], np.round(100 * np.array(shares)).astype(int))
        drawn = [sklearn.metrics.f1_score(truth, random.permutation(answers), average="weighted") for _ in range(300)]
        assert np.mean(drawn) < level + 0.005


def test_scores_of_each_tested_corpus_beside_chance():
    truth = ["anger"] * 6 + ["fear"] * 3 + ["neutral"] * 3
    right, same = truth, ["fear"] * 12
    table = pd.concat(
        [
            predictions(truth, right),
            predictions(truth, same, repeat=1),
            predictions(truth[:8], truth[:8], fold="third", speakers=1),
            predictions(truth[:8], truth[:8], fold="third", speakers=1, repeat=1),
        ]
    )
    found = zero_shot.by_corpus(table)
    small, third = found["small"], found["third"]
    assert (small["utterances"], small["speakers"], small["emotions"]) == (12, 4, 3)
    assert small["scores"]["uar"]["chance"] == pytest.approx(1 / 3)
    assert small["scores"]["wa"]["chance"] == 0.5
    f1 = [sklearn.metrics.f1_score(truth, chosen, average="weighted") for chosen in (right, same)]
    assert small["scores"]["weighted_f1"]["mean"] == pytest.approx(np.mean(f1))
    test = scipy.stats.ttest_1samp([1, 1 / 3], 0).confidence_interval()
    assert small["scores"]["uar"]["over_repeats"] == pytest.approx([test.low, test.high])
    assert small["scores"]["uar"]["mean"] == pytest.approx((1 + 1 / 3) / 2)
    assert small["scores"]["uar"]["std"] == pytest.approx(np.std([1, 1 / 3], ddof=1))
    assert small["scores"]["wa"]["low"] <= small["scores"]["wa"]["mean"] <= small["scores"]["wa"]["high"]
    assert third["emotions"] == 2 and third["scores"]["uar"]["chance"] == 0.5
    assert third["scores"]["uar"]["low"] is None  # one speaker
