import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from sertf import cli
from sertf.errors import SertfError
from sertf.experiment.search_space import SEARCH
from sertf.files import Busy, locked
from sertf.training.recipe import read_recipe
from sertf.tuning import search as tuning
from tests.toy_search import TOY, made_up, search

pytest.importorskip("keras_tuner", reason="needs the extra tune")


def asks_for_less(hp):
    return {"learning_rate": hp.Choice("learning_rate", [1e-3])}, {"units": hp.Int("units", 2, 5)}


def asks_for_an_unknown_field(hp):
    return {"learning_rat": hp.Choice("learning_rate", [1e-3])}, {}


def asks_for_one_dict(hp):
    return {"learning_rate": hp.Choice("learning_rate", [1e-3])}


def asks_for_an_unknown_option(hp):
    return {}, {"unitz": hp.Choice("units", [3])}


def asks_for_no_units(hp):
    return {}, {"units": hp.Choice("units", [0, 8])}


@pytest.fixture
def in_process(monkeypatch):
    return made_up(monkeypatch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tuner": "annealing"}, "Unknown tuner 'annealing'; known are grid, random, bayesian, hyperband"),
        ({"tuner": "hyperband", "trials": 3}, "trials of a hyperband search must be None"),
        ({"tuner": "random", "trials": None}, "trials of a random search must be 1 or more"),
        ({"trials": 0}, "trials and workers must be 1 or more"),
        ({"workers_count": 0}, "trials and workers must be 1 or more"),
        ({"folds": ["fold-9"]}, "Unknown fold 'fold-9'; known are fold-1, fold-2, fold-3"),
    ],
)
def test_bad_arguments(corpus, cache, tmp_path, options, message):
    with pytest.raises(SertfError, match=message):
        search(corpus, cache, tmp_path, **options)
    assert not (tmp_path / "search.json").exists()


def test_a_second_search_in_the_folder_is_refused_while_one_is_at_work(corpus, cache, tmp_path):
    with locked(tmp_path / ".search.lock", tmp_path), pytest.raises(Busy, match="Another command is writing to"):
        search(corpus, cache, tmp_path, trials=1)
    assert list(tmp_path.iterdir()) == []


def test_another_search_in_the_folder(corpus, cache, tmp_path, in_process):
    search(corpus, cache, tmp_path, trials=1)
    assert not list(tmp_path.rglob("experiment.json"))  # no runs, of which a report could be written
    with pytest.raises(SertfError, match="holds another search, of another tuner; choose another --out"):
        search(corpus, cache, tmp_path, tuner="bayesian")
    table = corpus[corpus["emotion"] != "anger"]
    with pytest.raises(SertfError, match="of another table, protocol, model or recipe, other recordings; choose"):
        tuning.search(TOY, table, out=tmp_path, trials=1, cache=cache, progress=False)
    with pytest.raises(SertfError, match="of another table, protocol, model or recipe; choose"):
        search(corpus, cache, tmp_path, space=TOY.on(protocol="leave-one-speaker-out"))
    with pytest.raises(SertfError, match="of other hyperparameters; choose"):
        search(corpus, cache, tmp_path, space=replace(TOY, ask=asks_for_less))
    assert len(in_process[1]) == 3  # nothing was trained for any of them
    (tmp_path / "trials" / "oracle.json").write_text("")
    with pytest.raises(SertfError, match="is damaged .* delete it and search again"):
        search(corpus, cache, tmp_path)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            asks_for_an_unknown_field,
            "Unknown field of a recipe, which the space's `ask` changes, 'learning_rat'; did you mean",
        ),
        (asks_for_one_dict, "must return two dicts.* It returned {'learning_rate': 0.001}"),
        (asks_for_an_unknown_option, "Unknown option of lstm_sa 'unitz'; did you mean units"),
        (asks_for_no_units, "LSTM-SA: units must be a whole number above 0, got 0"),
    ],
)
def test_spaces_that_ask_for_what_is_not_there(corpus, cache, tmp_path, in_process, ask, message):
    with pytest.raises(SertfError, match=message):
        search(corpus, cache, tmp_path, space=replace(TOY, ask=ask))
    assert not in_process[1] and not (tmp_path / "search.json").exists()


def test_a_search_that_found_nothing_gives_way_to_another(corpus, cache, tmp_path, in_process):
    train, trained = in_process
    train.interrupted_at = 1
    with pytest.raises(KeyboardInterrupt):
        search(corpus, cache, tmp_path, space=replace(TOY, ask=asks_for_less))
    train.interrupted_at = None
    assert len(search(corpus, cache, tmp_path).trials) == 3


