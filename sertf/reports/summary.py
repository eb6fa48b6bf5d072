"""The numbers of a report, from all runs of one variant under one protocol."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pandas as pd

from sertf.evaluation import scores
from sertf.evaluation.calibration import calibration
from sertf.evaluation.groups import compare
from sertf.evaluation.reproducibility import rates_of
from sertf.evaluation.statistics import clustered_bootstrap, mean_std
from sertf.evaluation.zero_shot import by_corpus
from sertf.runs.collect import Results, merge_manifests
from sertf.runs.facts import Summary
from sertf.runs.stored import read_groups

SCORES = {
    "uar": "UAR",
    "wa": "WA (accuracy)",
    "macro_precision": "macro precision (macro recall is the UAR)",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "thresholded_precision": "precision, thresholded at 0.5",
    "thresholded_recall": "recall, thresholded at 0.5",
    "thresholded_f1": "F1 of these two",
}
"""The scores of a summary, by their keys, with the names that a report prints."""
_RUN = ["repeat", "fold"]
_WITH_INTERVAL = ("uar", "wa", "macro_f1", "weighted_f1")


def summarise(results: Results) -> Summary:
    """The numbers of a report.

    A repeat's score is that of its pooled out-of-fold predictions. Mean, sample standard deviation and best are over
    repeats. The interval is `sertf.evaluation.statistics.clustered_bootstrap` over speakers.

    Args:
        results: all runs.

    Returns:
        dict of plain values: `facts`; `scores`, by the keys of `SCORES`, each with its `name`, `values` (one a
        repeat), `mean`, `std` (None for one repeat), `best`, `low` and `high` (None where no interval can be had);
        those of `sertf.evaluation.scores.BY_EMOTION`, by emotion, each with `mean` and `std`; `folds`, by name, each with its test
        `utterances` and `speakers`, those of `sertf.evaluation.scores.BY_FOLD` with `mean` and `std`, and where the test part was
        watched their highest after any epoch as `highest_uar` and `highest_wa`; `confusion`, counts over all repeats in
        the order of the emotions;
        `calibration`, as `sertf.evaluation.calibration.calibration` gives it;
        `groups`, by the columns of `groups.csv` that the test utterances differ in (none without that file), each as
        `sertf.evaluation.groups.Comparison`;
        `by_corpus`, of runs tested on other corpora than they were trained on, as `sertf.protocols.zero_shot.by_corpus`;
        `epoch_by_test` and `epoch_by_test_wa`, where the test part was watched: what choosing each run's epoch by its
        test UAR and by its test WA would give;
        `last_epoch` and `last_epoch_wa`, where both were watched and a run keeps an earlier epoch: the test UAR and WA
        after the last epoch;
        `reproducibility` (None for one repeat); `tested`, the number of test `utterances` and `speakers`;
        `parameters`, `wall_seconds`, `runs`, `seeds`, `backend`, `device`, `beyond_plan`.

    Raises:
        SertfError: as the functions of `sertf.evaluation.scores` and `sertf.evaluation.statistics`, and as `read_groups`.
    """
    predictions, emotions = results.predictions, results.facts["emotions"]
    by_repeat = [scores.scores_of(part) for _, part in predictions.groupby("repeat", sort=True)]
    speakers = predictions["speaker"].nunique()
    agreement = rates_of(predictions) if len(by_repeat) > 1 else None
    summary: dict[str, Any] = {"facts": results.facts, "scores": {}, **{key: {} for key in scores.BY_EMOTION}}
    for key, name in SCORES.items():
        entry: dict[str, Any] = {
            "name": name,
            **over_repeats([values[key] for values in by_repeat]),
            "low": None,
            "high": None,
        }
        if key in _WITH_INTERVAL and speakers > 1:
            entry["low"], entry["high"] = clustered_bootstrap(predictions, score=key)
        summary["scores"][key] = entry
    for key in scores.BY_EMOTION:
        for emotion in by_repeat[0][key]:
            summary[key][emotion] = _mean_and_std([values[key][emotion] for values in by_repeat])
    matrix = scores.confusion_matrix(predictions["truth"], scores.predicted(predictions), emotions)
    shared, _ = merge_manifests(results.manifests)
    for key, column in (("epoch_by_test", "test_uar"), ("epoch_by_test_wa", "test_wa")):
        if column in results.histories:
            summary[key] = _epoch_by_test(results, column)
    if {"test_uar", "test_wa"} <= set(results.histories) and _keeps_an_earlier_epoch(results):
        summary |= {"last_epoch": _last_epoch(results, "test_uar"), "last_epoch_wa": _last_epoch(results, "test_wa")}
    if results.facts.get("across"):
        summary["by_corpus"] = by_corpus(predictions)
    summary |= {
        "folds": {fold: _of_fold(results, fold) for fold in results.facts["folds"]},
        "confusion": matrix.tolist(),
        "calibration": calibration(predictions),
        "groups": _by_group(results.folder / "groups.csv", predictions),
        "reproducibility": agreement,
        "tested": {"utterances": int(predictions["utterance"].nunique()), "speakers": int(speakers)},
        "runs": len(results.manifests),
        "seeds": [manifest.get("seed") for manifest in results.manifests],
        "wall_seconds": round(sum(manifest.get("wall_seconds", 0) for manifest in results.manifests), 1),
        "parameters": shared.get("parameters"),
        "backend": shared.get("backend", "several"),
        "device": shared.get("device", "several"),
        "beyond_plan": list(results.beyond_plan),
    }
    return cast(Summary, summary)


def _by_group(path: Path, predictions: pd.DataFrame) -> dict[str, dict[str, Any]]:
    table = read_groups(path, predictions)
    if table is None:
        return {}
    compared: dict[str, Any] = {}
    for column in table.columns[1:]:
        compared[column] = asdict(compare(predictions, dict(zip(table["utterance"], table[column]))))
    # A test part may hold utterances of one group only. Then there is nothing to compare.
    return {column: entry for column, entry in compared.items() if len(entry["groups"]) > 1}


def _of_fold(results: Results, fold: str) -> dict[str, Any]:
    """The entry of one fold among `folds` of a summary."""
    predictions = results.predictions[results.predictions["fold"] == fold]
    found: dict[str, Any] = {column + "s": int(predictions[column].nunique()) for column in ("utterance", "speaker")}
    for key in scores.BY_FOLD:
        score = getattr(scores, key)
        found[key] = _mean_and_std(
            [score(part["truth"], scores.predicted(part)) for _, part in predictions.groupby("repeat")]
        )
        if f"test_{key}" in results.histories:
            watched = results.histories[results.histories["fold"] == fold].groupby("repeat")[f"test_{key}"].max()
            found[f"highest_{key}"] = _mean_and_std([float(value) for value in watched])
    return found


def _epoch_by_test(results: Results, column: str) -> dict[str, Any]:
    """The highest of a test score over epochs, averaged over folds by their size, over repeats."""
    return _by_repeat(results, results.histories.groupby(_RUN)[column].max())


def _last_epoch(results: Results, column: str) -> dict[str, Any]:
    """A test score after the last epoch, averaged over folds by their size, over repeats."""
    return _by_repeat(results, results.histories.groupby(_RUN)[column].last())


def _keeps_an_earlier_epoch(results: Results) -> bool:
    """Whether a run has the weights of another epoch than its last one."""
    last = results.histories.groupby(_RUN)["epoch"].max()
    return any(manifest["best_epoch"] < last[manifest["repeat"], manifest["fold"]] for manifest in results.manifests)


def _by_repeat(results: Results, of_runs: pd.Series) -> dict[str, Any]:
    """A score of each run, averaged over folds by their size, over repeats."""
    sizes = results.predictions.groupby(_RUN).size()
    of_repeat = (of_runs * sizes).groupby("repeat").sum() / sizes.groupby("repeat").sum()
    return over_repeats([float(value) for value in of_repeat])


def _mean_and_std(values: list[float]) -> dict[str, Any]:
    entry = over_repeats(values)
    return {"mean": entry["mean"], "std": entry["std"]}


def over_repeats(values: list[float]) -> dict[str, Any]:
    """Values of the repeats with mean, standard deviation (None of one repeat) and the best."""
    mean, std = mean_std(values) if len(values) > 1 else (values[0], None)
    return {"values": values, "mean": mean, "std": std, "best": max(values)}
