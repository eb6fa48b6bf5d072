import errno
import hashlib
import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from sertf.experiment.runner import run
from sertf.models import MODELS
from sertf.runs.folder import CLIPS, TAKEN_OVER, finished, seal, write_experiment, write_run
from sertf.training.fit import Fitted, RunError
from sertf.training.scaling import Scaling
from tests.synthetic_runs import make_run
from tests.toy import EXPERIMENT, RECIPE

OVERVIEW = {"digest": "1a", "audio_digest": "2b", "emotions": ["anger"]}


def test_the_overview_is_written_and_written_anew_for_the_same_digest(tmp_path, corpus):
    write_experiment(tmp_path / "small" / "strict", OVERVIEW, corpus)
    write_experiment(tmp_path / "small" / "strict", OVERVIEW | {"repeats": 3}, corpus)
    assert json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text()) == OVERVIEW | {"repeats": 3}


def test_the_overview_stands_beside_the_places_of_the_clips(tmp_path, corpus):
    write_experiment(tmp_path, OVERVIEW, corpus)
    clips = pd.read_csv(tmp_path / CLIPS)
    assert list(clips.columns) == ["utterance", "corpus", "speaker", "path"]
    assert clips["path"].tolist() == corpus["path"].astype(str).tolist()
    assert clips["speaker"].tolist() == corpus["speaker"].tolist()


def test_a_broken_overview_is_replaced(tmp_path, corpus):
    (tmp_path / "experiment.json").write_text("{")
    write_experiment(tmp_path, OVERVIEW, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text()) == OVERVIEW


def of_one_run(folder):
    """A folder with the trace of a finished run in it."""
    place = folder / "repeat-00" / "fold-1"
    place.mkdir(parents=True)
    (place / "manifest.json").touch()
    return folder


def test_a_folder_without_runs_is_free_for_others(tmp_path, corpus):
    write_experiment(tmp_path, OVERVIEW, corpus)
    write_experiment(tmp_path, OVERVIEW | {"digest": "1b"}, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text())["digest"] == "1b"


def test_a_table_that_has_changed_is_said(tmp_path, corpus):
    write_experiment(of_one_run(tmp_path), OVERVIEW | {"table_digest": "5e", "seed": 0}, corpus)
    with pytest.raises(RunError, match="holds runs on another table: its utterances or their labels have"):
        write_experiment(tmp_path, OVERVIEW | {"digest": "1b", "table_digest": "6f", "seed": 0}, corpus)
    with pytest.raises(RunError, match="holds runs of another experiment or recipe"):
        write_experiment(tmp_path, OVERVIEW | {"digest": "1b", "table_digest": "5e", "seed": 1}, corpus)


def test_runs_on_other_recordings_are_never_mixed(tmp_path, corpus):
    write_experiment(of_one_run(tmp_path), OVERVIEW, corpus)
    of_one_run(tmp_path / "unsaid")
    (tmp_path / "unsaid" / "experiment.json").write_text('{"digest": "1a"}')
    with pytest.raises(RunError, match="on other recordings"):
        write_experiment(tmp_path / "unsaid", OVERVIEW, corpus)
    with pytest.raises(RunError, match="on other recordings of the same names; choose another --out folder, or del"):
        write_experiment(tmp_path, OVERVIEW | {"audio_digest": "3c"}, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text()) == OVERVIEW


@pytest.fixture
def run_directory(tmp_path):
    place = tmp_path / "repeat-00" / "fold-1"
    make_run(place, repeat=0, fold="fold-1", digest="1a", audio_digest="2b")
    with zipfile.ZipFile(place / "weights.keras", "w") as file:
        file.writestr("model.weights.h5", bytes(1000))
    seal(place)
    return place


def test_a_finished_run_is_known_by_its_digests(run_directory):
    assert finished(run_directory, digest="1a", audio_digest="2b")
    assert not finished(run_directory.with_name("fold-2"), digest="1a", audio_digest="2b")
    with pytest.raises(RunError, match="another experiment .lstm_toy, digest 1a, wanted 1b.; choose another --out"):
        finished(run_directory, digest="1b", audio_digest="2b")
    with pytest.raises(RunError, match="on other recordings of the same names; choose another --out folder or delete"):
        finished(run_directory, digest="1a", audio_digest="2c")


