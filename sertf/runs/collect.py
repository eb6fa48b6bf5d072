"""All runs of one variant under one protocol: `collect` reads them, `summarise` makes the numbers of a report of them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation import scores
from sertf.runs.stored import ResultsError, read_facts, read_run

_LISTED = 8


@dataclass(frozen=True)
class Results:
    """All runs of one variant under one protocol.

    Attributes:
        folder: where they were read.
        facts: the content of `experiment.json`.
        predictions: of all runs, in the order of repeats and folds.
        histories: of all runs, with the columns repeat and fold.
        manifests: one dict a run.
        representations: path of the first run's representations.npz, None if no run has one.
        beyond_plan: finished runs (repeat and fold folders) that `experiment.json` does not ask for; not counted.
    """

    folder: Path
    facts: dict
    predictions: pd.DataFrame
    histories: pd.DataFrame
    manifests: tuple[dict, ...]
    representations: Path | None
    beyond_plan: tuple[str, ...]


def collect(folder):
    """Read every run that `experiment.json` asks for.

    A run without `manifest.json` is half-written and never counted.

    Args:
        folder: `<runs>/<variant>/<protocol>`.

    Raises:
        ResultsError: if there is no `experiment.json`, or runs are missing, half-written, broken or of another
            experiment; all of them are named at once.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    predictions, histories, manifests, problems, representations = [], [], [], [], None
    planned = [(repeat, fold) for repeat in range(facts["repeats"]) for fold in facts["folds"]]
    for repeat, fold in planned:
        place = folder / f"repeat-{repeat:02d}" / fold
        try:
            manifest, table, history = _read_run(place, facts, repeat, fold)
        except SertfError as error:
            problems.append(str(error))
            continue
        manifests.append(manifest)
        predictions.append(table)
        histories.append(history)
        if representations is None and (place / "representations.npz").is_file():
            representations = place / "representations.npz"
    if problems:
        more = f"; and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        raise ResultsError(
            f"{len(problems)} of the {len(planned)} runs below {folder} cannot be counted: "
            f"{'; '.join(problems[:_LISTED])}{more}. The command that made them goes on with these."
        )
    known = {folder / f"repeat-{repeat:02d}" / fold for repeat, fold in planned}
    extra = sorted(path.parent for path in folder.glob("repeat-*/*/manifest.json") if path.parent not in known)
    return Results(
        folder=folder,
        facts=facts,
        predictions=pd.concat(predictions, ignore_index=True),
        histories=pd.concat(histories, ignore_index=True),
        manifests=tuple(manifests),
        representations=representations,
        beyond_plan=tuple(str(path.relative_to(folder)) for path in extra if not path.name.startswith(".")),
    )


def _read_run(place, facts, repeat, fold):
    run = f"repeat {repeat}, fold {fold}"
    if not place.is_dir():
        raise ResultsError(f"{run} is missing")
    if not (place / "manifest.json").is_file():
        raise ResultsError(f"{run} is half-written (no manifest.json)")
    try:
        manifest, table, history = read_run(place)
    except ResultsError as error:
        raise ResultsError(f"{run} is broken: {error}".rstrip(".")) from error
    if manifest.get("digest") != facts["digest"]:
        raise ResultsError(f"{run} is of another experiment (digest {manifest.get('digest')}, not {facts['digest']})")
    if manifest.get("audio_digest") != facts.get("audio_digest"):
        raise ResultsError(f"{run} was trained on other recordings")
    columns = [*scores.FACT_COLUMNS, *facts["emotions"]]
    if list(table.columns) != columns:
        raise ResultsError(f"{run} is broken: predictions.csv has the columns {list(table.columns)}, not {columns}")
    if set(table["repeat"]) != {repeat} or set(table["fold"]) != {fold}:
        raise ResultsError(f"{run} is broken: predictions.csv is of another repeat or fold")
    return manifest, table, history.assign(repeat=repeat, fold=fold)
