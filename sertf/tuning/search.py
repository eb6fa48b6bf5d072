"""Search hyperparameters with Keras Tuner, by the validation parts of a protocol's folds; test parts are never loaded.

    sertf tune demo --tuner bayesian --trials 20 --workers 2

After an interruption the same command resumes: finished trials are stored, those in flight start again. The best trial
becomes a recipe file for the `--recipe` of an experiment.

Together, the folds' validation speakers are most of a corpus, and each is tested in another fold. So a search on all
folds chooses by speakers who are tested later. A run's own test part never takes part. `folds` limits a search to some
folds.
"""

import contextlib
import importlib.util
import json
import multiprocessing
import multiprocessing.connection
import pickle
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from sertf.errors import SertfError, exit_code
from sertf.experiment.cells import resolve
from sertf.experiment.plan import plan
from sertf.experiment.search_space import RESULT, SEARCH
from sertf.files import check_writable, locked
from sertf.parallel.environment import environment, import_tensorflow_quietly, in_environment, standard_error_hidden
from sertf.parallel.interpreter import end_with_parent
from sertf.runs.stored import read_json
from sertf.texts import defused_table
from sertf.training.fit import RunError
from sertf.training.recipe import Tuned, read_recipe, write_recipe

TUNERS = ("grid", "random", "bayesian", "hyperband")
SCORE = "val_uar"
# What makes a search another one, by its keys in search.json.
_DECIDING = {
    "tuner": "another tuner",
    "epochs": "other epochs",
    "folds": "other folds",
    "hyperparameters": "other hyperparameters",
    "digest": "another table, protocol, model or recipe",
    "audio_digest": "other recordings",
}


class TuningError(SertfError):
    """A search that cannot be made or gone on with."""


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        trials: table of one row a trial in order: trial, val_uar (mean over the folds, missing if training failed),
            epochs, one column a hyperparameter, seconds, failed (the reason).
        best: the `sertf.training.recipe.Tuned` of the highest val_uar; ties go to the earlier one.
        best_score: its val_uar.
    """

    trials: pd.DataFrame
    best: Tuned
    best_score: float


def search(
    space,
    table,
    *,
    out,
    tuner="random",
    trials=20,
    folds=None,
    workers_count=1,
    cache=None,
    skip_bad=False,
    progress=True,
):
    """Search a space, or resume its search; writes trials.csv, trials.png and recipe.json.

    Every trial trains each fold once, from the same seeds. Its score is the mean validation UAR of the weights that its
    recipe keeps. A training that diverges is a failed trial. Three in a row end the search.

    Args:
        space: `sertf.experiment.search_space.SearchSpace`.
        table: utterance table.
        out: folder of the search.
        tuner: "grid", "random", "bayesian" (a Gaussian process, from a quarter of the trials on), or "hyperband". The
            last one trains many trials for a few epochs and the best of them anew for more.
        trials: number of trials; None tries a whole grid. "hyperband" needs None: its epochs decide.
        folds: names of folds to train; None for all.
        workers_count: worker processes; each runs a trial at a time, with one thread.
        cache: folder of the feature cache; None uses the default.
        skip_bad: continue without clips that cannot be used.
        progress: show the progress of the extraction; a finished trial prints a line either way.

    Returns:
        Found.

    Raises:
        TuningError: no Keras Tuner, arguments out of range, another search's folder, or a process that stopped.
        RunError, LeakageError, ProtocolError: as `sertf.experiment.runner.run`.
        Busy: another command searches in the folder.
    """
    if importlib.util.find_spec("keras_tuner") is None:
        raise TuningError("A search needs the extra: pip install 'sertf[tune]'.")
    if tuner not in TUNERS:
        raise TuningError(f"Unknown tuner '{tuner}'; known are {', '.join(TUNERS)}.")
    if (trials is None) != (tuner == "hyperband") and not (tuner == "grid" and trials is None):
        wanted = "None, since its epochs decide" if tuner == "hyperband" else "1 or more"
        raise TuningError(f"trials of a {tuner} search must be {wanted}, but is {trials!r}.")
    if workers_count < 1 or (trials is not None and trials < 1):
        raise TuningError(f"trials and workers must be 1 or more, but are {trials} and {workers_count}.")
    setting = space.experiment.setting(SEARCH)
    if setting.watch_test or setting.scaling != "training":
        raise TuningError(
            "The space's setting scores the test part or scales by it, but a search never loads it; leave watch_test and "
            "scaling out of its Setting."
        )
    _check_can_be_sent(space)
    import_tensorflow_quietly()
    out = Path(out)
    check_writable(out, "--out folder", RunError)
    (cell,) = resolve(space.experiment)
    with locked(out / ".search.lock", out, wait=False):
        # A search writes no run directories; what a plan prepares for them is of no use to anybody.
        with tempfile.TemporaryDirectory() as unused:
            planned = plan(
                [cell],
                table,
                out=unused,
                repeats=1,
                workers=workers_count,
                cache=cache,
                skip_bad=skip_bad,
                progress=progress,
            )
        epochs, jobs = cell.recipe.epochs, _without_test_parts(planned.jobs, folds)
        described = {"tuner": tuner, "epochs": epochs, "folds": folds, "hyperparameters": _asked(space, cell)}
        described |= {key: jobs[0].facts[key] for key in ("digest", "audio_digest")}
        _check_same(out / "search.json", described)
        task = {
            "folder": (out / "trials").absolute(),
            "space": space,
            "jobs": jobs,
            "tuner": tuner,
            "trials": trials,
            "epochs": epochs,
            "seed": space.experiment.seed,
        }
        with in_environment(environment(planned.cache)):
            _run_processes(task, workers_count)
        return _write_found(out)


def _check_can_be_sent(space):
    """Raise TuningError for a space that the processes of a search cannot be given."""
    try:
        pickle.dumps(space)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TuningError(
            "The space cannot be sent to the search's processes: its `ask` must be a function of a module or script, not a "
            f"lambda or a function inside another ({error})."
        ) from error


def _without_test_parts(jobs, folds):
    """The jobs of some folds with their test parts taken out, so that no trial can load or score one."""
    known = [job.fold.name for job in jobs]
    unknown = [name for name in folds or () if name not in known]
    if unknown:
        raise TuningError(f"Unknown fold '{unknown[0]}'; known are {', '.join(known)}.")
    if not all(job.fold.validation for job in jobs):
        raise TuningError("The protocol has no validation part to choose by; take one that holds speakers out.")
    return [replace(job, fold=replace(job.fold, test=())) for job in jobs if folds is None or job.fold.name in folds]


def _asked(space, cell):
    """What a space asks for: its hyperparameters with their ranges, plain values."""
    with standard_error_hidden():
        import keras_tuner

    hyperparameters = keras_tuner.HyperParameters()
    tuned = space.tuned(hyperparameters)
    cell.trainer.check_options({**cell.variant.options, **tuned.options})
    return json.loads(json.dumps(hyperparameters.get_config()["space"]))


def _check_same(place, described):
    """Write what search a folder holds, or raise if it holds another."""
    if place.exists():
        found = read_json(place)
        other = [_DECIDING[key] for key in described if found.get(key) != described[key]]
        if other and any((place.parent / "trials").glob(f"trial_*/{RESULT}")):
            raise TuningError(
                f"{place.parent} holds another search, of {', '.join(other)}; choose another --out folder or delete it."
            )
        if other:  # nothing was found in it
            shutil.rmtree(place.parent / "trials", ignore_errors=True)
    place.write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def _run_processes(task, count):
    """One process that searches alone, or Keras Tuner's chief, which keeps the trials, and `count` that run them."""
    # The name of the process that keeps the trials is in their files: the same one lets the number of workers change.
    names, address = ["chief"], dict.fromkeys(("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"))
    if count > 1:
        names += [f"worker-{number}" for number in range(count)]
        address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(_free_port())}
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_process, args=(task,), name=name) for name in names]
    try:
        for process in processes:
            with in_environment({**address, "KERASTUNER_TUNER_ID": process.name}):
                process.start()
        working = processes[1:] or processes
        while True:
            # Asked once a turn: a process may end between two questions, and waiting for none would never end.
            alive = [process for process in processes if process.is_alive()]
            stopped = next((process for process in processes if process.exitcode), None)
            if stopped is not None or not any(process in alive for process in working):
                break
            multiprocessing.connection.wait([process.sentinel for process in alive])
    finally:
        # The chief has saved every finished trial; it would wait 20 s for workers that are gone.
        for process in processes:
            if process.is_alive():
                process.terminate()
                process.join()
    if stopped is not None:
        raise TuningError(
            f"{stopped.name} of the search stopped (exit code {stopped.exitcode}), see above. Finished trials are stored; "
            "mend the cause and run the same command to resume."
        )


