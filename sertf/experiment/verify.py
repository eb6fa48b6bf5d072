"""Compare stored results with a training today: retrain the first epochs of a stored run on this machine.

Corpus, features, folds, network, loss and seed all decide the loss after an epoch. So one epoch shows within minutes
whether hours of training would reproduce the stored results. Rounding differs between processors and grows with epochs.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sertf.errors import check_whole
from sertf.experiment.cells import resolve
from sertf.experiment.job import train_job
from sertf.experiment.plan import plan
from sertf.parallel import processes
from sertf.parallel.environment import forget_models
from sertf.reports import markdown
from sertf.runs import reuse
from sertf.runs.layout import stored_folder
from sertf.runs.stored import ResultsError, read_history, read_manifests

COLUMNS = ("variant", "protocol", "repeat", "fold", "epoch", "kept", "here", "lowest", "highest", "runs")


def verify(
    experiment,
    table,
    *,
    results,
    variants=None,
    protocol_names=None,
    epochs=1,
    workers=None,
    scheduler="processes",
    **options,
):
    """Retrain the first stored run of each variant and protocol for some epochs, and compare its losses.

    Args:
        experiment: `sertf.experiment.Experiment`.
        table: utterance table.
        results: folder of stored results, `<results>/<experiment>/<variant>/<protocol>`; nothing is written there.
        variants, protocol_names: names; None for all. Names without stored results are left out.
        epochs: number of epochs, 1 or more, at most those stored. A scikit-learn model is fitted as a whole.
        workers, scheduler, options: as for `sertf.experiment.runner.run`.

    Returns:
        DataFrame with `COLUMNS`, a row an epoch: the stored training loss, the loss on this machine, and the lowest and
        highest loss of all stored runs of the variant after this epoch, with their number.

    Raises:
        ResultsError: nothing is stored, or it is of another experiment, recipe or seed, or from another backend.
        SertfError: as `sertf.experiment.plan.plan`, and as training.
    """
    from sertf.extraction.clip import usable_cores

    check_whole("verify", epochs=epochs)
    root = Path(results) / experiment.name
    cells = resolve(experiment, variants, protocol_names)
    stored = reuse.stored_pairs(root, [cell.names for cell in cells], wanted="verify")
    kept = {name: stored_folder(root.parent, root.name, *name) for name in stored}
    first = {name: _first_of(place) for name, place in kept.items()}
    for name, place in kept.items():
        _check_backend(place, first[name][1])
    with tempfile.TemporaryDirectory() as folder:
        stored_cells = [cell for cell in cells if cell.names in kept]
        planned = plan(stored_cells, table, out=folder, repeats=1, workers=workers, **options)
    jobs = {(*_names_of(job), job.repeat, job.fold.name): job for job in planned.jobs}
    done = processes.run_all(
        _train,
        [_cut(_job_of(place, jobs, name, *first[name]), epochs) for name, place in kept.items()],
        workers=workers or usable_cores(),
        scheduler=scheduler,
        progress=options.get("progress", True),
        cache=planned.cache,
    )
    rows = [row for name, found in done for row in _rows(name, kept[name], found)]
    rows.sort(key=lambda row: (list(kept).index(row[:2]), row[4]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _first_of(place):
    """(repeat, fold) and manifest of the first stored run."""
    return next(iter(read_manifests(place / "manifest.json").items()), ((None, None), {}))


def _check_backend(place, manifest):
    """Raise if another backend trained the run: it draws other numbers from the same seed."""
    import keras

    here = keras.backend.backend()
    trained = manifest.get("backend", here)
    if trained not in (here, "scikit-learn"):
        raise ResultsError(
            f"{place} was trained under {trained}, which draws other weights than {here} from the same seed; set "
            f"KERAS_BACKEND={trained} to verify it, or name other variants."
        )


def _names_of(job):
    """Names of the variant and the protocol of a job."""
    return job.facts["variant"], job.facts["protocol"]


def _job_of(place, jobs, name, run, manifest):
    """The planned job of a stored run."""
    repeat, fold = run
    job = jobs.get((*name, repeat, fold))
    if job is None:
        raise ResultsError(f"{place} holds first repeat {repeat}, fold {fold}, but the experiment has no such run.")
    if (manifest.get("digest"), manifest.get("seed")) != (job.facts["digest"], job.seed):
        raise ResultsError(
            f"{place} holds results of another experiment, recipe or seed (digest {manifest.get('digest')}, seed "
            f"{manifest.get('seed')}; now {job.facts['digest']} and {job.seed}), so training cannot reproduce them."
        )
    if manifest.get("audio_digest") not in (None, job.facts["audio_digest"]):
        raise ResultsError(f"{place} holds results on other recordings of the same names; they cannot be reproduced.")
    return job


def _cut(job, epochs):
    """The job with this number of epochs, without scores of the test part after them."""
    recipe = job.recipe and replace(job.recipe, epochs=min(epochs, job.recipe.epochs))
    return replace(job, recipe=recipe, watch_test=False)


def _train(job):
    """The work of a worker: the history of a job, with the names of its variant and protocol."""
    fitted, _, _ = train_job(job)
    forget_models()
    return _names_of(job), fitted.history.assign(repeat=job.repeat, fold=job.fold.name)


def _rows(name, place, found):
    kept = read_history(place / "history.csv.gz")
    for here in found.itertuples():
        after = kept[kept["epoch"] == here.epoch]
        own = after[(after["repeat"] == here.repeat) & (after["fold"] == here.fold)]
        if len(own):
            losses = after["loss"]
            yield (
                *name,
                here.repeat,
                here.fold,
                here.epoch,
                own["loss"].iloc[0],
                here.loss,
                losses.min(),
                losses.max(),
                len(losses),
            )


def page(found):
    """The outcome of `verify` as a Markdown table and a line on its columns."""
    body = [
        [
            f"`{row.variant}`",
            f"`{row.protocol}`",
            f"{row.repeat}, {row.fold}",
            f"{row.epoch}",
            f"{row.kept:.6g}",
            f"{row.here:.6g}",
            f"{row.here - row.kept:+.1e}",
            f"{row.lowest:.6g} to {row.highest:.6g} ({row.runs} runs)",
        ]
        for row in found.itertuples()
    ]
    head = ["variant", "protocol", "repeat, fold", "epoch", "stored loss", "here", "difference", "all stored runs"]
    note = (
        "Training loss after an epoch, stored with 6 digits. Rounding differs between processors. Another seed, other "
        "recordings or another recipe differ by more, as the stored runs do from each other."
    )
    return "\n".join([*markdown.table(head, body, align="lll"), "", note])