@pytest.mark.parametrize(
    "name", ["manifest.json", "predictions.csv", "history.csv", "weights.keras", "representations.npz", "SHA256SUMS"]
)
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "changed"])
def test_a_broken_run_is_not_taken_for_finished(run_directory, name, damage):
    content = (run_directory / name).read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    (run_directory / name).write_bytes({"empty": b"", "cut": content[:-9], "changed": changed}.get(damage, content))
    if damage == "gone":
        (run_directory / name).unlink()
    assert not finished(run_directory, digest="1a", audio_digest="2b")


@pytest.mark.parametrize("content", ["{}", "[]"])
def test_a_run_without_manifest_entries_is_not_finished(run_directory, content):
    (run_directory / "manifest.json").write_text(content)
    assert not finished(run_directory, digest="1a", audio_digest="2b")


def test_its_checksums_are_those_of_sha256sum(run_directory):
    lines = (run_directory / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == sorted(p.name for p in run_directory.iterdir())[1:]
    expected = hashlib.sha256((run_directory / "history.csv").read_bytes()).hexdigest()
    assert f"{expected}  history.csv" in lines


def test_groups_follow_the_table(tmp_path, corpus):
    grouped = corpus.assign(gender=["female", "male"] * (len(corpus) // 2))
    write_experiment(tmp_path, OVERVIEW, grouped)
    kept = pd.read_csv(tmp_path / "groups.csv").set_index("utterance")["gender"]
    assert (kept[grouped["utterance"]].to_numpy() == grouped["gender"].to_numpy()).all()
    write_experiment(tmp_path, OVERVIEW, corpus.assign(gender=""))
    assert not (tmp_path / "groups.csv").exists()


def test_runs_of_another_recipe_are_never_mixed(done, corpus, cache):
    out, folder = done
    before = (folder / "experiment.json").read_bytes()
    recipes = {"strict": replace(RECIPE, epochs=3)}
    other = replace(EXPERIMENT, variants={"small": replace(EXPERIMENT.variants["small"], recipes=recipes)})
    with pytest.raises(RunError, match="another experiment or recipe.*choose another --out"):
        run(other, corpus, out=out, protocol_names=["strict"], repeats=1, cache=cache, progress=False)
    assert (folder / "experiment.json").read_bytes() == before


@pytest.fixture(scope="module")
def written():
    """What a run directory is written of, as keyword arguments."""
    model = MODELS["lstm_sa"]((None, 3), 2, units=4)
    table = pd.DataFrame({"epoch": [1], "loss": [0.5]})
    scaling = Scaling(np.zeros(3, "float32"), np.ones(3, "float32"))
    arrays = {"embeddings": np.ones((1, 4))}
    return {
        "predictions": table,
        "validation": table,
        "left_out": None,
        "fitted": Fitted(model, table, 1),
        "scaling": scaling,
        "arrays": arrays,
        "manifest": {},
    }


def test_run_directory_is_written_whole_and_anew(written, tmp_path):
    folder = tmp_path / "repeat-00" / "fold-1"
    for digest in "de":
        write_run(folder, **written | {"manifest": {"digest": digest, "experiment": "toy"}})
        assert json.loads((folder / "manifest.json").read_text()) == {"digest": digest, "experiment": "toy"}
    assert [path.name for path in folder.parent.iterdir()] == ["fold-1"]
    loaded, clip = keras.models.load_model(folder / "weights.keras"), np.ones((1, 5, 3), "float32")
    np.testing.assert_array_equal(loaded(clip), written["fitted"].model(clip))
    with np.load(folder / "representations.npz") as kept:
        np.testing.assert_array_equal(kept["embeddings"], np.ones((1, 4)))


def test_nothing_is_left_of_a_write_that_failed(written, tmp_path):
    with pytest.raises(AttributeError):
        write_run(tmp_path / "fold-1", **written | {"scaling": None})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_half_written(written, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(RunError, match="fold-1 cannot be written: No space left on device; make room, or choo"):
        write_run(tmp_path / "fold-1", **written)
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder(written, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Cannot write to .*choose another --out"):
        write_run(tmp_path / "file" / "fold-1", **written)


def test_a_run_that_was_taken_over_is_finished_without_a_model(run_directory):
    (run_directory / "weights.keras").unlink()
    (run_directory / TAKEN_OVER).write_text("from stored results")
    seal(run_directory)
    assert finished(run_directory, digest="1a", audio_digest="2b")
    (run_directory / "predictions.csv").write_text("")
    assert not finished(run_directory, digest="1a", audio_digest="2b")