def test_without_keras_tuner(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SertfError, match=r"pip install 'sertf\[tune\]'"):
        search(corpus, cache, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_space_that_other_processes_cannot_be_given_is_refused_before_extraction(corpus, cache, tmp_path):
    with pytest.raises(SertfError, match="must be a function of a module or script, not a lambda"):
        search(corpus, cache, tmp_path, space=replace(TOY, ask=lambda hp: ({}, {})))
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("leak", [{"watch_test": True}, {"scaling": "corpus"}])
def test_a_space_that_would_look_at_the_test_part(corpus, cache, tmp_path, leak):
    setting = replace(TOY.experiment.setting(SEARCH), **leak)
    leaking = replace(TOY, experiment=replace(TOY.experiment, protocols={SEARCH: setting}))
    with pytest.raises(SertfError, match="scores the test part or scales by it"):
        search(corpus, cache, tmp_path, space=leaking)


def test_a_protocol_without_validation_part(corpus, cache, tmp_path):
    with pytest.raises(SertfError, match="has no validation part"):
        tuning.search(TOY.on(protocol="random-80-20"), corpus, out=tmp_path, cache=cache, progress=False)


def test_command_line(tmp_path, capsys, in_process, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    out, data = str(tmp_path / "out"), ["--data", str(tmp_path / "clips")]
    assert cli.main(["tune", "demo", "--trials", "2", "--epochs", "1", "--out", out, *data]) == 0
    assert "2 trials, 0 failed; best validation UAR" in capsys.readouterr().out
    assert (tmp_path / "out" / "trials.png").is_file()
    trained = read_recipe(tmp_path / "out" / "recipe.json").recipe
    rows = pd.read_csv(tmp_path / "out" / "trials.csv")
    assert (trained.learning_rate, trained.dropout) in set(zip(rows["learning_rate"], rows["dropout"]))
    assert cli.main(["tune", "demo", "--tuner", "grid", "--out", out, *data]) == 2
    assert "another --out folder" in capsys.readouterr().err


class Ending:
    """A process that ends between two questions whether it is alive, with an exit code."""

    code = 0

    def __init__(self, target, args, name):
        self.name, self.answers = name, [True, False]
        self.sentinel, writing = multiprocessing.Pipe(duplex=False)
        writing.close()  # as at its end: ready

    def start(self):
        pass

    def is_alive(self):
        return self.answers.pop(0) if self.answers else False

    @property
    def exitcode(self):
        return None if self.answers else self.code


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("count", [1, 2])
def test_processes_that_end_between_two_questions_are_not_waited_for(monkeypatch, count, code):
    waited, wait = [], tuning.multiprocessing.connection.wait
    monkeypatch.setattr(tuning.multiprocessing.connection, "wait", lambda objects: waited.append(wait(objects, 1)))
    monkeypatch.setattr(tuning.multiprocessing, "get_context", lambda _: SimpleNamespace(Process=Ending))
    monkeypatch.setattr(Ending, "code", code)
    if code:
        with pytest.raises(SertfError, match=r"chief of the search stopped \(exit code 3\)"):
            tuning._run_processes({}, count)
    else:
        tuning._run_processes({}, count)
    assert waited and all(waited)


def test_two_workers_killed_with_their_command_and_gone_on_with(corpus, cache, tmp_path):
    """A killed search leaves no process behind and loses no finished trial."""
    psutil = pytest.importorskip("psutil")
    corpus.to_pickle(tmp_path / "table.pkl")
    code = (
        "import pandas, sys\n"
        "from tests.toy_search import search\n"
        "if __name__ == '__main__':\n"
        "    table, options = pandas.read_pickle(sys.argv[1]), {'trials': 50, 'folds': ['fold-1']}\n"
        "    search(table, sys.argv[3], sys.argv[2], workers_count=2, **options)\n"
    )
    (tmp_path / "script.py").write_text(code)
    command = [
        sys.executable,
        str(tmp_path / "script.py"),
        str(tmp_path / "table.pkl"),
        str(tmp_path / "out"),
        str(cache),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 240
    results = lambda: list((tmp_path / "out" / "trials").glob("trial_*/result.json"))  # noqa: E731
    while not results() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert children and not alive
    kept = {path: path.stat().st_mtime_ns for path in results()}
    assert 1 <= len(kept) < 50
    # The two in flight, by one process now.
    found = search(corpus, cache, tmp_path / "out", trials=len(kept) + 2, folds=["fold-1"])
    assert len(found.trials) == len(kept) + 2 and found.trials["val_uar"].between(0, 1).all()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    fold = json.loads(min(kept).read_text())["folds"][0]
    assert fold["fold"] == "fold-1" and 1 <= fold["best_epoch"] <= 2
