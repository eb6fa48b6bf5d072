"""Runs of stored results as run directories, so that more repeats cost only the runs that are new.

Stored results hold the predictions, the history and the manifest of every run, but no model. A run that was taken over
counts in scores and cannot be exported.
"""

from pathlib import Path
from typing import cast

import pandas as pd

from sertf.runs.facts import Facts, Manifest
from sertf.runs.folder import TAKEN_OVER, new_run, write_manifest
from sertf.runs.layout import RunPlace, is_finished, is_stored, stored_folder
from sertf.runs.stored import ResultsError, read_history, read_json, read_manifests, read_predictions


def take_over(kept: Path, folder: Path) -> int:
    """Write the runs of stored results into a folder of runs; those that stand there already stay as they are.

    Args:
        kept: `<results>/<experiment>/<variant>/<protocol>`; without a report nothing is taken over.
        folder: `<runs>/<variant>/<protocol>`, with the experiment.json of the runs that are planned.

    Returns:
        Number of runs that were written.

    Raises:
        ResultsError: the kept results are broken, of another experiment, recipe or recordings, or of runs that are not
            planned, which a report of the folder would lose.
        RunError: the folder cannot be written to.
    """
    if not is_stored(kept):
        return 0
    facts = cast(Facts, read_json(folder / "experiment.json"))
    manifests = read_manifests(kept / "manifest.json")
    _check(kept, manifests, facts)
    predictions = _by_run(read_predictions(kept / "predictions.csv.gz"))
    histories = _by_run(read_history(kept / "history.csv.gz"))
    lacking = [run for run in manifests if run not in predictions or run not in histories]
    if lacking or len(manifests) != len(predictions):
        raise ResultsError(
            f"{kept} is broken: its manifest, predictions and history are of different runs; make it again."
        )
    written = 0
    for (repeat, fold), manifest in manifests.items():
        place = RunPlace(folder, repeat, fold).path
        if is_finished(place):
            continue
        with new_run(place) as staging:
            table, history = predictions[repeat, fold], histories[repeat, fold]
            table.to_csv(staging / "predictions.csv", index=False, float_format="%.9g")
            history.drop(columns=["repeat", "fold"]).to_csv(staging / "history.csv", index=False, float_format="%.9g")
            write_manifest(staging, {"tested": len(table), **manifest})
            note = f"This run comes from the kept results in {kept}, which hold no models.\n"
            (staging / TAKEN_OVER).write_text(note, encoding="utf-8")
        written += 1
    return written


def stored_pairs(folder: Path, pairs: list[tuple[str, str]], *, wanted: str) -> list[tuple[str, str]]:
    """Those pairs of variant and protocol of which results are stored.

    Args:
        folder: `<results>/<experiment>`.
        pairs: list of (variant, protocol).
        wanted: what is to be done with them, for the error.

    Raises:
        ResultsError: there is none.
    """
    found = [pair for pair in pairs if is_stored(stored_folder(folder.parent, folder.name, *pair))]
    if not found:
        variants, protocols = (", ".join(dict.fromkeys(names)) for names in zip(*pairs))
        raise ResultsError(
            f"There is nothing to {wanted}: {folder} keeps no results of {variants} under {protocols}; leave --{wanted} "
            "out, or give the --results folder that does."
        )
    return found


def _check(kept: Path, manifests: dict[tuple[int, str], Manifest], facts: Facts) -> None:
    """Raise a ResultsError unless stored runs are of the experiment and recordings of `facts`, and planned."""
    mend = "leave --extend out, and give another --results"
    for manifest in manifests.values():
        if manifest.get("digest") != facts["digest"]:
            raise ResultsError(
                f"{kept} holds results of another experiment or recipe (digest {manifest.get('digest')}, wanted "
                f"{facts['digest']}), which cannot be extended; {mend}."
            )
        if manifest.get("audio_digest") != facts["audio_digest"]:
            raise ResultsError(
                f"{kept} holds results on other recordings, or does not say on which, and cannot be extended; {mend}."
            )
    repeats = 1 + max((repeat for repeat, _ in manifests), default=-1)
    if repeats > facts["repeats"]:
        raise ResultsError(
            f"{kept} holds {repeats} repeats, of which {facts['repeats']} would be left; give --repeats {repeats} or more."
        )


def _by_run(table: pd.DataFrame) -> dict[tuple[int, str], pd.DataFrame]:
    return {run: part for run, part in table.groupby(["repeat", "fold"], sort=False)}
