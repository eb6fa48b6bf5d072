"""All runs of one variant under one protocol, read together."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation import scores
from sertf.runs.facts import PER_RUN, Facts, Manifest
from sertf.runs.layout import RunPlace, finished_runs, is_finished, planned_runs
from sertf.runs.stored import ResultsError, read_facts, read_run

_LISTED = 8


@dataclass(frozen=True)
class Results:
    """All runs of one variant under one protocol.

    Attributes:
        folder: folder of the runs.
        facts: the content of `experiment.json`.
        predictions: predictions of all runs, in the order of repeats and folds.
        histories: histories of all runs, with the columns repeat and fold.
        manifests: one a run.
        representations: path of the first run's representations.npz, None if no run has one.
        beyond_plan: finished runs (repeat and fold folders) that `experiment.json` does not ask for; not counted.
    """

    folder: Path
    facts: Facts
    predictions: pd.DataFrame
    histories: pd.DataFrame
    manifests: tuple[Manifest, ...]
    representations: Path | None
    beyond_plan: tuple[str, ...]


def collect(folder: Path) -> Results:
    """Read every run that `experiment.json` asks for.

    Args:
        folder: `<runs>/<variant>/<protocol>`.

    Raises:
        ResultsError: there is no `experiment.json`, or runs are missing, half-written, broken or of another experiment;
            all of them are named at once.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    predictions, histories, manifests, problems, representations = [], [], [], [], None
    planned = planned_runs(folder, facts["repeats"], facts["folds"])
    for run in planned:
        try:
            manifest, table, history = _read_planned(run, facts)
        except SertfError as error:
            problems.append(str(error))
            continue
        manifests.append(manifest)
        predictions.append(table)
        histories.append(history)
        if representations is None and (run.path / "representations.npz").is_file():
            representations = run.path / "representations.npz"
    if problems:
        more = f"; and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        raise ResultsError(
            f"{len(problems)} of the {len(planned)} runs below {folder} cannot be counted: "
            f"{'; '.join(problems[:_LISTED])}{more}. Run the same command again; it resumes with these."
        )
    known = {run.path for run in planned}
    return Results(
        folder=folder,
        facts=facts,
        predictions=pd.concat(predictions, ignore_index=True),
        histories=pd.concat(histories, ignore_index=True),
        manifests=tuple(manifests),
        representations=representations,
        beyond_plan=tuple(str(path.relative_to(folder)) for path in finished_runs(folder) if path not in known),
    )


def _read_planned(place: RunPlace, facts: Facts) -> tuple[Manifest, pd.DataFrame, pd.DataFrame]:
    run = f"repeat {place.repeat}, fold {place.fold}"
    if not place.path.is_dir():
        raise ResultsError(f"{run} is missing")
    if not is_finished(place.path):
        raise ResultsError(f"{run} is half-written (no manifest.json)")
    try:
        manifest, table, history = read_run(place.path)
    except ResultsError as error:
        raise ResultsError(f"{run} is broken: {error}".rstrip(".")) from error
    if manifest.get("digest") != facts["digest"]:
        raise ResultsError(f"{run} is of another experiment (digest {manifest.get('digest')}, not {facts['digest']})")
    if manifest.get("audio_digest") != facts.get("audio_digest"):
        raise ResultsError(f"{run} was trained on other recordings")
    columns = [*scores.FACT_COLUMNS, *facts["emotions"]]
    if list(table.columns) != columns:
        raise ResultsError(f"{run} is broken: predictions.csv has the columns {list(table.columns)}, not {columns}")
    if set(table["repeat"]) != {place.repeat} or set(table["fold"]) != {place.fold}:
        raise ResultsError(f"{run} is broken: predictions.csv is of another repeat or fold")
    return manifest, table, history.assign(repeat=place.repeat, fold=place.fold)


def merge_manifests(manifests: tuple[Manifest, ...]) -> tuple[Manifest, list[Manifest]]:
    """Split manifests into the entries that all runs share and those that differ.

    Returns:
        (shared, runs): the common entries, and the other entries of each run. Entries in `PER_RUN` always count per run.
    """
    absent = object()
    shared = {
        key: value
        for key, value in manifests[0].items()
        if key not in PER_RUN and all(manifest.get(key, absent) == value for manifest in manifests)
    }
    own = [{key: value for key, value in manifest.items() if key not in shared} for manifest in manifests]
    return cast(Manifest, shared), cast(list[Manifest], own)
