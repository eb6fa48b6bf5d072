import csv
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf import cli
from sertf.cli import predict
from sertf.inference.bundled import DEFAULT, folder_of
from sertf.inference.recognizer import Window

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)
EMOTIONS = ["neutral", "happiness", "sadness", "anger", "fear", "disgust"]


@pytest.fixture(scope="module")
def model():
    from sertf.inference.recognizer import load

    return load(folder_of())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, model):
    """A working folder of recordings, and the model loaded once for all tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sertf.inference.recognizer.load", lambda _: model)
    # Rising noise: the model itself does not score steady noise.
    noise = (np.random.default_rng(0).normal(scale=0.1, size=16_000) * np.linspace(0.01, 1, 16_000)).astype("float32")
    soundfile.write("a.wav", noise, 16_000)
    soundfile.write("b.flac", noise[::-1], 16_000)
    soundfile.write("telephone.wav", noise, 8000, subtype="ULAW")
    soundfile.write("seven.wav", np.stack([noise] * 7, axis=1), 16_000, subtype="FLOAT")
    soundfile.write("silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "text.wav").write_text("no audio")
    return tmp_path


def predicted(capsys, *arguments):
    assert cli.main(["predict", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_holds_scores_of_every_file(capsys, model):
    content = predicted(capsys, "a.wav", "b.flac")
    assert content["model"] == DEFAULT and content["emotions"] == EMOTIONS
    first, second = content["predictions"]
    expected = model.predict("a.wav").iloc[0]
    assert (first["file"], first["start"], first["end"]) == ("a.wav", 0, 1) and second["file"] == "b.flac"
    assert (first["emotion"], first["verdict"]) == (expected["emotion"], expected["verdict"])
    assert first["confidence"] == max(first["scores"].values()) == pytest.approx(expected["confidence"], abs=1e-4)
    assert sum(first["scores"].values()) == pytest.approx(1, abs=1e-4)


def test_for_people_a_line_a_window(capsys):
    assert cli.main(["predict", "a.wav", "b.flac"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "file" and [line.split()[0] for line in lines] == ["a.wav", "b.flac"]


def test_telephone_audio_and_seven_channels(capsys):
    telephone, seven, one = predicted(capsys, "telephone.wav", "seven.wav", "a.wav")["predictions"]
    assert telephone["end"] == 2
    assert seven["scores"] == pytest.approx(one["scores"], abs=1e-3)


@pytest.mark.parametrize("name", ["out.csv", "out.json"])
def test_files_hold_what_is_printed(capsys, name):
    printed = predicted(capsys, "a.wav", "b.flac")
    assert cli.main(["predict", "a.wav", "b.flac", "--out", name]) == 0
    said = capsys.readouterr()
    assert said.out == "" and f"{name}: 2 rows" in said.err
    if name == "out.json":
        assert json.load(open(name)) == printed
        return
    table = pd.read_csv(name)
    assert list(table.columns) == ["file", "start", "end", "emotion", "confidence", "verdict", *EMOTIONS]
    for row, other in zip(table.to_dict("records"), printed["predictions"]):
        assert {emotion: row[emotion] for emotion in EMOTIONS} == pytest.approx(other["scores"], abs=1e-5)


def test_a_file_name_that_a_spreadsheet_would_run_stays_a_text(capsys):
    name = "=cmd('calc').wav"
    shutil.copy("a.wav", name)
    assert cli.main(["predict", name, "--out", "out.csv"]) == 0
    assert [row[0] for row in csv.reader(open("out.csv"))] == ["file", f"'{name}"]


def test_times_late_in_a_recording_keep_their_milliseconds():
    window = Window(12345.0625, 12347.125, "anger", 0.123456789, "anger", {"anger": 0.123456789})
    text = predict._as_csv({"emotions": ["anger"]}, [("a.wav", window)])
    assert text.splitlines()[1] == "a.wav,12345.0625,12347.125,anger,0.123457,anger,0.123457"


def test_a_file_that_is_given_twice_has_two_rows(capsys):
    assert [row["file"] for row in predicted(capsys, "a.wav", "b.flac", "a.wav")["predictions"]] == [
        *("a.wav", "b.flac", "a.wav")
    ]


def test_json_is_printed_beside_a_file(capsys):
    assert predicted(capsys, "a.wav", "--out", "out.json") == json.load(open("out.json"))


def test_windows_carry_their_time(capsys):
    samples = np.random.default_rng(0).normal(scale=0.1, size=5 * 16_000)
    samples[32_000:64_000] = 0
    soundfile.write("long.wav", samples, 16_000)
    rows = predicted(capsys, "long.wav", "--window", "2", "--hop", "2")["predictions"]
    assert [(row["start"], row["end"]) for row in rows] == [(0, 2), (2, 4), (3, 5)]
    assert rows[1]["verdict"] == "silence" and rows[1]["confidence"] is rows[1]["scores"]["anger"] is None


def test_under_the_threshold_the_verdict_is_uncertain(capsys):
    (row,) = predicted(capsys, "a.wav", "--threshold", "1")["predictions"]
    assert row["verdict"] == "uncertain" and row["emotion"] in EMOTIONS
    assert cli.main(["predict", "a.wav", "--threshold", "1"]) == 0
    assert f"uncertain ({row['emotion']}?)" in capsys.readouterr().out
    (row,) = predicted(capsys, "a.wav", "--threshold", "0.01")["predictions"]
    assert row["verdict"] == row["emotion"]


def test_uncertain_verdicts_come_with_what_would_make_them_better(capsys):
    assert cli.main(["predict", "a.wav", "b.flac", "--threshold", "1"]) == 0
    assert "Uncertain verdicts get better with --speaker FOLDER" in capsys.readouterr().err
    for certain in (["--threshold", "0"], ["--threshold", "1", "--json"]):
        assert cli.main(["predict", "a.wav", *certain]) == 0
        assert "Uncertain" not in capsys.readouterr().err
    os.mkdir("clips")
    for name in ("b.flac", "seven.wav"):
        shutil.move(name, "clips")
    assert cli.main(["predict", "a.wav", "--threshold", "1", "--speaker", "clips"]) == 0
    assert "Uncertain" not in capsys.readouterr().err


def test_standard_input(capsys, monkeypatch, folder):
    class Stdin:
        buffer = io.BytesIO((folder / "b.flac").read_bytes())

    monkeypatch.setattr("sys.stdin", Stdin)
    row, other = predicted(capsys, "-", "b.flac")["predictions"]
    assert row["file"] == "-" and row["scores"] == other["scores"]
    Stdin.buffer = io.BytesIO(b"no audio")
    assert cli.main(["predict", "-"]) == 2
    assert capsys.readouterr().err.startswith("error: -: not readable as audio")


def test_a_recording_without_the_band_is_named(capsys, monkeypatch, model, folder):
    monkeypatch.setitem(model.card, "recordings", {"clips": 9, "band_hz": 7900, "levels_db": None})
    assert cli.main(["predict", "telephone.wav", "a.wav"]) == 0
    line = capsys.readouterr().err.splitlines()[0]
    assert line.startswith("warning: telephone.wav: it holds nothing above 4.0 kHz, as over a telephone")
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO((folder / "telephone.wav").read_bytes())}))
    assert cli.main(["predict", "-"]) == 0
    assert capsys.readouterr().err.startswith("warning: -: it holds nothing above")


def test_every_bad_file_is_named_and_nothing_written(capsys, folder):
    command = ["predict", "a.wav", "text.wav", "missing.wav", "--out", "out.csv"]
    assert cli.main(command) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[:2] for line in lines] == [["error", " text.wav"], ["error", " missing.wav"]]
    # What only decoding shows.
    assert cli.main(["predict", "silent.wav", "a.wav", "--out", "out.csv"]) == 2
    assert capsys.readouterr().err.startswith("error: silent.wav: silent")
    assert not (folder / "out.csv").exists()


def test_bad_files_are_skipped_when_asked_for(capsys):
    assert cli.main(["predict", "a.wav", "text.wav", "silent.wav", "--skip-bad", "--out", "out.csv"]) == 0
    said = capsys.readouterr().err
    assert "skipped text.wav: not readable" in said and "skipped silent.wav: silent" in said
    assert list(pd.read_csv("out.csv")["file"]) == ["a.wav"]
    assert cli.main(["predict", "text.wav", "silent.wav", "--skip-bad", "--out", "out.csv"]) == 2


def test_window_and_hop_out_of_range(capsys):
    assert cli.main(["predict", "a.wav", "--window", "0.01"]) == 2
    assert capsys.readouterr().err.startswith("error: window must be 0.1 s or more")
    assert cli.main(["predict", "a.wav", "--window", "1", "--hop", "3"]) == 2


def test_a_disk_that_fails_at_the_end_keeps_the_old_file(capsys, folder, monkeypatch):
    (folder / "out.csv").write_text("of yesterday\n")

    def refuses(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sertf.files.os.replace", refuses)
    assert cli.main(["predict", "a.wav", "--out", "out.csv"]) == 2
    assert "out.csv cannot be written (No space left on device)" in capsys.readouterr().err
    monkeypatch.undo()
    assert (folder / "out.csv").read_text() == "of yesterday\n"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_read_only_folder_is_said_before_any_work(capsys, monkeypatch):
    def refuses(**_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuses)
    monkeypatch.setattr(predict, "_predict", None)
    assert cli.main(["predict", "a.wav", "--out", "out.csv"]) == 2
    assert "out.csv cannot be written (Read-only file system)" in capsys.readouterr().err


def test_the_memory_for_a_long_file_does_not_grow_with_it(capsys):
    noise = np.random.default_rng(0).integers(-3000, 3000, 10 * 2000, dtype="int16")
    peaks = []
    for windows in (2, 16, 48):  # the first loads and traces what is loaded and traced once
        soundfile.write("long.wav", np.tile(noise, windows), 2000)
        tracemalloc.start()
        rows = predicted(capsys, "long.wav", "--window", "10", "--hop", "10")["predictions"]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(rows) == windows and rows[-1]["end"] == 10 * windows
    assert peaks[2] < 1.1 * peaks[1]


def test_folders_and_lists(capsys, tmp_path):
    folder = tmp_path / "clips" / "more"
    folder.mkdir(parents=True)
    for name in ("a.wav", "b.flac"):
        shutil.copy(name, folder / name)
    (folder / "notes.txt").write_text("no audio")
    assert [row["file"] for row in predicted(capsys, "clips")["predictions"]] == [
        "clips/more/a.wav",
        "clips/more/b.flac",
    ]
    (tmp_path / "files.txt").write_text("\na.wav\r\n  b.flac\n\n")
    assert [row["file"] for row in predicted(capsys, "--list", "files.txt")["predictions"]] == ["a.wav", "b.flac"]
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.txt").write_text("\n")
    for arguments, message in (
        (["empty"], "error: empty holds no audio files"),
        ([], "error: There is no file to score"),
        (["--list", "none.txt"], "error: There is no file to score"),
        (["--list", "gone.txt"], "error: --list gone.txt cannot be read: No such file"),
    ):
        assert cli.main(["predict", *arguments]) == 2
        assert message in capsys.readouterr().err


def test_bad_files_of_every_kind_are_skipped(capsys, tmp_path):
    noise = np.random.default_rng(0).normal(scale=0.1, size=16_000)
    soundfile.write("loud.wav", 20_000 * noise, 16_000, subtype="FLOAT")
    soundfile.write("slow.wav", noise, 1)
    soundfile.write("cut.ogg", np.tile(noise, 4), 16_000)
    (tmp_path / "cut.ogg").write_bytes((tmp_path / "cut.ogg").read_bytes()[:-1000])
    soundfile.write("phone.wav", noise[:8000], 8000, subtype="GSM610")
    os.mkfifo("pipe.wav")
    names = ["loud.wav", "slow.wav", "cut.ogg", "pipe.wav", "x" * 300 + ".wav"]
    assert cli.main(["predict", "phone.wav", *names, "--skip-bad", "--json"]) == 0
    printed = capsys.readouterr()
    assert [row["file"] for row in json.loads(printed.out)["predictions"]] == ["phone.wav"]
    assert [line.split(":")[0] for line in printed.err.splitlines() if line.startswith("skipped")] == [
        f"skipped {name}" for name in [*names[1:], "loud.wav"]
    ]


def test_a_name_that_is_not_utf_8_ends_in_one_sentence(tmp_path):
    shutil.copy(tmp_path / "a.wav", os.path.join(os.fsencode(tmp_path), b"bad\xff.wav"))
    called = subprocess.run(
        [sys.executable, "-m", "sertf", "predict", b"bad\xff.wav", "a.wav", "--skip-bad"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )
    assert called.returncode == 0 and b"Traceback" not in called.stderr
    assert b"the name is not UTF-8; rename it" in called.stderr


def test_the_model_states_the_threshold(capsys, model, monkeypatch):
    monkeypatch.setattr(model, "threshold", 1.0)
    (row,) = predicted(capsys, "a.wav")["predictions"]
    assert row["verdict"] == "uncertain"
    (row,) = predicted(capsys, "a.wav", "--threshold", "0")["predictions"]
    assert row["verdict"] == row["emotion"]


def test_a_model_with_a_litert_file_starts_without_heavy_imports(tmp_path):
    """Only what reads sound and runs LiteRT: the first answer takes less than a second of processor time."""
    heavy = ("tensorflow", "keras", "librosa", "scipy", "sklearn", "pandas", "matplotlib", "rich")
    code = (
        "import sys; from sertf.cli import main; code = main(sys.argv[1:]); "
        f"print(code, [name for name in {heavy!r} if name in sys.modules])"
    )
    noise = np.random.default_rng(0).normal(scale=0.1, size=16_000)
    soundfile.write("rising.wav", noise * np.linspace(0, 1, 16_000), 16_000)
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", "rising.wav", "--model", "reslstm_sa_h64_ravdess"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr
    assert "no speech" not in done.stdout
    assert all(line.startswith("warning: rising.wav") for line in done.stderr.splitlines())


def test_the_default_takes_clips_of_the_speaker(folder, capsys):
    (folder / "clips").mkdir()
    for name in ("b.flac", "seven.wav"):
        (folder / name).rename(folder / "clips" / name)
    unknown = predicted(capsys, "a.wav")
    known = predicted(capsys, "a.wav", "--speaker", "clips", "--keep-speaker", "ann.npz")
    assert (unknown["speaker_clips"], known["speaker_clips"]) == (0, 2)
    assert known["predictions"][0]["scores"] != unknown["predictions"][0]["scores"]
    assert predicted(capsys, "a.wav", "--speaker", "ann.npz") == known


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speaker", "a.wav"], "--speaker a.wav is neither a folder nor a .npz file"),
        (["--speaker", "ann.npz"], "ann.npz: no such file; give a file that"),
        (["--keep-speaker", "ann.npz"], "--keep-speaker keeps the statistics of --speaker FOLDER; give both"),
        (["--speaker", ".", "--keep-speaker", "ann.json"], "must end in .npz, but is ann.json"),
        (["--speaker", "."], "silent.wav: silent"),
    ],
)
def test_bad_speakers(capsys, options, message):
    assert cli.main(["predict", "a.wav", *options]) == 2
    assert message in capsys.readouterr().err
