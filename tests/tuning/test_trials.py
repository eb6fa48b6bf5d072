import json

import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.experiment.cells import resolve
from sertf.experiment.job import train_job
from sertf.experiment.plan import plan
from sertf.training.recipe import read_recipe
from sertf.tuning.search import TUNERS, _without_test_parts
from tests.toy_search import TOY, made_up, search

pytest.importorskip("keras_tuner", reason="needs the extra tune")


@pytest.fixture
def in_process(monkeypatch):
    return made_up(monkeypatch)


@pytest.mark.parametrize("tuner", TUNERS)
def test_the_best_validation_uar_makes_the_recipe(corpus, cache, tmp_path, in_process, tuner):
    _, trained = in_process
    trials = {"hyperband": None, "grid": 6, "random": 6, "bayesian": 4}[
        tuner
    ]  # three of these at random, then one by model
    found = search(corpus, cache, tmp_path, space=TOY.on(epochs=9), tuner=tuner, trials=trials)
    best = found.trials.loc[found.trials["val_uar"].idxmax()]
    assert found.best_score == best["val_uar"] == pytest.approx(best["learning_rate"] + best["units"] / 10)
    kept = read_recipe(tmp_path / "recipe.json")
    assert kept == found.best and kept.model == "lstm_sa"
    assert (kept.recipe.learning_rate, kept.options) == (best["learning_rate"], {"units": best["units"]})
    assert kept.recipe.epochs == 9
    assert len(trained) == 3 * len(found.trials)
    assert len(pd.read_csv(tmp_path / "trials.csv")) == len(found.trials)
    assert (tmp_path / "trials.png").read_bytes().startswith(b"\x89PNG")
    if tuner == "hyperband":
        assert sorted(set(found.trials["epochs"])) == [1, 3, 9]


@pytest.mark.parametrize("tuner", ["grid", "random", "bayesian"])
def test_broken_off_and_gone_on_with(corpus, cache, tmp_path, in_process, tuner):
    """The first trial is kept, the one in flight starts again, and the search ends as if nothing had happened."""
    train, trained = in_process
    whole = search(corpus, cache, tmp_path / "whole", tuner=tuner)
    trained.clear()
    train.interrupted_at = 5  # the second fold of the second trial
    with pytest.raises(KeyboardInterrupt):
        search(corpus, cache, tmp_path / "broken", tuner=tuner)
    train.interrupted_at = None
    first, again = trained[:3], len(trained)
    found = search(corpus, cache, tmp_path / "broken", tuner=tuner)
    assert len(trained) - again == 6
    assert not {entry[1:] for entry in trained[again:]} & {entry[1:] for entry in first}
    pd.testing.assert_frame_equal(found.trials.drop(columns="seconds"), whole.trials.drop(columns="seconds"))
    assert found.best == whole.best
    search(corpus, cache, tmp_path / "broken", tuner=tuner)
    assert len(trained) - again == 6
    assert len(search(corpus, cache, tmp_path / "broken", tuner=tuner, trials=4).trials) == 4


def test_a_grid_is_tried_out_in_whichever_steps(corpus, cache, tmp_path, in_process):
    train, trained = in_process
    assert len(search(corpus, cache, tmp_path, tuner="grid", trials=1).trials) == 1
    for trainings in (8, 20, 31):
        train.interrupted_at = trainings
        with pytest.raises(KeyboardInterrupt):
            search(corpus, cache, tmp_path, tuner="grid", trials=None)
    train.interrupted_at = None
    found = search(corpus, cache, tmp_path, tuner="grid", trials=None).trials
    rates, units = (1e-3, 3e-3, 1e-2, 3e-2), (2, 3, 4, 5)
    assert sorted(zip(found["learning_rate"], found["units"])) == [(rate, unit) for rate in rates for unit in units]
    counted = len(trained)
    assert len(search(corpus, cache, tmp_path, tuner="grid", trials=None).trials) == 16 and len(trained) == counted


def test_finished_but_not_yet_in_the_oracles_file(corpus, cache, tmp_path, in_process):
    """Killed right behind a trial, whose result is kept: it is not trained again."""
    train, trained = in_process
    train.fails = (2, 3)
    first = search(corpus, cache, tmp_path, trials=4).trials
    oracle = json.loads((tmp_path / "trials" / "oracle.json").read_text())
    oracle["ongoing_trials"] = dict(zip(("worker-0", "worker-1"), first["trial"][-2:]))
    oracle["end_order"] = oracle["end_order"][:-2]
    (tmp_path / "trials" / "oracle.json").write_text(json.dumps(oracle))
    trained.clear()
    again = search(corpus, cache, tmp_path, trials=4).trials
    assert not trained
    pd.testing.assert_frame_equal(again, first)


def test_test_parts_are_never_loaded(corpus, cache, tmp_path, in_process):
    _, trained = in_process
    search(corpus, cache, tmp_path, trials=1)
    assert [fold.test for fold, *_ in trained] == [(), (), ()]
    planned = plan(resolve(TOY.experiment), corpus, out=tmp_path / "other", repeats=1, cache=cache, progress=False).jobs
    for job, (fold, *_) in zip(planned, trained):
        assert (fold.train, fold.validation) == (job.fold.train, job.fold.validation)
        assert job.fold.test and not set(job.fold.test) & {*fold.train, *fold.validation}


def test_a_fold_without_its_test_part_trains(corpus, cache, tmp_path, monkeypatch):
    """Not a single feature of a test utterance is read, whatever trains on."""
    from sertf.extraction.cache import Features

    planned = plan(resolve(TOY.experiment), corpus, out=tmp_path, repeats=1, cache=cache, progress=False).jobs
    (job,) = _without_test_parts(planned, ["fold-2"])
    read, original = set(), Features.__getitem__
    monkeypatch.setattr(Features, "__getitem__", lambda self, name: (read.add(name), original(self, name))[1])
    fitted, _, _ = train_job(job)
    assert read == {*job.fold.train, *job.fold.validation}
    assert not read & set(planned[1].fold.test)
    assert fitted.history["val_uar"].between(0, 1).all()


def test_diverged_trials_have_no_score(corpus, cache, tmp_path, in_process):
    train, _ = in_process
    train.fails = (2, 3)
    found = search(corpus, cache, tmp_path, tuner="grid", trials=None)
    failed = found.trials[found.trials["failed"].notna()]
    assert set(failed["units"]) == {2, 3} and failed["val_uar"].isna().all()
    assert found.best.options == {"units": 5}


def test_trials_that_all_diverge_end_the_search(corpus, cache, tmp_path, in_process):
    train, _ = in_process
    train.fails = range(10)
    with pytest.raises(SertfError, match="consecutive failures.*Training diverged"):
        search(corpus, cache, tmp_path, trials=8)


def test_a_fault_of_the_code_is_no_failed_trial(corpus, cache, tmp_path, in_process, monkeypatch):
    monkeypatch.setattr("sertf.tuning.trials.train_job", lambda job: 1 / 0)
    with pytest.raises(RuntimeError, match="division by zero"):
        search(corpus, cache, tmp_path)
