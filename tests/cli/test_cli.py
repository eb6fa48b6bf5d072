"""What all commands keep: mistakes in one sentence and exit code 2, nothing half-written, answers at once."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from sertf import cli
from sertf.cli import COMMANDS
from sertf.papers import SPACES
from sertf.papers.own_data import FRONT_ENDS, SYSTEMS
from sertf.protocols.splits import PROTOCOLS
from tests.corpora import trees


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with things that are not what a command wants."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SERTF_DATA", raising=False)
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "nothing.wav").touch()
    soundfile.write("empty.wav", np.zeros(0), 16_000)
    (tmp_path / "emptied").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "saved_model.pb").write_bytes(b"of somebody else")
    (tmp_path / "pathless.csv").write_text("file,emotion\na.wav,anger\n")
    (tmp_path / "bad.csv").write_text("path,emotion,speaker\ntext.wav,anger,a\nmissing.wav,anger,a\n")
    (tmp_path / "unusable.csv").write_text(
        "path,emotion,speaker\ntext.wav,anger,a\nempty.wav,sadness,b\nnothing.wav,anger,c\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: COMMAND"),
        ("predcit clip.wav", "Unknown command 'predcit'; did you mean predict?"),
        ("predict", "There is no file to score; give audio files"),
        ("predict missing.wav", "missing.wav: no such file"),
        ("predict emptied", "emptied holds no audio files; give a folder that does"),
        ("predict text.wav", "text.wav: not readable as audio"),
        ("predict nothing.wav", "nothing.wav: the file is empty (0 bytes)"),
        ("predict empty.wav", "empty.wav: the clip is empty (no samples)"),
        ("predict text.wav --model reslstm_h64", "Unknown model 'reslstm_h64'; did you mean reslstm_sa_h64_ravdess?"),
        ("predict text.wav --model emptied", "emptied is not a SavedModel"),
        ("predict text.wav --model foreign", "foreign is a SavedModel that sertf did not export"),
        ("predict text.wav --model text.wav", "text.wav is a file; give the folder of an exported model"),
        ("predict text.wav --threshold 2", "--threshold must lie between 0 and 1"),
        ("predict text.wav --out emotions.xlsx", "--out must end in .csv or .json"),
        ("predict text.wav --out text.wav/emotions.csv", "cannot be written (Not a directory)"),
        ("predict text.wav --out emptied.csv/emotions.csv", "cannot be written (No such file"),
        ("predict - -", "Standard input can be read only once"),
        ("predict text.wav --windw 3", "Unknown argument --windw; sertf predict --help"),
        ("info foreign", "that sertf did not export"),
        ("info text.wav", "text.wav is a file; give the folder of an exported model"),
        ("info reslstm", "Unknown model 'reslstm'"),
        ("corpora --data missing", "missing: no such folder"),
        ("corpora --data text.wav", "text.wav: no such folder"),
        ("corpora fetch ravdes --to .", "Unknown corpus 'ravdes'; did you mean ravdess?"),
        ("corpora fetch casia --to .", "request it at http://www.chineseldc.org"),
        ("extract ravdess --data .", "Give --front-end (mfcc_chroma,"),
        ("extract ravdess --data . --front-end mfcc", "Unknown front end 'mfcc'; did you mean mfcc_chroma?"),
        ("extract ravdess --model reslstm", "Unknown model 'reslstm'; did you mean reslstm_sa"),
        ("extract ravdess --model svm", "ravdess needs --data, the folder that holds it, or SERTF_DATA"),
        ("extract ravdess --model svm --data missing", "missing: no such folder"),
        ("extract ravdess --model svm --data text.wav", "text.wav: not a folder"),
        ("extract ravdess --model svm --data emptied", "emptied: holds no audio file"),
        ("extract --model svm", "Give either the name of a corpus, or --table"),
        ("extract ravdess --model svm --table pathless.csv", "Give either the name of a corpus, or --table"),
        ("extract emdb --model svm", "Unknown corpus 'emdb'; did you mean emodb"),
        ("extract --table missing.csv --model svm", "missing.csv: no such file"),
        ("extract --table emptied --model svm", "emptied: holds no audio files; give a folder with one folder a class"),
        ("extract --table pathless.csv --model svm", "lacks the columns path, speaker"),
        ("extract --table bad.csv --model svm", "line 3: no such file"),
        ("extract --table unusable.csv --model svm --cache emptied/cache", "3 of 3 clips cannot be used"),
        ("extract --table unusable.csv --model svm --workers 0", "--workers must be 1 or more"),
        ("run", "Give either the name of a corpus, or --table"),
        ("run --table missing.csv", "missing.csv: no such file"),
        ("run --table pathless.csv --model speachnet", "Unknown model 'speachnet'; did you mean speechnet?"),
        ("run --table pathless.csv --protocol leave-speaker-out", "did you mean leave-one-speaker-out or"),
        ("run --table pathless.csv --front-end logmel", "log_mel"),
        ("run --table pathless.csv --repeats 0", "--repeats must be 1 or more"),
        ("run --table unusable.csv --model svm --epochs 3", "svm trains without epochs"),
        ("run --table unusable.csv --model svm --out text.wav/runs", "Cannot write to text.wav/runs"),
        ("extract --table unusable.csv --model svm --cache text.wav/cache", "the feature cache cannot be written"),
        ("run --table unusable.csv --model svm", "its train part has no utterance of"),
        ("run --table unusable.csv --model waveform_mlp --front-end mfcc_chroma", "input_shape must be (samples, 1)"),
        ("run pathless.csv", "give it as --table pathless.csv"),
        ("run experiments/missing.py", "give the .py file of an experiment, or --table"),
        (
            "report",
            "Give RUNS and --out, --pages, --figures, --readme or --fill with --results, --compare, or --overview",
        ),
        ("report emptied", "RUNS and --out belong together"),
        ("report missing --out results", "missing holds no experiment.json"),
        ("report --compare emptied missing", "report.json"),
        ("report --overview emptied", "write reports first"),
        ("report --reference small", "belong to --overview"),
        ("report --readme text.wav --results emptied", "must hold the lines"),
        ("app --port 0", "--port must lie between 1 and 65535, got 0"),
        ("app --model reslstm", "Unknown model 'reslstm'; did you mean reslstm_sa_h64_ravdess?"),
        (
            "app --model emptied",
            "emptied is not a SavedModel (it holds no saved_model.pb); export one with `sertf export",
        ),
        ("app --model foreign", "that sertf did not export"),
        ("app --model text.wav", "text.wav is a file; give the folder of an exported model"),
        ("export missing out", "missing"),
        ("export text.wav out", "text.wav"),
        ("export emptied out", "experiment.json"),
    ],
)
def test_a_mistake_is_a_sentence_and_nothing_is_written(folder, capsys, arguments, message):
    before = sorted(folder.rglob("*"))
    try:
        code = cli.main(arguments.split())
    except SystemExit as left:  # argparse's own way
        code = left.code
    said = capsys.readouterr()
    assert code == 2
    assert message in said.err and "error: " in said.err and "Traceback" not in said.err
    assert said.out == ""
    after = [path for path in sorted(folder.rglob("*")) if path not in before]
    # Folders of the cache and of the runs may be made before the clips are read; files of results may not.
    assert not [path for path in after if path.is_file() and path.name != "front_end.json"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and f"examples:\n  sertf {command}" in said


@pytest.mark.parametrize("command", ["predict", "app"])
def test_help_says_that_loading_a_model_is_trusting_it(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert "Loading a model is trusting it" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("command", "names"), [("run", (SYSTEMS, PROTOCOLS, FRONT_ENDS)), ("tune", (SPACES,))])
def test_help_lists_what_may_be_given(command, names, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    said = "".join(capsys.readouterr().out.split())  # names are broken at their hyphens
    assert not [name for known in names for name in known if name not in said]


def test_ctrl_c(monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS["info"], "run", interrupted)
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_what_the_file_system_refuses_is_a_sentence_and_other_faults_show_their_trace(monkeypatch, capsys):
    def refuses(_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/mnt/clips")

    monkeypatch.setattr(COMMANDS["info"], "run", refuses)
    assert cli.main(["info"]) == 2
    assert capsys.readouterr().err == "error: /mnt/clips: Read-only file system; choose another place.\n"
    monkeypatch.setattr(COMMANDS["info"], "run", lambda _: {}["units"])
    with pytest.raises(KeyError):
        cli.main(["info"])


def run_python(code, **more):
    environment = os.environ | {"SERTF_DATA": ""}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, **more)


def test_nothing_heavy_loads_where_no_model_runs(tmp_path):
    code = """
