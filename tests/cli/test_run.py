import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sertf import cli
from sertf.experiment import runner
from sertf.parallel import processes
from sertf.training.recipe import Recipe, Tuned, write_recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(corpus, tmp_path, monkeypatch):
    """A working folder with the tiny corpus as own data."""
    monkeypatch.chdir(tmp_path)
    corpus[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    return tmp_path


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: [runner.run_job(job) for job in jobs])


def run(*arguments):
    return cli.main(["run", "--table", "mine.csv", "--cache", "cache", *arguments])


def test_own_data_from_a_table_to_a_report(folder, in_process, capsys):
    assert run("--model", "waveform_mlp", "--epochs", "1", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["runs"] == "runs/mine/waveform_mlp/speaker-independent-4"
    assert 0 <= said["scores"]["uar"]["mean"] <= 1
    page = (folder / said["report"]).read_text()
    assert "Tested on 32 utterances of 4 speakers" in page and "the user's own data" in page
    overview = json.loads((folder / said["runs"] / "experiment.json").read_text())
    assert overview["epochs"] == 1 and overview["scaling"] == "training" and overview["audit"]["verdict"] == "clean"


def test_a_scikit_learn_model_and_another_protocol(folder, in_process, capsys):
    assert run("--model", "svm", "--protocol", "random-80-20", "--out", "o", "--results", "r") == 0
    said = capsys.readouterr().out
    assert "UAR: " in said and "Report: r/mine/svm/random-80-20/report.md" in said
    assert "sertf export" not in said  # no SavedModel holds it


def test_a_searched_recipe(folder, in_process, capsys):
    write_recipe(Path("recipe.json"), Tuned("waveform_mlp", Recipe(epochs=1, batch_size=8), {}))
    assert run("--recipe", "recipe.json") == 2
    assert "recipe.json is for waveform_mlp; give --model waveform_mlp" in capsys.readouterr().err
    assert run("--model", "waveform_mlp", "--recipe", "recipe.json", "--out", "o") == 0
    overview = json.loads(Path("o/waveform_mlp/speaker-independent-4/experiment.json").read_text())
    assert overview["recipe"]["batch_size"] == 8 and overview["epochs"] == 1


def test_two_speakers_are_each_tested_once(folder, corpus, in_process, capsys):
    two = corpus[corpus["speaker"].isin(corpus["speaker"].unique()[:2])]
    two[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    assert run("--model", "waveform_mlp", "--epochs", "1") == 0
    assert "Report: results/mine/waveform_mlp/leave-one-of-two-out/report.md" in capsys.readouterr().out


def test_smoke(folder, in_process, capsys):
    assert run("--smoke", "--protocol", "random-80-20", "--repeats", "5") == 0
    said = capsys.readouterr().out
    assert "sertf export runs/mine_smoke/reslstm_sa/random-80-20 saved_models/mine" in said
    overview = json.loads((folder / "runs/mine_smoke/reslstm_sa/random-80-20/experiment.json").read_text())
    assert overview["epochs"] == 2 and overview["repeats"] == 1


def test_mistakes(folder, in_process, capsys, monkeypatch):
    assert run("--model", "svm", "--protocol", "speaker-independent-9") == 2
    assert "need at least 9 speakers" in capsys.readouterr().err
    assert run("--model", "svm", "--protocol", "reslstm-sa") == 2
    assert run("--model", "svm") == 0
    assert run("--model", "svm", "--front-end", "waveform") == 2
    assert "holds results of another recipe, front end" in capsys.readouterr().err
    assert run("--model", "svm", "--front-end", "waveform", "--results", "r") == 2
    assert "runs of another experiment or recipe" in capsys.readouterr().err
    # Before anything is trained for a report that will not be written.
    Path("mine.csv").write_text(Path("mine.csv").read_text().rstrip().rpartition("\n")[0])
    assert run("--model", "svm", "--out", "other") == 2
    assert "holds results of another recipe, front end, table" in capsys.readouterr().err
    assert run("--model", "svm", "--front-end", "mfcc_chroma", "--out", "other") == 2
    assert "svm needs features of one shape, but those of mfcc_chroma are as long" in capsys.readouterr().err
    assert not list(folder.glob("other/**/manifest.json"))
    write_recipe(Path("recipe.json"), Tuned("svm", Recipe(), {}))
    assert run("--model", "svm", "--recipe", "recipe.json") == 2
    assert "svm is fitted in one go and takes no recipe; leave --recipe out" in capsys.readouterr().err

    assert run("--model", "svm", "--out", "new", "--results", "mine.csv") == 2
    assert "Cannot write to mine.csv: File exists; choose another --results folder." in capsys.readouterr().err
    assert not list(folder.glob("new/**/manifest.json"))

    def refuses(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuses)
    assert run("--model", "svm", "--out", "elsewhere") == 2
    assert "error: Cannot write to results: Permission denied" in capsys.readouterr().err


def test_clips_that_are_left_out_are_named(folder, corpus, in_process, capsys):
    (folder / "broken.wav").write_text("no audio")
    with open("mine.csv", "a") as file:
        file.write(f"broken.wav,anger,{corpus['speaker'].iloc[0]}\n")
    assert run("--model", "svm") == 2
    assert run("--model", "svm", "--skip-bad") == 0
    said = capsys.readouterr().err
    assert (
        f"1 clips, or their copies, cannot be used and are left out:\n  {folder / 'broken.wav'}: not readable as audio"
        in said
    )


def test_ctrl_c_says_how_to_go_on(folder, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    assert run("--model", "svm") == 130
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "Finished runs are kept; the same command goes on from there.",
        "Interrupted.",
    ]


def test_an_experiment_takes_its_own_options(folder, capsys):
    code = f"import sys; from sertf.cli import main; sys.exit(main(['run', {str(ROOT / 'experiments/speechnet_ablation.py')!r}, *sys.argv[1:]]))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "--variant" in done.stdout and "speechnet_ablation_emodb" in done.stdout
    arguments = [sys.executable, "-c", code, "--variant", "big", "--data", "nowhere"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "no such folder" in done.stderr


def test_an_experiment_by_name(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert cli.main(["run", "reslstm_sa_ravdes"]) == 2
    assert "did you mean reslstm_sa_ravdess" in capsys.readouterr().err
