import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sertf import cli, corpora
from sertf.experiment import runner
from sertf.inference.card import read_card
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


def test_known_speakers_are_declared_in_the_report(folder, in_process, capsys):
    assert run("--model", "svm", "--known-speakers", "--enrolment-clips", "3", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["runs"] == "runs/mine/svm/speaker-independent-4-speaker-known-3"
    page = (folder / said["report"]).read_text()
    assert "leaks by declaration: speaker known" in page
    assert "| standardised by | 3 clips of each validation or tested speaker, all of the others |" in page


def test_enrolment_clips_need_known_speakers(folder, capsys):
    assert run("--model", "svm", "--enrolment-clips", "3") == 2
    assert "--enrolment-clips is for --known-speakers; give both." in capsys.readouterr().err


def test_a_model_of_known_speakers_is_exported_and_predicts_by_their_clips(folder, corpus, in_process, capsys):
    assert run("--model", "waveform_mlp", "--epochs", "1", "--known-speakers") == 0
    runs = "runs/mine/waveform_mlp/speaker-independent-4-speaker-known"
    assert f"sertf export {runs} models/mine" in capsys.readouterr().out
    assert cli.main(["export", runs, "models/mine"]) == 0
    Path("ann").mkdir()
    first, *others = corpus[corpus["speaker"] == corpus["speaker"].iloc[0]]["path"].head(4)
    for path in others:
        (Path("ann") / Path(path).name).write_bytes(Path(path).read_bytes())
    capsys.readouterr()

    def predicted(*options):
        assert cli.main(["predict", first, "--model", "models/mine", "--json", *options]) == 0
        said = capsys.readouterr()
        return json.loads(said.out), said.err

    known, said = predicted("--speaker", "ann", "--keep-speaker", "ann.npz")
    assert known["speaker_clips"] == 3 and "ann.npz: statistics of 3 clips" in said
    assert predicted("--speaker", "ann.npz")[0] == known
    unknown, said = predicted()
    assert unknown["speaker_clips"] == 0 and "has no clips of the speaker and scales by its training speakers" in said
    assert unknown["predictions"][0]["scores"] != known["predictions"][0]["scores"]


@pytest.mark.parametrize(
    "names",
    [("sachlich", "Freude", "Überdruss", "Wut, groß"), ("0", "1", "1", "0")],
    ids=["German", "two classes"],
)
def test_labels_of_ones_own_are_trained_reported_exported_and_predicted(folder, corpus, in_process, capsys, names):
    renamed = dict(zip(("neutral", "happiness", "sadness", "anger"), names))
    own = corpus.assign(emotion=corpus["emotion"].map(renamed))
    own[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    labels = sorted(set(own["emotion"]), key=str.lower)
    assert run("--model", "waveform_mlp", "--epochs", "1") == 0
    runs, place = (
        "runs/mine/waveform_mlp/speaker-independent-4",
        Path("results/mine/waveform_mlp/speaker-independent-4"),
    )
    page = (place / "report.md").read_text()
    for label in labels:
        assert f"{label} | " in page
    assert (place / "confusion.png").is_file()
    assert cli.main(["export", runs, "models/mine"]) == 0
    assert Path("models/mine/assets/labels.txt").read_text().split("\n")[:-1] == labels
    capsys.readouterr()
    assert cli.main(["predict", corpus["path"].iloc[0], "--model", "models/mine", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (row,) = said["predictions"]
    assert said["emotions"] == list(row["scores"]) == labels and row["emotion"] in labels
    assert cli.main(["predict", corpus["path"].iloc[0], "--model", "models/mine"]) == 0
    assert row["emotion"] in capsys.readouterr().out
    assert cli.main(["evaluate", "--table", "mine.csv", "--model", "models/mine", "--json", "--out", "e"]) == 0
    assert list(json.loads(capsys.readouterr().out)["recall"]) == labels


def test_segments_of_one_file_are_trained_on(folder, corpus, in_process, capsys):
    import numpy as np
    import soundfile

    clips = [soundfile.read(path, dtype="int16") for path in corpus["path"]]
    soundfile.write("all.wav", np.concatenate([samples for samples, _ in clips]), clips[0][1])
    ends = np.cumsum([len(samples) for samples, _ in clips]) / clips[0][1]
    cut = corpus[["emotion", "speaker"]].assign(path="all.wav", start=[0, *ends[:-1]], end=ends)
    cut.to_csv("mine.csv", index=False)
    assert run("--model", "svm") == 0
    assert "UAR" in capsys.readouterr().out
    cut.assign(end=[*ends[:-1], ends[-1] + 9]).to_csv("mine.csv", index=False)
    assert run("--model", "svm", "--out", "o", "--results", "r") == 2
    said = capsys.readouterr().err
    assert f"the segment ends at {ends[-1] + 9:g} s, but the recording has {ends[-1]:.2f} s; mend its end" in said


def test_a_folder_a_class_without_speakers(folder, corpus, in_process, capsys):
    for place, (path, emotion) in enumerate(zip(corpus["path"], corpus["emotion"])):
        target = folder / "data" / emotion / f"{place}{Path(path).suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())
    command = ["run", "--table", "data/", "--cache", "cache", "--model", "svm"]
    assert cli.main(command) == 0
    said = capsys.readouterr()
    assert "The speakers are unknown." in said.err and "results/data/svm/random-80-20/report.md" in said.out
    page = Path("results/data/svm/random-80-20/report.md").read_text()
    assert "utterances of unknown speakers" in page and "leaks by declaration: speakers unknown" in page
    assert "scores show nothing about new speakers" in page
    assert cli.main([*command, "--protocol", "speaker-independent-4"]) == 2
    assert "parts the speakers, but they are unknown" in capsys.readouterr().err
    assert cli.main([*command, "--known-speakers"]) == 2
    assert "--known-speakers needs the speakers" in capsys.readouterr().err
    assert cli.main([*command, "--speakers", r"(\d)\.", "--out", "o", "--results", "r"]) == 0
    assert "r/data/svm/speaker-independent-5/report.md" in capsys.readouterr().out
    assert cli.main(["run", "--corpus", "emodb", "--speakers", "unknown"]) == 2
    assert "--speakers is for --table" in capsys.readouterr().err


def test_a_mapping_merges_labels(folder, in_process, capsys):
    Path("mapping.csv").write_text("label,emotion\nanger,negative\nsadness,negative\n")
    assert run("--model", "svm", "--map", "mapping.csv") == 0
    overview = json.loads(Path("runs/mine/svm/speaker-independent-4/experiment.json").read_text())
    assert overview["emotions"] == ["neutral", "happiness", "negative"]
    assert cli.main(["run", "--corpus", "emodb", "--map", "mapping.csv"]) == 2
    assert "--map is for --table; a corpus keeps its emotions." in capsys.readouterr().err


def test_a_scikit_learn_model_and_another_protocol(folder, in_process, capsys):
    assert run("--model", "svm", "--protocol", "random-80-20", "--out", "o", "--results", "r") == 0
    said = capsys.readouterr().out
    assert "UAR: " in said and "Report: r/mine/svm/random-80-20/report.md" in said
    assert "sertf export" not in said  # no SavedModel holds it


def test_a_searched_recipe(folder, in_process, capsys):
    write_recipe(Path("recipe.json"), Tuned("waveform_mlp", Recipe(epochs=1, batch_size=8), {}))
    assert run("--model", "svm", "--recipe", "recipe.json") == 2
    assert "recipe.json is for waveform_mlp; give --model waveform_mlp" in capsys.readouterr().err
    assert run("--recipe", "recipe.json", "--out", "o") == 0
    overview = json.loads(Path("o/waveform_mlp/speaker-independent-4/experiment.json").read_text())
    assert overview["recipe"]["batch_size"] == 8 and overview["epochs"] == 1


def test_two_speakers_are_each_tested_once(folder, corpus, in_process, capsys):
    two = corpus[corpus["speaker"].isin(corpus["speaker"].unique()[:2])]
    two[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    assert run("--model", "waveform_mlp", "--epochs", "1") == 0
    assert "Report: results/mine/waveform_mlp/leave-one-of-two-out/report.md" in capsys.readouterr().out


def test_epochs_of_runs_in_two_processes_are_shown(folder):
    command = "run --table mine.csv --cache cache --model waveform_mlp --epochs 1 --workers 2".split()
    done = subprocess.run([sys.executable, "-m", "sertf", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for fold in range(1, 5):
        assert f"waveform_mlp/speaker-independent-4/repeat-00/fold-{fold}: epoch 1 of 1: loss " in done.stderr


def test_many_classes_of_the_users_own(folder, corpus, in_process, capsys):
    names = corpus["emotion"] + "_" + corpus["utterance"].str[-2:]
    corpus.assign(emotion=names)[["path", "emotion", "speaker"]].to_csv("mine.csv", index=False)
    assert run("--model", "ridge") == 0
    assert cli.main(["export", "runs/mine/ridge/speaker-independent-4", "models/mine"]) == 0
    assert Path("models/mine/assets/labels.txt").read_text().split() == [*dict.fromkeys(sorted(names))]
    capsys.readouterr()
    assert cli.main(["predict", corpus["path"].iloc[0], "--model", "models/mine", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["emotions"]) == names.nunique() == 8


def test_the_default_is_whisper_with_the_weights_that_ship_with_sertf(folder, in_process, capsys, monkeypatch):
    monkeypatch.delenv("SERTF_WHISPER", raising=False)
    assert run() == 0
    said = capsys.readouterr().out
    assert "Report: results/mine/whisper/speaker-independent-4/report.md" in said
    assert cli.main(["export", "runs/mine/whisper/speaker-independent-4", "models/mine"]) == 0
    report = json.loads(Path("results/mine/whisper/speaker-independent-4/report.json").read_text())
    assert report["facts"]["front_end"]["name"] == "whisper" and report["scores"]["uar"]["mean"] > 0.5  # chance is 0.25


def test_smoke(folder, in_process, capsys):
    assert run("--model", "reslstm_sa", "--smoke", "--protocol", "random-80-20", "--repeats", "5") == 0
    said = capsys.readouterr().out
    assert "This was a smoke test" in said and "sertf export" not in said
    runs = folder / "runs/mine_smoke/reslstm_sa/random-80-20"
    overview = json.loads((runs / "experiment.json").read_text())
    assert overview["epochs"] == 2 and overview["repeats"] == 1 and overview["smoke"]
    report = folder / "runs/mine_smoke/results/mine/reslstm_sa/random-80-20/report.md"
    assert "A smoke test: two epochs on a few clips" in report.read_text()
    assert cli.main(["export", str(runs), "smoke"]) == 0
    assert "model of a smoke test" in capsys.readouterr().err
    assert read_card(Path("smoke"))["smoke"] and "A smoke test made this model" in Path("smoke/README.md").read_text()


def test_smoke_opens_every_file_first(folder, in_process, capsys):
    (folder / "notes.wav").write_text("no sound")
    with open("mine.csv", "a") as table:
        table.write(f"{folder / 'notes.wav'},anger,s01\n")
    assert run("--smoke") == 2
    said = capsys.readouterr().err
    assert "1 of 33 recordings cannot be opened" in said and "notes.wav" in said and "--skip-bad" in said
    assert not (folder / "cache").exists() and not (folder / "runs").exists()


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
    assert "svm trains without epochs and takes no recipe; leave --recipe out" in capsys.readouterr().err

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
        "Finished runs are stored. The same command resumes.",
        "Interrupted.",
    ]


def test_a_file_with_an_experiment_of_your_own(folder):
    Path("beside.py").write_text("NAME = 'mine_alone'\n")
    Path("my_experiment.py").write_text(
        "from dataclasses import replace\n"
        "from beside import NAME\n"
        "from sertf.experiment import main\n"
        "from sertf.papers import reslstm_sa\n"
        "EXPERIMENT = replace(reslstm_sa.demo(), name=NAME)\n"
        "if __name__ == '__main__':\n"
        "    main(EXPERIMENT)\n"
    )
    code = "import sys; from sertf.cli import main; sys.exit(main(['run', 'my_experiment.py', *sys.argv[1:]]))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "mine_alone" in done.stdout and "reslstm_sa_h16" in done.stdout
    arguments = [sys.executable, "-c", code, "--variant", "big"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and "Unknown variant 'big'" in done.stderr


def test_an_experiment_by_name_from_any_folder(folder, corpus, in_process, monkeypatch, capsys):
    monkeypatch.setattr(corpora, "load", lambda *_, **__: corpus)
    options = ["--data", "here", "--cache", "cache", "--variant", "svm", "--protocol", "paper", "--repeats", "1"]
    assert cli.main(["run", "speechnet_baselines_emodb", *options]) == 0
    assert "\nsvm " in capsys.readouterr().out
    assert (folder / "results/speechnet_baselines_emodb/svm/paper/report.md").is_file()
    assert cli.main(["run", "reslstm_sa_ravdes"]) == 2
    assert "did you mean reslstm_sa_ravdess" in capsys.readouterr().err
    assert cli.main(["run", "serct_depth_emodb", "--data", "here", "--variant", "layers_9"]) == 2
    assert "Unknown variant 'layers_9'; did you mean layers_" in capsys.readouterr().err


def test_help_of_an_experiment_has_its_variants_and_the_shared_options(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["run", "serct_depth_emodb", "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and "usage: sertf run serct_depth_emodb" in said and "Expect: " in said
    assert "layers_6" in said and "of paper, strict" in said
    for option in (
        "repeats",
        "workers",
        "scheduler",
        "precision",
        "accumulation",
        "epochs",
        "recipe",
        "out",
        "results",
    ):
        assert f"--{option}" in said
    for option in ("extend", "verify", "cache", "skip-bad", "smoke", "json"):
        assert f"--{option}" in said


def test_own_data_takes_the_options_of_experiments(folder, in_process, capsys):
    options = ["--model", "waveform_mlp", "--epochs", "1"]
    assert run(*options, "--precision", "bfloat16", "--accumulation", "2") == 0
    overview = json.loads(Path("runs/mine/waveform_mlp/speaker-independent-4/experiment.json").read_text())
    assert (overview["recipe"]["precision"], overview["recipe"]["accumulation"]) == ("bfloat16", 2)
    capsys.readouterr()
    assert run(*options, "--precision", "bfloat16", "--accumulation", "2", "--repeats", "2", "--extend") == 0
    report = json.loads(Path("results/mine/waveform_mlp/speaker-independent-4/report.json").read_text())
    assert report["facts"]["repeats"] == 2