import sys
from sertf.cli import COMMANDS, main
for arguments in (["--help"], *([name, "--help"] for name in COMMANDS), ["corpora"], ["info"], ["predict", "no.wav"],
                  ["run", "--table", "no.csv"], ["run", "--table", "no.csv", "--model", "nothing"], ["report"],
                  ["extract", "nothing", "--model", "svm"], ["corpora", "fetch", "esd", "--to", "."],
                  ["app", "--model", "nothing"]):
    try:
        main(arguments)
    except SystemExit:
        pass
heavy = ("tensorflow", "keras", "jax", "pandas", "sklearn", "scipy", "librosa", "matplotlib", "rich", "pooch", "gradio")
print([name for name in heavy if name in sys.modules])
"""
    done = run_python(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_enough_is_no_error(tmp_path):
    done = run_python("import sys; from sertf.cli import main; sys.exit(main(['info']))", stdin=None, cwd=tmp_path)
    assert done.returncode == 0
    code = f"set -o pipefail; {sys.executable} -m sertf corpora --json | head -c 1"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.stdout == "[" and "Error" not in done.stderr


def test_a_warning_is_a_sentence(folder, capsys):
    trees.touch(folder / "savee", trees.savee()[:7])
    assert cli.main("extract savee --data . --front-end waveform --cache cache".split()) == 2  # the files are empty
    assert "\nwarning: " in "\n" + (said := capsys.readouterr().err) and "7 of 480 utterances of savee" in said
    assert "CorpusWarning" not in said
