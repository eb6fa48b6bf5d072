import contextlib
import json
import shutil
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.export import saved_model
from sertf.runs.folder import seal
from tests.synthetic_runs import seal_again

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_the_best_validation_score_chooses(done, tmp_path):
    out = saved_model.save(done[1], tmp_path / "best")
    card = json.loads((out / "model_card.json").read_text())
    best = max(
        pd.read_csv(path.with_name("history.csv"))["val_uar"].max() for path in done[1].glob("*/*/manifest.json")
    )
    assert card["run"]["validation_uar"] == pytest.approx(best)
    assert "Test scores had no part" in card["run"]["chosen"]


def test_without_a_validation_part_the_first_run_is_taken(done, tmp_path):
    runs = tmp_path / "strict"
    shutil.copytree(done[1], runs)
    for path in runs.glob("*/*/history.csv"):
        history = pd.read_csv(path)
        history[["val_loss", "val_uar", "val_wa"]] = np.nan
        history.to_csv(path, index=False)
    seal_again(runs)
    card = json.loads((saved_model.save(runs, tmp_path / "out") / "model_card.json").read_text())
    assert card["run"]["repeat"] == 0 and card["run"]["fold"] == "fold-1"
    assert card["run"]["validation_uar"] is None
    assert "no validation part to choose by" in card["run"]["chosen"]


@pytest.mark.parametrize("name", ["weights.keras", "scaling.npz", "predictions.csv"])
def test_files_of_another_run_are_refused_by_name(done, tmp_path, name):
    runs = shutil.copytree(done[1], tmp_path / "strict")
    run, other = runs / "repeat-00" / "fold-1", runs / "repeat-00" / "fold-2"
    shutil.copyfile(other / name, run / name)
    for exported in (run, runs):
        with pytest.raises(
            SertfError, match=f"fold-1 does not match its SHA256SUMS: {name} has changed; copy it again"
        ):
            saved_model.save(exported, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_scikit_learn_model_is_no_savedmodel(done, tmp_path):
    runs = tmp_path / "strict"
    shutil.copytree(done[1], runs)
    run = runs / "repeat-00" / "fold-1"
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["model"] = {"name": "svm", "options": {}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    seal(run)
    with pytest.raises(saved_model.ExportError, match="holds a scikit-learn model .*, which no SavedModel can hold"):
        saved_model.save(run, tmp_path / "out")


def test_a_model_of_files_at_their_own_rates_knows_no_rate(done, tmp_path):
    run = shutil.copytree(done[1], tmp_path / "strict") / "repeat-00" / "fold-1"
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["front_end"] = {"name": "waveform", "options": {}, "config": {"sample_rate": None, "samples": 16000}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    seal(run)
    with pytest.raises(
        saved_model.ExportError, match="every file at its own rate.* train it with a sample_rate of waveform"
    ):
        saved_model.save(run, tmp_path / "out")


@pytest.mark.parametrize("key", ["model", "front_end"])
def test_a_module_that_a_run_names_is_not_imported_without_leave(done, tmp_path, monkeypatch, key):
    runs = shutil.copytree(done[1], tmp_path / "runs" / "small" / "strict")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "strangers_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    place = runs / "repeat-00" / "fold-1"
    manifest = json.loads((place / "manifest.json").read_text())
    manifest[key]["name"] = "strangers_module:build"
    (place / "manifest.json").write_text(json.dumps(manifest))
    seal(place)
    with pytest.raises(saved_model.ExportError, match="names the module strangers_module, whose code would run here"):
        saved_model.save(place, tmp_path / "out")
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out").exists()
    with contextlib.suppress(SertfError):  # it defines no front end
        saved_model.save(place, tmp_path / "out", custom_code=True)
    assert (tmp_path / "ran").exists()
    sys.modules.pop("strangers_module", None)


def test_nor_one_that_a_run_of_known_speakers_beside_it_names(unknown, known, tmp_path):
    runs = tmp_path / "runs" / "small" / "speaker-known"
    shutil.copytree(known.parent.parent, runs)
    place = runs / known.relative_to(known.parent.parent)
    manifest = json.loads((place / "manifest.json").read_text())
    manifest["model"]["name"] = "strangers_module:build"
    (place / "manifest.json").write_text(json.dumps(manifest))
    seal(place)
    with pytest.raises(saved_model.ExportError, match="names the module strangers_module, whose code would run here"):
        saved_model.save(unknown, tmp_path / "out", of_speakers=place)
    assert not (tmp_path / "out").exists()
