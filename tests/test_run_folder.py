import json
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

from sertf import run_folder, runner
from sertf.training import RunError
from tests.synthetic_runs import make_run
from tests.toy import EXPERIMENT, RECIPE

OVERVIEW = {"digest": "1a", "audio_digest": "2b", "emotions": ["anger"]}


def test_the_overview_is_written_and_written_anew_for_the_same_digest(tmp_path, corpus):
    run_folder.write(tmp_path / "small" / "strict", OVERVIEW, corpus)
    run_folder.write(tmp_path / "small" / "strict", OVERVIEW | {"repeats": 3}, corpus)
    assert json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text()) == OVERVIEW | {"repeats": 3}


def test_a_broken_overview_is_replaced(tmp_path, corpus):
    (tmp_path / "experiment.json").write_text("{")
    run_folder.write(tmp_path, OVERVIEW, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text()) == OVERVIEW


def test_runs_on_other_recordings_are_never_mixed(tmp_path, corpus):
    run_folder.write(tmp_path, OVERVIEW, corpus)
    (tmp_path / "unsaid").mkdir()
    (tmp_path / "unsaid" / "experiment.json").write_text('{"digest": "1a"}')
    with pytest.raises(RunError, match="on other recordings"):
        run_folder.write(tmp_path / "unsaid", OVERVIEW, corpus)
    with pytest.raises(RunError, match="on other recordings under the same names; choose another --out folder, or del"):
        run_folder.write(tmp_path, OVERVIEW | {"audio_digest": "3c"}, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text()) == OVERVIEW


@pytest.fixture
def run_directory(tmp_path):
    place = tmp_path / "repeat-00" / "fold-1"
    make_run(place, repeat=0, fold="fold-1", digest="1a", audio_digest="2b")
    with zipfile.ZipFile(place / "weights.keras", "w") as file:
        file.writestr("model.weights.h5", bytes(1000))
    return place


def test_a_finished_run_is_known_by_its_digests(run_directory):
    assert run_folder.finished(run_directory, digest="1a", audio_digest="2b")
    assert not run_folder.finished(run_directory.with_name("fold-2"), digest="1a", audio_digest="2b")
    with pytest.raises(RunError, match="another experiment .lstm_toy, digest 1a, wanted 1b.; choose another --out"):
        run_folder.finished(run_directory, digest="1b", audio_digest="2b")
    with pytest.raises(
        RunError, match="on other recordings under the same names; choose another --out folder or delete"
    ):
        run_folder.finished(run_directory, digest="1a", audio_digest="2c")


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("manifest.json", 0),
        ("manifest.json", 9),
        ("predictions.csv", 0),
        ("predictions.csv", -200),  # whole lines are lacking
        ("history.csv", 0),
        ("weights.keras", -10),
    ],
)
def test_a_broken_run_is_not_taken_for_finished(run_directory, name, end):
    content = (run_directory / name).read_bytes()
    (run_directory / name).write_bytes(content[:end])
    assert not run_folder.finished(run_directory, digest="1a", audio_digest="2b")


def test_a_run_without_manifest_entries_or_weights_is_not_finished(run_directory):
    (run_directory / "weights.keras").unlink()
    assert not run_folder.finished(run_directory, digest="1a", audio_digest="2b")
    (run_directory / "weights.joblib").write_bytes(b"forest")
    assert run_folder.finished(run_directory, digest="1a", audio_digest="2b")
    for content in ("{}", "[]"):
        (run_directory / "manifest.json").write_text(content)
        assert not run_folder.finished(run_directory, digest="1a", audio_digest="2b")


def test_groups_follow_the_table(tmp_path, corpus):
    grouped = corpus.assign(gender=["female", "male"] * (len(corpus) // 2))
    run_folder.write(tmp_path, OVERVIEW, grouped)
    kept = pd.read_csv(tmp_path / "groups.csv").set_index("utterance")["gender"]
    assert (kept[grouped["utterance"]].to_numpy() == grouped["gender"].to_numpy()).all()
    run_folder.write(tmp_path, OVERVIEW, corpus.assign(gender=""))
    assert not (tmp_path / "groups.csv").exists()


def test_runs_of_another_recipe_are_never_mixed(done, corpus, cache):
    out, folder = done
    before = (folder / "experiment.json").read_bytes()
    recipes = {"strict": replace(RECIPE, epochs=3)}
    other = replace(EXPERIMENT, variants={"small": replace(EXPERIMENT.variants["small"], recipes=recipes)})
    with pytest.raises(RunError, match="another experiment or recipe.*choose another --out"):
        runner.run(other, corpus, out=out, protocol_names=["strict"], repeats=1, cache=cache, progress=False)
    assert (folder / "experiment.json").read_bytes() == before


def test_unwritable_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Cannot write to .*choose another --out"):
        run_folder.check_writable(tmp_path / "file" / "runs")
