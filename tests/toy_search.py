"""A tiny search, and trainings made up for it, which the tests of searches and of their trials share."""

from dataclasses import replace

import pandas as pd

from sertf.experiment.search_space import SearchSpace
from sertf.training.fit import Fitted, RunError
from sertf.tuning import search as tuning
from tests.toy import EXPERIMENT


def ask(hp):
    return {"learning_rate": hp.Choice("learning_rate", [1e-3, 3e-3, 1e-2, 3e-2])}, {"units": hp.Int("units", 2, 5)}


TOY = SearchSpace(
    replace(
        EXPERIMENT,
        variants={
            "search": replace(EXPERIMENT.variants["small"], recipes={"search": EXPERIMENT.recipe("small", "strict")})
        },
        protocols={"search": EXPERIMENT.protocols["strict"]},
    ),
    ask,
)


def search(corpus, cache, out, *, space=TOY, **options):
    return tuning.search(space, corpus, out=out, cache=cache, progress=False, **{"trials": 3, **options})


def made_up(monkeypatch):
    """Run trials here instead of in processes of their own, and make trainings up.

    The validation UAR grows with the rate and the units; what `fails` holds as units diverges.

    Returns:
        The function that takes a training's place, and the list of what was trained.
    """
    from sertf.tuning import trials

    trained = []

    def train(job):
        rate, units = job.recipe.learning_rate, job.options["units"]
        trained.append((job.fold, rate, units, job.recipe.epochs))
        if train.interrupted_at == len(trained):
            raise KeyboardInterrupt
        if units in train.fails:
            raise RunError("Training diverged in epoch 1.")
        uar = rate + units / 10
        return Fitted(None, pd.DataFrame({"epoch": [1, 2], "val_uar": [uar, 0.9]}), 1), None, None

    train.interrupted_at, train.fails = None, ()
    monkeypatch.setattr(trials, "train_job", train)
    monkeypatch.setattr(trials, "forget_models", lambda: None)
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    monkeypatch.setattr(tuning, "_run_processes", lambda task, _: trials.run(trials.Search(**task)))
    return train, trained
