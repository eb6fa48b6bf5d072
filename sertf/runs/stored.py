"""Files of runs and of results, read and checked; never a live model.

A runner's folder `<runs>/<variant>/<protocol>` holds `experiment.json`, `groups.csv` where utterances come in groups,
and one directory a run, `repeat-NN/<fold>/{predictions.csv, history.csv, manifest.json, representations.npz,
weights.keras}`. Kept results, `<results>/<experiment>/<variant>/<protocol>`, are `predictions.csv.gz`, `groups.csv.gz`,
`report.json` and what is made of them.
"""

import json
import os
import zlib
from pathlib import Path

import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation.groups import GROUPINGS
from sertf.evaluation.scores import FACT_COLUMNS, score_columns

_FACTS = ("experiment", "variant", "protocol", "paper", "corpus", "repeats", "folds", "emotions", "audit", "digest")
PER_RUN = ("repeat", "fold", "seed", "tested", "wall_seconds", "best_epoch")
"""Entries of a manifest that are each run's own."""
_SUMMARY = ("facts", "scores", "recall", "reproducibility", "tested", "runs", "seeds", "wall_seconds", "parameters")
_SUMMARY += ("backend", "device", "beyond_plan")
_SCORE = ("name", "values", "mean", "std", "best", "low", "high")
_LISTED = 8
_TEXT = {"utterance": str, "speaker": str, "fold": str, "truth": str}
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)  # the last one of a damaged .gz


class ResultsError(SertfError):
    """Run directories or kept results that are missing, incomplete, broken or of another experiment."""


def read_facts(folder):
    """Read and check a runner's `experiment.json`.

    Args:
        folder: `<runs>/<variant>/<protocol>`.

    Raises:
        ResultsError: if it is missing, broken or lacks a fact.
    """
    path = Path(folder) / "experiment.json"
    if not path.is_file():
        raise ResultsError(
            f"{folder} holds no experiment.json, so it is no folder of runs; give <runs>/<variant>/<protocol>."
        )
    facts = read_json(path)
    missing = [key for key in _FACTS if key not in facts]
    if missing:
        raise ResultsError(f"{path} lacks {missing}; run the experiment again, which writes it anew.")
    folds, repeats = facts["folds"], facts["repeats"]
    if not isinstance(folds, list) or not folds or not isinstance(repeats, int) or repeats < 1:
        raise ResultsError(f"{path} must list the folds' names and 1 or more repeats, got {folds!r} and {repeats!r}.")
    return facts


def read_predictions(path):
    """Read `predictions.csv` or `predictions.csv.gz`, checked as `sertf.evaluation.scores.score_columns` does.

    Raises:
        ResultsError: naming the file, if it is missing, no table, a bad one, or predicts an utterance twice in a run.
    """
    path = Path(path)
    try:
        header = pd.read_csv(path, nrows=0).columns
        # Only scores may be missing values: a speaker or fold may well be called "NA".
        absent = {column: ["", "nan", "NaN"] for column in header if column not in FACT_COLUMNS}
        table = pd.read_csv(path, dtype=_TEXT, keep_default_na=False, na_values=absent)
        score_columns(table)
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as predictions: {error}") from error
    twice = table.duplicated(["utterance", "repeat", "fold"])
    if twice.any():
        first = table.loc[twice, "utterance"].iloc[0]
        raise ResultsError(
            f"{path} predicts {twice.sum()} utterances twice, the first of them {first!r}; make it again."
        )
    return table


def read_history(path):
    """Read `history.csv` or `history.csv.gz`, a row an epoch; the kept one has the columns repeat and fold too.

    Raises:
        ResultsError: naming the file, if it is missing or no table.
    """
    try:
        # Only numbers may be missing: a fold may well be called "NA".
        return pd.read_csv(path, dtype={"fold": str}, keep_default_na=False, na_values=[""])
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as a table: {error}") from error


def read_groups(path, predictions):
    """Read `groups.csv` or `groups.csv.gz`: the groups that the utterances of a table of predictions belong to.

    Returns:
        DataFrame with the column utterance and one or more of `sertf.evaluation.groups.GROUPINGS`, texts, "" for no group; None
        if there is no such file.

    Raises:
        ResultsError: naming the file, if it is no such table, or an utterance is missing or comes twice.
    """
    path = Path(path)
    if not path.is_file():
        return None
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as groups of utterances: {error}") from error
    columns = ["utterance", *(name for name in GROUPINGS if name in table.columns)]
    if list(table.columns) != columns or len(columns) < 2:
        raise ResultsError(
            f"{path} must have the column utterance and one or more of {', '.join(GROUPINGS)} behind it, got "
            f"{list(table.columns)}; run the experiment again, which writes it anew."
        )
    lacking = sorted(set(predictions["utterance"]) - set(table["utterance"]))
    if lacking or table["utterance"].duplicated().any():
        fault = f"lacks {len(lacking)} of the tested utterances, the first of them {lacking[0]!r}" if lacking else ""
        raise ResultsError(
            f"{path} {fault or 'holds an utterance twice'}; run the experiment again, which writes it anew."
        )
    return table


