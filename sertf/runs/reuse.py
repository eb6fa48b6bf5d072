"""Reuse of stored runs: they become run directories, so that more repeats cost only the new runs.

Stored results hold the predictions, the history and the manifest of every run, but no model. A run taken over counts in
scores and cannot be exported.
"""

from pathlib import Path
from typing import cast

import pandas as pd

from sertf.runs.facts import Facts, Manifest
from sertf.runs.folder import TAKEN_OVER, new_run, write_manifest
from sertf.runs.layout import RunPlace, is_finished, is_stored, stored_folder
from sertf.runs.stored import ResultsError, read_history, read_json, read_manifests, read_predictions
from sertf.texts import defused_table


def take_over(kept: Path, folder: Path) -> int:
    """Write the runs of stored results into a folder of runs. Existing runs stay as they are.

    Args:
        kept: `<results>/<experiment>/<variant>/<protocol>`; without a report nothing is taken over.
        folder: `<runs>/<variant>/<protocol>`, with the experiment.json of the planned runs.

    Returns:
        Number of runs written.

    Raises:
        ResultsError: the stored results are broken, or of another experiment, recipe or recordings. Or they hold runs
            that are not planned; a report of the folder would lose these.
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
            f"{kept} is broken: its manifest, predictions and history hold different runs; make it again."
        )
    written = 0
    for (repeat, fold), manifest in manifests.items():
        place = RunPlace(folder, repeat, fold).path
        if is_finished(place):
            continue
        with new_run(place) as staging:
            table, history = predictions[repeat, fold], histories[repeat, fold]
            defused_table(table).to_csv(staging / "predictions.csv", index=False, float_format="%.9g")
            history.drop(columns=["repeat", "fold"]).to_csv(staging / "history.csv", index=False, float_format="%.9g")
            write_manifest(staging, {"tested": len(table), **manifest})
            note = f"This run comes from the stored results in {kept}, which hold no models.\n"
            (staging / TAKEN_OVER).write_text(note, encoding="utf-8")
        written += 1
    return written


def stored_pairs(folder: Path, pairs: list[tuple[str, str]], *, wanted: str) -> list[tuple[str, str]]:
    """The pairs of variant and protocol with stored results.

    Args:
        folder: `<results>/<experiment>`.
        pairs: list of (variant, protocol).
        wanted: the option that needs them, for the error.

    Raises:
        ResultsError: there are none.
    """
    found = [pair for pair in pairs if is_stored(stored_folder(folder.parent, folder.name, *pair))]
    if not found:
        variants, protocols = (", ".join(dict.fromkeys(names)) for names in zip(*pairs))
        raise ResultsError(
            f"There is nothing to {wanted}: {folder} holds no stored results of {variants} under {protocols}; leave "
            f"--{wanted} out, or give another --results folder."
        )
    return found


def _check(kept: Path, manifests: dict[tuple[int, str], Manifest], facts: Facts) -> None:
    """Raise a ResultsError unless stored runs are planned, with the experiment and recordings of `facts`."""
    mend = "leave --extend out, and give another --results"
    for manifest in manifests.values():
        if manifest.get("digest") != facts["digest"]:
            raise ResultsError(
                f"{kept} holds results of another experiment or recipe (digest {manifest.get('digest')}, wanted "
                f"{facts['digest']}) and cannot be extended; {mend}."
            )
        if manifest.get("audio_digest") != facts["audio_digest"]:
            raise ResultsError(f"{kept} holds results on other or unknown recordings and cannot be extended; {mend}.")
    repeats = 1 + max((repeat for repeat, _ in manifests), default=-1)
    if repeats > facts["repeats"]:
        raise ResultsError(
            f"{kept} holds {repeats} repeats, more than the {facts['repeats']} planned; give --repeats {repeats} or more."
        )


def _by_run(table: pd.DataFrame) -> dict[tuple[int, str], pd.DataFrame]:
    return {run: part for run, part in table.groupby(["repeat", "fold"], sort=False)}