def _free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _process(task):
    """Body of a process of a search."""
    end_with_parent()
    # Keras Tuner imports TensorFlow whatever the backend.
    with standard_error_hidden():
        from sertf.tuning import trials
    try:
        with exit_code() as code:
            trials.run(trials.Search(**task))
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C reaches every process; the first one prints the message
    sys.exit(code.value)


def _write_found(out):
    from sertf.plots.scores import save_figure
    from sertf.plots.search import draw_trials

    results = [read_json(path) for path in (out / "trials").glob(f"trial_*/{RESULT}")]
    results.sort(key=lambda result: int(result["trial"]))
    if not any(result[SCORE] is not None for result in results):
        reason = next((result["failed"] for result in results if result["failed"]), "none was finished")
        raise TuningError(f"No trial of the search in {out} has a score: {reason}")
    values = list(dict.fromkeys(name for result in results for name in result["values"]))
    table = pd.DataFrame(
        [
            {
                "trial": result["trial"],
                SCORE: result[SCORE],
                "epochs": result["epochs"],
                **{name: result["values"].get(name) for name in values},
                **{name: result.get(name) for name in ("seconds", "failed")},
            }
            for result in results
        ]
    )
    table[SCORE] = table[SCORE].astype(float)
    best = table.loc[table[SCORE].idxmax()]
    tuned = read_recipe(out / "trials" / f"trial_{best['trial']}" / "recipe.json")
    defused_table(table).to_csv(out / "trials.csv", index=False, float_format="%.6g")
    write_recipe(out / "recipe.json", tuned)
    save_figure(draw_trials(table, score=SCORE, values=values), out / "trials.png")
    return Found(table, tuned, float(best[SCORE]))