def read_summary(folder):
    """Read the report.json of kept results, the summary that `sertf.reports.summary.summarise` made.

    Args:
        folder: `<results>/<experiment>/<variant>/<protocol>`.

    Raises:
        ResultsError: it is missing, broken or lacks what a report is made of.
    """
    path = Path(folder) / "report.json"
    if not path.is_file():
        raise ResultsError(
            f"{folder} holds no report.json, so it is no kept result; give <results>/<experiment>/<variant>/<protocol>."
        )
    summary = read_json(path)
    lacking = [key for key in _SUMMARY if key not in summary]
    if not lacking:
        lacking = [f"{key} of facts" for key in _FACTS if key not in summary["facts"]]
        lacking += [
            f"{key} of {name}" for name, entry in summary["scores"].items() for key in _SCORE if key not in entry
        ]
    if lacking:
        raise ResultsError(
            f"{path} lacks {', '.join(lacking[:_LISTED])}; delete the folder and write the report again."
        )
    return summary


def read_json(path):
    """Read a JSON file that holds an object.

    Raises:
        ResultsError: naming the file, if it is missing, cut off or something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read as JSON ({error}); delete it and make it again.") from error
    if not isinstance(content, dict):
        raise ResultsError(
            f"{path} must hold a JSON object, got {type(content).__name__}; delete it and make it again."
        )
    return content


def read_run(place):
    """Read a run directory's manifest, predictions and history.

    Args:
        place: `<runs>/<variant>/<protocol>/repeat-NN/<fold>`.

    Raises:
        ResultsError: a file is missing, cannot be read, or holds predictions of fewer or more utterances than were tested.
    """
    place = Path(place)
    manifest = read_json(place / "manifest.json")
    table = read_predictions(place / "predictions.csv")
    history = read_history(place / "history.csv")
    tested = manifest.get("tested", len(table))
    if len(table) != tested:
        raise ResultsError(
            f"{place / 'predictions.csv'} predicts {len(table)} of the {tested} utterances that were tested"
        )
    return manifest, table, history


def merge_manifests(manifests):
    """Split manifests into what all runs share and what differs.

    Returns:
        (shared, runs): a dict, and a list of one dict a run with the other entries; those of `PER_RUN` always count as a
        run's own.
    """
    absent = object()
    shared = {
        key: value
        for key, value in manifests[0].items()
        if key not in PER_RUN and all(manifest.get(key, absent) == value for manifest in manifests)
    }
    return shared, [{k: v for k, v in manifest.items() if k not in shared} for manifest in manifests]


def reports_in(results_root):
    """Every report.json below a folder of results.

    Raises:
        ResultsError: there is none.
    """
    paths = sorted(Path(results_root).glob("*/*/*/report.json"))
    if not paths:
        raise ResultsError(
            f"{results_root} holds no <experiment>/<variant>/<protocol>/report.json; write a report first."
        )
    return paths


def names_of(facts):
    """The names of what facts are of: experiment, variant, protocol."""
    return tuple(facts.get(key, "?") for key in ("experiment", "variant", "protocol"))


def check_replaceable(folder, facts, runs):
    """Raise unless a report can take the place of what a folder keeps: nothing, or the same experiment's, of no more runs.

    Args:
        folder: `<results>/<experiment>/<variant>/<protocol>`.
        facts: of what is to be reported, as in `experiment.json`.
        runs: how many are to be reported.

    Raises:
        ResultsError: results would be lost: of something else, of another recipe, front end, table or recordings, or of
            runs that are not among these.
    """
    if not (Path(folder) / "report.json").is_file():
        return
    found = read_summary(folder)
    names = names_of(found["facts"]), names_of(facts)
    if names[0] != names[1]:
        raise ResultsError(
            f"{folder} holds results of {'/'.join(names[0])}, not {'/'.join(names[1])}; give another folder for the results."
        )
    digests = [[of.get(key) for key in ("digest", "audio_digest")] for of in (found["facts"], facts)]
    if digests[0] != digests[1]:
        raise ResultsError(
            f"{folder} holds results of another recipe, front end, table or recordings (digest {digests[0][0]}, not "
            f"{digests[1][0]}); give another folder for the results, or delete it to keep these in its place."
        )
    if found["runs"] > runs:
        raise ResultsError(
            f"{folder} holds {found['runs']} runs, of which a report of {runs} would lose the others; give more --repeats, "
            "or another folder for the results."
        )


def write_text(text, path):
    """Write a text file as a whole, or leave the one that stands there.

    Raises:
        ResultsError: it cannot be written.
    """
    staging = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        staging.write_text(text, encoding="utf-8", newline="\n")
        os.replace(staging, path)
    except OSError as error:
        staging.unlink(missing_ok=True)
        raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error
