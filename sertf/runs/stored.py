"""The files of runs and of stored results, read and checked; never a live model.

A folder of runs holds `experiment.json`, `groups.csv` if utterances come in groups, and a directory a run with
`predictions.csv`, `history.csv`, `manifest.json`, `representations.npz` and `weights.keras`. Stored results are
`predictions.csv.gz`, `history.csv.gz`, `groups.csv.gz`, `manifest.json`, `report.json`, and what is made of them. One
run's `representations.npz` gives the figures of its model. `sertf.runs.layout` has the places, `sertf.runs.facts` the
contents of the JSON files.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any, cast

import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation.groups import GROUPINGS
from sertf.evaluation.scores import FACT_COLUMNS, score_columns
from sertf.files import CHECKSUMS, faults_by_checksums, write_text
from sertf.runs.facts import Facts, Manifest, Manifests, Score, Summary, lacking, names_of, unsafe_names
from sertf.runs.layout import is_stored, stored_below
from sertf.texts import defused_table, restored_table

_LISTED = 8
_TEXT = {"utterance": str, "speaker": str, "fold": str, "truth": str}
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)  # a damaged .gz raises the last one


class ResultsError(SertfError):
    """Run directories or stored results that are missing, incomplete, broken or of another experiment."""


def read_facts(folder: Path) -> Facts:
    """Read and check a runner's `experiment.json`.

    Args:
        folder: `<runs>/<variant>/<protocol>`.

    Raises:
        ResultsError: it is missing, broken or lacks a fact.
    """
    path = folder / "experiment.json"
    if not path.is_file():
        raise ResultsError(
            f"{folder} holds no experiment.json, so it is not a folder of runs; give <runs>/<variant>/<protocol>."
        )
    facts = cast(Facts, read_json(path))
    missing = lacking(Facts, facts)
    if missing:
        raise ResultsError(f"{path} lacks {missing}; run the experiment again to write it anew.")
    folds, repeats = facts["folds"], facts["repeats"]
    if not isinstance(folds, list) or not folds or not isinstance(repeats, int) or repeats < 1:
        raise ResultsError(f"{path} must list the folds' names and 1 or more repeats, got {folds!r} and {repeats!r}.")
    _check_names(path, facts)
    return facts


def _check_names(path: Path, facts: Facts) -> None:
    unsafe = unsafe_names(facts)
    if unsafe:
        raise ResultsError(
            f"{path} names {', '.join(map(repr, unsafe))}, but experiment, variant, protocol and folds must be names of one "
            "folder, without / and \\ and no dot in front; do not use the file, or name them so."
        )


def read_predictions(path: Path) -> pd.DataFrame:
    """Read `predictions.csv` or `predictions.csv.gz`, checked as `sertf.evaluation.scores.score_columns` does.

    Raises:
        ResultsError: the file is missing, is not such a table, or predicts an utterance twice in a run. The message names it.
    """
    try:
        header = pd.read_csv(path, nrows=0).columns
        # Only scores may be missing values: a speaker or fold may be called "NA".
        absent = {column: ["", "nan", "NaN"] for column in header if column not in FACT_COLUMNS}
        table = restored_table(pd.read_csv(path, dtype=_TEXT, keep_default_na=False, na_values=absent))
        score_columns(table)
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as predictions: {error}") from error
    twice = table.duplicated(["utterance", "repeat", "fold"])
    if twice.any():
        first = table.loc[twice, "utterance"].iloc[0]
        raise ResultsError(f"{path} predicts {twice.sum()} utterances twice, first {first!r}; make it again.")
    return table


def read_history(path: Path) -> pd.DataFrame:
    """Read `history.csv` or `history.csv.gz`, a row an epoch. The stored one also has the columns repeat and fold.

    Raises:
        ResultsError: the file is missing or not a table. The message names it.
    """
    try:
        # Only numbers may be missing values: a fold may be called "NA".
        return pd.read_csv(path, dtype={"fold": str}, keep_default_na=False, na_values=[""])
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as a table: {error}") from error


def read_groups(path: Path, predictions: pd.DataFrame) -> pd.DataFrame | None:
    """Read `groups.csv` or `groups.csv.gz`: the groups of the utterances in a table of predictions.

    Returns:
        DataFrame with the column utterance and one or more of `sertf.evaluation.groups.GROUPINGS`, texts, "" for no group; None
        if there is no such file.

    Raises:
        ResultsError: the file is not such a table, or an utterance is missing or repeated. The message names it.
    """
    if not path.is_file():
        return None
    try:
        table = restored_table(pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False))
    except _UNREADABLE as error:
        raise ResultsError(f"{path} cannot be read as groups of utterances: {error}") from error
    columns = ["utterance", *(name for name in GROUPINGS if name in table.columns)]
    if list(table.columns) != columns or len(columns) < 2:
        raise ResultsError(
            f"{path} must have the column utterance and one or more of {', '.join(GROUPINGS)} behind it, got "
            f"{list(table.columns)}; run the experiment again to write it anew."
        )
    absent = sorted(set(predictions["utterance"]) - set(table["utterance"]))
    if absent or table["utterance"].duplicated().any():
        fault = f"lacks {len(absent)} of the tested utterances, first {absent[0]!r}" if absent else ""
        raise ResultsError(f"{path} {fault or 'holds an utterance twice'}; run the experiment again to write it anew.")
    return table


def read_summary(folder: Path) -> Summary:
    """Read the report.json of stored results, a summary from `sertf.reports.summary.summarise`.

    Args:
        folder: `<results>/<experiment>/<variant>/<protocol>`.

    Raises:
        ResultsError: it is missing, broken or lacks an entry that a report needs.
    """
    path = folder / "report.json"
    if not is_stored(folder):
        raise ResultsError(
            f"{folder} holds no report.json, so it is not a stored result; give <results>/<experiment>/<variant>/<protocol>."
        )
    summary = cast(Summary, read_json(path))
    missing = lacking(Summary, summary)
    if not missing:
        missing = [f"{key} of facts" for key in lacking(Facts, summary["facts"])]
        missing += [f"{key} of {name}" for name, entry in summary["scores"].items() for key in lacking(Score, entry)]
    if missing:
        raise ResultsError(
            f"{path} lacks {', '.join(missing[:_LISTED])}; delete the folder and write the report again."
        )
    _check_names(path, summary["facts"])
    return summary


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ResultsError: the file is missing, cut off or something else. The message names it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} cannot be read as JSON ({error}); delete it and make it again.") from error
    if not isinstance(content, dict):
        raise ResultsError(
            f"{path} must hold a JSON object, got {type(content).__name__}; delete it and make it again."
        )
    return content


def read_run(place: Path) -> tuple[Manifest, pd.DataFrame, pd.DataFrame]:
    """Read a run directory's manifest, predictions and history.

    Args:
        place: the run directory.

    Raises:
        ResultsError: a file is missing, changed or unreadable, or predicts fewer or more utterances than were tested.
    """
    check_intact(place)
    manifest = cast(Manifest, read_json(place / "manifest.json"))
    table = read_predictions(place / "predictions.csv")
    history = read_history(place / "history.csv")
    tested = manifest.get("tested", len(table))
    if len(table) != tested:
        raise ResultsError(f"{place / 'predictions.csv'} predicts {len(table)} of the {tested} tested utterances")
    return manifest, table, history


def check_intact(place: Path) -> None:
    """Check the files of a run directory against its SHA256SUMS.

    Args:
        place: the run directory.

    Raises:
        ResultsError: naming the files that are missing, or have changed since the run was written.
    """
    try:
        faults = faults_by_checksums(place)
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"{place / CHECKSUMS} cannot be read as checksums ({error}); run the experiment again."
        ) from error
    if faults:
        raise ResultsError(
            f"{place} does not match its {CHECKSUMS}: {', '.join(faults)}; copy it again, or run the experiment again."
        )


def read_manifests(path: Path) -> dict[tuple[int, str], Manifest]:
    """The manifest of every run of stored results, by (repeat, fold), in order.

    Raises:
        ResultsError: the file is missing, broken or lacks the runs.
    """
    content = cast(Manifests, read_json(path))
    shared, runs = content.get("shared"), content.get("runs")
    try:
        return {(run["repeat"], run["fold"]): {**shared, **run} for run in runs}
    except (TypeError, KeyError) as error:
        raise ResultsError(f"{path} does not list its runs, each with its repeat and fold; make it again.") from error


def stored_results(results: Path) -> list[Path]:
    """The folders of all stored results below a folder.

    Raises:
        ResultsError: there are none.
    """
    found = stored_below(results)
    if not found:
        raise ResultsError(f"{results} holds no <experiment>/<variant>/<protocol>/report.json; write a report first.")
    return found


def check_replaceable(folder: Path, facts: Facts, runs: int) -> None:
    """Raise unless a report may replace the contents of a folder: nothing, or no more runs of the same experiment.

    Args:
        folder: `<results>/<experiment>/<variant>/<protocol>`.
        facts: facts of the new report, as in `experiment.json`.
        runs: number of runs in the new report.

    Raises:
        ResultsError: results would be lost: of another experiment, recipe, front end, table or recordings, or of runs
            that are not among the new ones.
    """
    if not is_stored(folder):
        return
    found = read_summary(folder)
    names = names_of(found["facts"]), names_of(facts)
    if names[0] != names[1]:
        raise ResultsError(
            f"{folder} holds results of {'/'.join(names[0])}, not {'/'.join(names[1])}; give another folder for the results."
        )
    digests = [(of.get("digest"), of.get("audio_digest")) for of in (found["facts"], facts)]
    if digests[0] != digests[1]:
        raise ResultsError(
            f"{folder} holds results of another recipe, front end, table or recordings (digest {digests[0][0]}, not "
            f"{digests[1][0]}); give another folder for the results, or delete this one."
        )
    if found["runs"] > runs:
        raise ResultsError(
            f"{folder} holds {found['runs']} runs, but the new report would hold {runs}; give more --repeats, "
            "or another folder for the results."
        )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV packed by gzip; the same table gives the same bytes."""
    text = defused_table(table).to_csv(index=False, float_format="%.6g", lineterminator="\n")
    # No name and no time in the header.
    with open(path, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())


def write_stored(path: Path, text: str) -> None:
    """Write a whole text file of stored results, or leave the existing one.

    Raises:
        ResultsError: it cannot be written.
    """
    try:
        write_text(path, text)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error
