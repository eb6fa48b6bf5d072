"""The trials of a search, on Keras Tuner: one trial trains every fold once and is scored by its validation part.

A trial leaves its recipe file and result.json, its score by fold, beside what Keras Tuner keeps of it.

Imports Keras Tuner, which takes seconds: `sertf.tuning.search` imports this module when a search runs.
"""

import contextlib
import functools
import io
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import keras_tuner
import numpy as np

from sertf.errors import SertfError
from sertf.experiment.job import train_job
from sertf.experiment.search_space import RESULT, SearchSpace
from sertf.files import write_text
from sertf.parallel.environment import forget_models
from sertf.runs.stored import read_json
from sertf.training.fit import RunError
from sertf.training.recipe import write_recipe

OBJECTIVE = "val_uar"


class GridOracle(keras_tuner.oracles.GridSearchOracle):
    """Keras Tuner's grid, made resumable: the original does not store the order of its trials."""

    def reload(self):
        super().reload()
        # One that was not written into the oracle's file yet is drawn again.
        values = {name: self.trials[name].hyperparameters.values for name in self.start_order}
        ordered = sorted(values, key=functools.cmp_to_key(lambda a, b: self._compare(values[a], values[b])))
        for name in ordered:
            self._ordered_ids.insert(name)
        self._populate_next = ordered  # what follows each, where it was not tried


_ORACLES = {
    "grid": GridOracle,
    "random": keras_tuner.oracles.RandomSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
}


@dataclass(frozen=True)
class Search:
    """What a process of a search needs to know, picklable.

    Attributes:
        folder: Keras Tuner's project; it is made, or gone on with.
        space: what is searched.
        jobs: one `sertf.experiment.job.Job` a fold, whose test part is empty.
        tuner: one of `sertf.tuning.search.TUNERS`.
        trials: how many at most; None tries a grid out.
        epochs: of a full training, to which Hyperband trains its best.
        seed: of what is drawn.
    """

    folder: Path
    space: SearchSpace
    jobs: list
    tuner: str
    trials: int | None
    epochs: int
    seed: int


class ZooHyperModel(keras_tuner.HyperModel):
    """A model of the zoo whose builder's options are hyperparameters."""

    def __init__(self, search):
        super().__init__(name=search.space.variant.model)
        self.search = search

    def build(self, hp):
        job, tuned = self.search.jobs[0], self.search.space.tuned(hp)
        return job.trainer.build(_options(job, tuned), tuned.recipe, job.input_shape, len(job.emotions))


class FoldTuner(keras_tuner.Tuner):
    """Keras Tuner's loop around trials that train every fold; what they found stands in `trial_*/result.json`."""

    def __init__(self, search):
        self.of = search
        super().__init__(
            _oracle(search),
            ZooHyperModel(search),
            directory=search.folder.parent,
            project_name=search.folder.name,
            overwrite=False,
        )

    def pre_create_trial(self):
        # A worker that waits for the others' trials asks its oracle again and again, without a pause.
        time.sleep(0.1)

    def run_trial(self, trial, **_):
        hp, search = trial.hyperparameters, self.of
        tuned = search.space.tuned(hp)
        epochs = hp.values.get("tuner/epochs", tuned.recipe.epochs)
        trained = {**vars(tuned.recipe), **tuned.options}  # the space may have rounded what the tuner drew
        result = {
            "trial": trial.trial_id,
            "epochs": epochs,
            "values": {name: trained.get(name, v) for name, v in hp.values.items() if not name.startswith("tuner/")},
        }
        kept = self._kept(trial, result)
        if kept is not None:
            if kept["failed"]:
                raise keras_tuner.errors.FailedTrialError(kept["failed"])
            return {OBJECTIVE: kept[OBJECTIVE]}
        started = time.time()
        try:
            folds = [_validated(job, tuned, epochs) for job in search.jobs]
        except RunError as error:
            self._write(trial, result | {OBJECTIVE: None, "failed": str(error)})
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        except Exception as error:
            # Anything else is no property of the trial's values: it ends the search instead of counting as a bad trial.
            raise keras_tuner.errors.FatalRuntimeError(str(error)) from error
        uar = float(np.mean([fold[OBJECTIVE] for fold in folds]))
        seconds = round(time.time() - started, 1)
        self._write(trial, result | {OBJECTIVE: uar, "folds": folds, "seconds": seconds, "failed": None})
        print(f"trial {trial.trial_id}: validation UAR {uar:.4f} after {epochs} epochs, {seconds:.0f} s", flush=True)
        return {OBJECTIVE: uar}

    def _kept(self, trial, described):
        """The result of a trial that was finished, but not yet so in the oracle's file when its search was killed."""
        place = Path(self.get_trial_dir(trial.trial_id)) / RESULT
        if not place.exists():
            return None
        result = read_json(place)
        return result if all(result[key] == value for key, value in described.items()) else None

    def _write(self, trial, result):
        place = Path(self.get_trial_dir(trial.trial_id)) / RESULT
        write_recipe(place.with_name("recipe.json"), self.of.space.tuned(trial.hyperparameters))
        write_text(place, json.dumps(result, indent=1) + "\n")


def run(search):
    """Run trials until none is left; in Keras Tuner's environment variables it is chief or worker of a search.

    Raises:
        SertfError: a project that cannot be gone on with, or trials that fail one after the other.
    """
    try:
        # Keras Tuner prints a line when it resumes a project.
        with contextlib.redirect_stdout(io.StringIO()):
            tuner = FoldTuner(search)
    except (json.JSONDecodeError, KeyError) as error:
        raise SertfError(f"{search.folder} is damaged ({error}); delete it and search again.") from error
    try:
        tuner.search()
    except RuntimeError as error:
        if isinstance(error, keras_tuner.errors.FatalRuntimeError) or "consecutive failures" not in str(error):
            raise
        raise SertfError(f"The search ends: {' '.join(str(error).split())}") from error


def _oracle(search):
    options = {"objective": keras_tuner.Objective(OBJECTIVE, "max"), "seed": search.seed}
    if search.tuner == "hyperband":
        options["max_epochs"] = search.epochs
    else:
        options["max_trials"] = search.trials
    if search.tuner == "bayesian":
        # By default three random trials a hyperparameter come first, which most searches would not outlast.
        options["num_initial_points"] = max(3, search.trials // 4)
    oracle = _ORACLES[search.tuner](**options)
    oracle.verbose = 0
    return oracle


def _validated(job, tuned, epochs):
    """Train one fold; its validation UAR and the epoch of it."""
    recipe = replace(tuned.recipe, epochs=epochs)
    fitted, _, _ = train_job(replace(job, options=_options(job, tuned), recipe=recipe))
    forget_models()
    uar = fitted.history.set_index("epoch").loc[fitted.best_epoch, OBJECTIVE]
    # Keras gives float32, whose last digits would tell trials apart that recognised the same.
    return {
        "fold": job.fold.name,
        OBJECTIVE: round(float(uar), 6),
        "best_epoch": fitted.best_epoch,
        "epochs": len(fitted.history),
    }


def _options(job, tuned):
    return {**job.options, **tuned.options}
