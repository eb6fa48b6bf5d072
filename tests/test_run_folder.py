import json
from dataclasses import replace

import pandas as pd
import pytest

from sertf import run_folder, runner
from sertf.training import RunError
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
    with pytest.raises(RunError, match="on other recordings under the same names; choose another --out folder, or del"):
        run_folder.write(tmp_path, OVERVIEW | {"audio_digest": "3c"}, corpus)
    assert json.loads((tmp_path / "experiment.json").read_text()) == OVERVIEW


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
