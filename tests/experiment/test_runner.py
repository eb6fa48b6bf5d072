import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.experiment.description import Teacher, Variant
from sertf.experiment.runner import run_job
from sertf.files import Busy, locked
from sertf.parallel import processes
from sertf.runs.layout import runs_folder, runs_lock
from tests.toy import EXPERIMENT, in_process, run


def test_same_seed_same_predictions_bit_by_bit(done, corpus, cache, tmp_path):
    """One (repeat, fold) again, in another folder and process, equals the first run byte by byte."""
    _, folder = done
    again = run(corpus, cache, tmp_path, repeats=1)["small", "strict"]
    for fold in ("fold-1", "fold-3"):
        first = (folder / "repeat-00" / fold / "predictions.csv").read_bytes()
        assert (again / "repeat-00" / fold / "predictions.csv").read_bytes() == first
    assert (folder / "repeat-01" / "fold-1" / "predictions.csv").read_bytes() != (
        folder / "repeat-00" / "fold-1" / "predictions.csv"
    ).read_bytes()


def test_finished_runs_are_skipped_and_broken_ones_made_again(done, corpus, cache, monkeypatch):
    out, folder = done
    broken, leftover = folder / "repeat-01" / "fold-3", folder / "repeat-01" / ".fold-3-abcdefgh"
    before = (broken / "predictions.csv").read_bytes()
    (broken / "manifest.json").write_text('{"dig')
    leftover.mkdir()
    half = folder / "repeat-01" / "..fold-2.checkpoint.npz.123-456.tmp"
    half.touch()
    trained = []
    monkeypatch.setattr(
        processes,
        "run_all",
        lambda _, jobs, **__: trained.extend(run_job(job) for job in jobs) or [],
    )
    run(corpus, cache, out, repeats=2)
    assert trained == [broken]
    assert (broken / "predictions.csv").read_bytes() == before
    assert not leftover.exists() and not half.exists()


def test_scikit_learn_models_run_too(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch)
    experiment = replace(
        EXPERIMENT,
        front_end="fused_statistics",
        front_end_options={"sample_rate": 16000},
        variants={"svm": Variant("svm", recipes=None)},
    )
    folder = run(corpus, cache, tmp_path, experiment=experiment, repeats=2)["svm", "strict"]
    facts = json.loads((folder / "experiment.json").read_text())
    assert facts["recipe"] is None and facts["epochs"] is None
    place = folder / "repeat-00" / "fold-1"
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["backend"] == "scikit-learn" and manifest["parameters"] is None
    predictions = pd.read_csv(place / "predictions.csv")
    np.testing.assert_allclose(predictions.iloc[:, 5:].sum(axis=1), 1, rtol=1e-5)
    assert len(pd.read_csv(place / "history.csv")) == 1
    assert (place / "weights.joblib").is_file()
    trained = []
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: trained.extend(jobs) or [])
    run(corpus, cache, tmp_path, experiment=experiment, repeats=2)
    assert trained == []


def test_a_teacher_of_the_same_fold_has_its_share_of_the_targets(done, corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch)
    taught = replace(
        EXPERIMENT.variant("small"),
        teacher=Teacher("ridge", "functionals"),
        recipes={"strict": replace(EXPERIMENT.recipe("small", "strict"), distillation=0.8)},
    )
    experiment = replace(EXPERIMENT, variants={"small": taught})
    folder = run(corpus, cache, tmp_path, experiment=experiment, repeats=1)["small", "strict"]
    manifest = json.loads((folder / "repeat-00" / "fold-1" / "manifest.json").read_text())
    assert manifest["teacher"]["model"] == "ridge" and manifest["teacher"]["front_end_digest"]
    theirs, others = (
        pd.read_csv(at / "repeat-00" / "fold-1" / "predictions.csv").iloc[:, 5:] for at in (folder, done[1])
    )
    assert np.abs(theirs - others).max(axis=None) > 1e-4


def test_a_second_command_in_the_same_folder_is_refused(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch)
    folder = runs_folder(tmp_path, "small", "strict")
    with (
        locked(runs_lock(folder), folder),
        pytest.raises(Busy, match="Another command is writing to .*strict; wait for its end, or choose another fold"),
    ):
        run(corpus, cache, tmp_path)
    assert list(tmp_path.rglob("*")) == []
    assert len(list(run(corpus, cache, tmp_path)["small", "strict"].glob("*/*/manifest.json"))) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_killed_in_the_middle_the_same_command_goes_on(corpus, cache, tmp_path):
    corpus.drop(columns="path").assign(path=corpus["path"]).to_pickle(tmp_path / "table.pkl")
    code = (
        "import pandas, sys\n"
        "from sertf.experiment import runner\n"
        "from tests.toy import EXPERIMENT\n"
        "runner.run(EXPERIMENT, pandas.read_pickle(sys.argv[1]), out=sys.argv[2], protocol_names=['strict'],\n"
        "           repeats=1, workers=1, cache=sys.argv[3], progress=False)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "table.pkl"), str(tmp_path / "runs"), str(cache)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    manifests = lambda: sorted((tmp_path / "runs").glob("*/*/*/[!.]*/manifest.json"))  # noqa: E731
    deadline = time.monotonic() + 240
    while not manifests() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in manifests()}
    assert 1 <= len(kept) < 3
    run(corpus, cache, tmp_path / "runs")
    assert len(manifests()) == 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
