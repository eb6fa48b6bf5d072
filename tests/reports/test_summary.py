"""What the summary of a folder of runs holds."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from sertf.errors import SertfError
from sertf.reports.summary import SCORES, summarise
from sertf.runs.collect import collect
from sertf.runs.stored import ResultsError
from tests.synthetic_runs import EMOTIONS, FOLDS, make_runs, seal_again


def test_summary_is_plain_json(runs):
    summary = summarise(collect(runs))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert list(summary["scores"]) == list(SCORES)
    assert summary["tested"] == {"utterances": 48, "speakers": 6}
    assert summary["wall_seconds"] == 15.0 and summary["parameters"] == 1234
    entry = summary["scores"]["uar"]
    assert entry["low"] <= entry["mean"] <= entry["high"] and entry["best"] == max(entry["values"])


def test_one_speaker_has_no_interval(runs):
    for path in runs.rglob("predictions.csv"):
        pd.read_csv(path).assign(speaker="s0").to_csv(path, index=False)
    seal_again(runs)
    assert summarise(collect(runs))["scores"]["uar"]["low"] is None


def test_other_test_sets_in_a_repeat(runs):
    folder = runs / "repeat-00" / "fold-1"
    table = pd.read_csv(folder / "predictions.csv").replace({"utterance": {"u0": "v0"}})
    table.to_csv(folder / "predictions.csv", index=False)
    seal_again(runs)
    with pytest.raises(SertfError, match="tested on different utterances: 2 of 49"):
        summarise(collect(runs))


def test_groups(tmp_path):
    """Right and wrong of each group, counted from the predictions one by one."""
    found = collect(make_runs(tmp_path, groups=True))
    summary = summarise(found)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert {name: list(entry["groups"]) for name, entry in summary["groups"].items()} == {
        "gender": ["female", "male"],
        "intensity": ["normal", "strong"],
    }
    right = {"female": 0, "male": 0, "normal": 0, "strong": 0}
    for _, row in found.predictions.iterrows():
        if max(EMOTIONS, key=lambda emotion: row[emotion]) == row["truth"]:
            number = int(row["utterance"].removeprefix("u"))
            right["male" if row["speaker"] in ("s1", "s3", "s5") else "female"] += 1
            right["strong" if number % 2 else "normal"] += 1
    for entry in summary["groups"].values():
        for name, group in entry["groups"].items():
            assert group["utterances"] == 24
            assert group["right"] == pytest.approx(right[name] / 3) and group["right"] + group["wrong"] == 24
            assert group["accuracy"] == pytest.approx(right[name] / 72)
            assert group["low"] <= group["accuracy"] <= group["high"]
    assert summary["groups"]["gender"]["test"]["name"] == "independent permutation test"
    assert summary["groups"]["intensity"]["test"]["name"] == "paired permutation test"


def test_no_groups(runs):
    assert summarise(collect(runs))["groups"] == {}
    table = pd.DataFrame(
        {"utterance": [*(f"u{i}" for i in range(48)), "untested"], "gender": [*["male"] * 48, "female"]}
    )
    table.to_csv(runs / "groups.csv", index=False)
    assert summarise(collect(runs))["groups"] == {}  # all that was tested is of one group


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename(columns={"gender": "sex"}), r"must have the column utterance .*'sex'"),
        (lambda t: t.rename(columns={"utterance": "path"}), "must have the column utterance"),
        (lambda t: t[["utterance"]], "one or more of gender, intensity"),
        (lambda t: t.iloc[2:], "lacks 2 of the tested utterances, first 'u0'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "holds an utterance twice"),
        (None, "cannot be read as groups of utterances"),
    ],
)
def test_bad_groups_file(tmp_path, change, message):
    runs = make_runs(tmp_path, groups=True)
    path = runs / "groups.csv"
    path.write_text("" if change is None else change(pd.read_csv(path)).to_csv(index=False))
    with pytest.raises(ResultsError, match=f"{path} .*{message}"):
        summarise(collect(runs))


def test_folds_and_emotions_equal_scikit_learn(runs):
    found = collect(runs)
    summary = summarise(found)
    table = found.predictions.assign(chosen=found.predictions[EMOTIONS].idxmax(axis=1))
    assert list(summary["folds"]) == FOLDS
    for fold, entry in summary["folds"].items():
        parts = [part for _, part in table[table["fold"] == fold].groupby("repeat")]
        assert (entry["utterances"], entry["speakers"]) == (24, 3)
        for key, score in (("wa", "accuracy_score"), ("uar", "balanced_accuracy_score")):
            values = [getattr(sklearn.metrics, score)(part["truth"], part["chosen"]) for part in parts]
            assert entry[key] == pytest.approx({"mean": np.mean(values), "std": np.std(values, ddof=1)})
        assert "highest_wa" not in entry
    for key, score in (("recall", "recall_score"), ("precision", "precision_score"), ("f1", "f1_score")):
        expected = [
            getattr(sklearn.metrics, score)(part["truth"], part["chosen"], labels=EMOTIONS, average=None)
            for _, part in table.groupby("repeat")
        ]
        means = {emotion: entry["mean"] for emotion, entry in summary[key].items()}
        assert means == pytest.approx(dict(zip(EMOTIONS, np.mean(expected, axis=0))))


def test_the_highest_of_a_fold_after_any_epoch(runs):
    found = collect(runs)
    histories = found.histories.assign(test_wa=0.5 - 0.1 * found.histories["epoch"] + 0.1 * found.histories["repeat"])
    summary = summarise(replace(found, histories=histories))
    for entry in summary["folds"].values():
        assert entry["highest_wa"] == pytest.approx({"mean": 0.5, "std": 0.1}) and "highest_uar" not in entry
    assert summary["epoch_by_test_wa"]["values"] == pytest.approx([0.4, 0.5, 0.6])


def test_the_last_epoch_where_a_run_keeps_an_earlier_one(runs):
    found = collect(runs)
    scores = 0.1 * found.histories["epoch"] + 0.2 * found.histories["repeat"]
    found = replace(found, histories=found.histories.assign(test_uar=scores, test_wa=scores - 0.1))
    assert "last_epoch" not in summarise(found)  # all keep the last one
    earlier = tuple(manifest | {"best_epoch": 1} for manifest in found.manifests)
    summary = summarise(replace(found, manifests=earlier))
    assert summary["last_epoch"]["values"] == pytest.approx([0.2, 0.4, 0.6])
    assert summary["last_epoch_wa"]["values"] == pytest.approx([0.1, 0.3, 0.5])


def test_epoch_chosen_by_the_test_part(runs):
    """The highest test UAR of each run, averaged over a repeat's folds by their test utterances."""
    found = collect(runs)
    assert "epoch_by_test" not in summarise(found)
    histories = found.histories.assign(test_uar=0.1 * found.histories["epoch"] + 0.2 * found.histories["repeat"])
    histories.loc[histories["fold"].eq("fold-1"), "test_uar"] = 1.0
    in_first = found.predictions[found.predictions["fold"].eq("fold-1")]
    dropped = set(in_first["utterance"].unique()[::2])
    fewer = found.predictions[~found.predictions["utterance"].isin(dropped)]
    entry = summarise(replace(found, histories=histories, predictions=fewer))["epoch_by_test"]
    others = 24 * (len(FOLDS) - 1)
    expected = [(12 * 1.0 + others * (0.2 + 0.2 * repeat)) / (12 + others) for repeat in range(3)]
    assert entry["values"] == pytest.approx(expected)
