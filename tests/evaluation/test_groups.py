"""Accuracy by group against hand-worked values; the file that the runner writes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.evaluation.groups import Group, GroupTest, compare, groups_of
from sertf.evaluation.statistics import clustered_bootstrap
from sertf.experiment.runner import run
from sertf.parallel import processes
from tests.toy import EXPERIMENT

FACTS = ["utterance", "speaker", "repeat", "fold", "truth"]


def predictions(rights):
    """Of anger; `rights` is a dict of (speaker, repeat) to one digit an utterance, 1 where it is recognised."""
    rows = [
        [f"{speaker}-{i}", speaker, repeat, "1", "anger", float(digit), 1 - float(digit)]
        for (speaker, repeat), digits in rights.items()
        for i, digit in enumerate(digits)
    ]
    return pd.DataFrame(rows, columns=[*FACTS, "anger", "fear"])


def by_speaker(table, **of):
    return {utterance: of[utterance.split("-")[0]] for utterance in table["utterance"]}


def by_place(table, *names):
    return {utterance: names[int(utterance.split("-")[1])] for utterance in table["utterance"]}


TWO_REPEATS = predictions(
    {
        ("a", 0): "1111",
        ("b", 0): "1101",
        ("c", 0): "0100",
        ("d", 0): "0100",
        ("a", 1): "1111",
        ("b", 1): "1011",
        ("c", 1): "1000",
        ("d", 1): "1011",
    }
)
GENDERS = {"a": "female", "b": "female", "c": "male", "d": "male"}


def test_whole_speakers_by_hand():
    """Accuracies by speaker: 1 and 3/4 of women, 1/4 and (1/4 + 3/4) / 2 of men.

    Two equal speakers are drawn both, or one twice, in a quarter of the draws each: the ends of the interval. Of the 6
    ways to deal four speakers out to two groups, this one has the largest difference, so p is 2 / 6.
    """
    found = compare(TWO_REPEATS, by_speaker(TWO_REPEATS, **GENDERS))
    assert found.groups == {
        "female": Group(8, 2, right=7.0, wrong=1.0, accuracy=0.875, low=0.75, high=1.0),
        "male": Group(8, 2, right=3.0, wrong=5.0, accuracy=0.375, low=0.25, high=0.5),
    }
    assert found.test == GroupTest("independent permutation test", 4, 0.5, pytest.approx(2 / 6))
    assert found.left_out == 0


def test_every_speaker_in_both_groups_by_hand():
    """Four differences of one sign: 2 of the 16 patterns of signs are as extreme. Paired, not 2 of 70 deals."""
    table = predictions({("a", 0): "0111", ("b", 0): "0011", ("c", 0): "1011", ("d", 0): "0111"})
    found = compare(table, by_place(table, "normal", "normal", "strong", "strong"))
    assert found.groups["normal"].accuracy == 3 / 8 and found.groups["strong"].accuracy == 1
    assert found.test == GroupTest("paired permutation test", 4, -0.625, pytest.approx(2 / 16))


def test_a_speaker_in_one_group_only_is_not_paired():
    table = predictions({("a", 0): "01", ("b", 0): "01", ("c", 0): "11", ("d", 0): "00"})
    mapping = by_place(table, "normal", "strong") | {"c-0": "strong", "d-0": ""}
    found = compare(table, mapping)
    assert (found.test.speakers, found.test.difference) == (2, -1.0)
    assert found.groups["strong"].utterances == 5 and found.groups["normal"].utterances == 2
    assert found.left_out == 1


def test_speakers_weigh_the_same_in_the_test_and_utterances_in_the_accuracy():
    table = predictions({("a", 0): "1111", ("b", 0): "00", ("c", 0): "1", ("d", 0): "1"})
    found = compare(table, by_speaker(table, **GENDERS))
    assert found.groups["female"].accuracy == pytest.approx(4 / 6)
    assert found.test.difference == pytest.approx(1 / 2 - 1)


def test_interval_is_that_of_statistics():
    rng = np.random.default_rng(0)
    table = predictions({(f"s{i}", r): rng.choice(["0", "1"], 6) for r in range(2) for i in range(7)})
    mapping = by_place(table, *["normal"] * 4, *["strong"] * 2)
    found = compare(table, mapping, samples=50, seed=3).groups["strong"]
    part = table[table["utterance"].map(mapping) == "strong"]
    assert (found.low, found.high) == clustered_bootstrap(part, score="wa", samples=50, seed=3)


def test_many_speakers_are_permuted_at_random_but_the_same_each_time():
    rng = np.random.default_rng(1)
    table = predictions({(f"s{i}", 0): rng.choice(["0", "1"], 6) for i in range(20)})
    mapping = by_place(table, *["normal", "strong"] * 3)
    first, second = (compare(table, mapping, seed=4).test for _ in range(2))
    assert first == second and 0 < first.p <= 1


@pytest.mark.parametrize(
    ("of", "tested"),
    [
        ({"a": "x", "b": "x", "c": "y", "d": "z"}, False),  # three groups
        ({"a": "x", "b": "x", "c": "x", "d": "y"}, False),  # one speaker in a group
        ({"a": "x", "b": "x", "c": "x", "d": ""}, False),  # one group
        ({"a": "x", "b": "x", "c": "y", "d": "y"}, True),
    ],
)
def test_what_cannot_be_had_is_none(of, tested):
    found = compare(TWO_REPEATS, by_speaker(TWO_REPEATS, **of))
    assert (found.test is not None) is tested
    for group in found.groups.values():
        assert (group.low is None) is (group.high is None) is (group.speakers == 1)


def test_no_difference_at_all_is_no_nan():
    table = predictions({(speaker, 0): "11" for speaker in "abcd"})
    assert compare(table, by_speaker(table, **GENDERS)).test.p == 1


def test_an_utterance_without_an_entry():
    mapping = by_speaker(TWO_REPEATS, **GENDERS)
    del mapping["b-2"]
    with pytest.raises(SertfError, match="1 utterances have no group, the first of them 'b-2'"):
        compare(TWO_REPEATS, mapping)


def test_groups_of_a_table():
    table = pd.DataFrame({"utterance": ["u", "v", "w"], "gender": ["female", "male", ""]})
    table["intensity"] = ["normal", float("nan"), " strong"]
    assert groups_of(table).to_dict("list") == {
        "utterance": ["u", "v", "w"],
        "gender": ["female", "male", ""],
        "intensity": ["normal", "", "strong"],
    }
    assert list(groups_of(table.assign(gender="female"))) == ["utterance", "intensity"]
    assert groups_of(table[["utterance"]].assign(gender=["male", "", ""])) is None


def test_the_runner_writes_groups_and_other_systems(corpus, cache, tmp_path, monkeypatch):
    """Neither decides a run: they may change between two calls for the same folder."""
    monkeypatch.setattr(processes, "run_all", lambda *_, **__: [])

    def prepared(table, experiment=EXPERIMENT):
        options = {"protocol_names": ["strict"], "repeats": 1, "workers": 1, "progress": False}
        folder = run(experiment, table, out=tmp_path, cache=cache, **options)["small", "strict"]
        return folder, json.loads((folder / "experiment.json").read_text())

    corpus = corpus.assign(gender="")  # gender balances the folds, so it stays as it is here
    loud = corpus.assign(intensity=["normal", "strong"] * (len(corpus) // 2))
    folder, facts = prepared(loud)
    assert facts["others"] is None
    written = pd.read_csv(folder / "groups.csv", dtype=str)
    assert written.equals(loud[["utterance", "intensity"]].astype(str))
    assert prepared(loud, replace(EXPERIMENT, others={"SVM": 0.5}))[1] == {**facts, "others": {"SVM": 0.5}}
    assert prepared(corpus)[1] == facts
    assert sorted(path.name for path in folder.iterdir()) == ["clips.csv", "experiment.json"]
