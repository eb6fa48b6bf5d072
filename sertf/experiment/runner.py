"""Repeats × folds of an experiment over worker processes, resumable.

Every (repeat, fold) is one independent run with its own seed and directory. Finished runs are skipped, broken ones
start again. The same command resumes after an interruption. At most the runs in flight are lost.
"""

import contextlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from sertf.errors import unknown
from sertf.experiment.cells import resolve
from sertf.experiment.description import Experiment
from sertf.experiment.job import run_job
from sertf.experiment.plan import PlanError, plan
from sertf.files import check_writable, locked
from sertf.parallel import processes
from sertf.runs.layout import RunPlace, runs_folder, runs_lock
from sertf.training.fit import Diverged, RunError
from sertf.training.tensorboard import check_installed as check_tensorboard


def run(
    experiment: Experiment,
    table: pd.DataFrame,
    *,
    out: Path | str,
    variants: list[str] | None = None,
    protocol_names: list[str] | None = None,
    repeats: int = 10,
    workers: int | None = None,
    scheduler: str = "processes",
    cache: Path | str | None = None,
    results: Path | str | None = None,
    extend: bool = False,
    skip_bad: bool = False,
    progress: bool = True,
    tensorboard: Path | str | None = None,
    networks: Path | str | None = None,
) -> dict[tuple[str, str], Path]:
    """Train every repeat and fold of an experiment's variants under its protocols.

    Args:
        experiment: the experiment to train.
        table: utterance table.
        out: folder of the run directories, `<out>/<variant>/<protocol>/repeat-NN/<fold>`.
        variants: names to run; None for all.
        protocol_names: names to run; None for all.
        repeats: runs of every fold, with different seeds.
        workers: worker processes, one thread each; None uses one a core.
        scheduler: "processes" on this machine, or a running "dask" or "ray" cluster.
        cache: folder of the feature cache; None uses the default.
        results: folder for the reports, in `<results>/<experiment>/<variant>/<protocol>`. `run` checks before training
            that they replace no other results there. None writes none.
        extend: count the runs stored under `results` as finished, and run only the variants stored there.
        skip_bad: continue without clips that cannot be used, and record which.
        progress: show progress on standard error.
        tensorboard: folder for the scores of each epoch, which TensorBoard shows while runs are trained; needs the extra
            of its name. Each run has `<variant>/<protocol>/repeat-NN/<fold>` in it. None writes none.
        networks: `<runs>/<variant>/<protocol>` of finished runs. Where a linear model reads a network, that of the same
            repeat and fold is taken from there in place of training it. None trains.

    Returns:
        dict of (variant, protocol) to the folder that `sertf.reports.report` reads.

    Raises:
        PlanError, CheckError, RunError, LeakageError, ProtocolError: bad arguments, foreign run directories, leaking folds.
        ResultsError: results that cannot be extended or replaced.
        Diverged: a training diverged; the other runs finish first.
        Busy: another command trains the same variant under the same protocol in this folder.
    """
    from sertf.extraction.clip import usable_cores

    if scheduler not in processes.SCHEDULERS:
        raise PlanError(unknown("scheduler", scheduler, processes.SCHEDULERS))
    if tensorboard is not None:
        check_tensorboard()
    cells = resolve(experiment, variants, protocol_names)
    check_writable(Path(out), "--out folder", RunError)
    with contextlib.ExitStack() as locks:
        for names in dict.fromkeys(cell.names for cell in cells):
            folder = runs_folder(Path(out), *names)
            locks.enter_context(locked(runs_lock(folder), folder, wait=False))
        planned = plan(
            cells,
            table,
            out=out,
            repeats=repeats,
            workers=workers,
            cache=cache,
            results=results,
            extend=extend,
            skip_bad=skip_bad,
            progress=progress,
            networks=networks,
        )
        jobs = planned.jobs
        if tensorboard is not None:
            # The workers of a cluster have other current folders.
            events = Path(tensorboard).absolute()
            jobs = [replace(job, tensorboard=events / RunPlace.parse(job.folder).label) for job in jobs]
        done = processes.run_all(
            run_job,
            jobs,
            workers=workers or usable_cores(),
            scheduler=scheduler,
            progress=progress,
            cache=planned.cache,
            done=planned.finished,
        )
    diverged = [result for result in done if isinstance(result, Diverged)]
    if diverged:
        raise Diverged(f"{len(diverged)} of {len(done)} runs diverged; the others are finished. {diverged[0]}")
    return planned.folders
