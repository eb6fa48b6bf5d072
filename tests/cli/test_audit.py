import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sertf import cli
from sertf.audio import files


@pytest.fixture
def own(tmp_path):
    """Four speakers, two clips each; one clip of the last speaker is a copy of the first speaker's."""
    rng, rows = np.random.default_rng(0), []
    for speaker in "abcd":
        for emotion in ("angry", "neutral"):
            samples = rng.normal(0, 0.1, 16000)
            soundfile.write(tmp_path / f"{speaker}-{emotion}.wav", samples, 16000)
            rows.append(f"{speaker}-{emotion}.wav,{emotion},{speaker}")
    (tmp_path / "d-angry.wav").write_bytes((tmp_path / "a-angry.wav").read_bytes())
    (tmp_path / "mine.csv").write_text("path,emotion,speaker\n" + "\n".join(rows) + "\n")
    return tmp_path


def folds(own, tested):
    stems = [path.stem for path in sorted(own.glob("*.wav"))]
    rows = [f"{stem},{'test' if stem in tested else 'train'}" for stem in stems]
    (own / "list.csv").write_text("file,split\n" + "\n".join(rows) + "\n")
    return ["audit", "--folds", str(own / "list.csv"), "--table", str(own / "mine.csv")]


def test_what_a_list_leaks_is_said(own, capsys):
    assert cli.main(folds(own, {"a-angry", "b-angry", "b-neutral"})) == 0
    said = capsys.readouterr().out
    assert "split: 5 train, 3 test; 1 of 2 tested speakers also train" in said
    assert "1 copies, such as mine-a-angry and mine-d-angry" in said
    assert said.endswith("Verdict: leaks: speakers, copies.\n")


def test_a_clean_list_is_clean_in_json_too(own, capsys):
    assert cli.main([*folds(own, {"b-angry", "b-neutral"}), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdict"] == "clean" and said["folds"][0]["tested_speakers"] == 1 and said["unmatched"] == []


def test_files_that_cannot_be_read_are_named(own, monkeypatch, capsys):
    arguments = folds(own, {"b-angry", "b-neutral"})
    read = files.read_audio

    def broken(path):
        if "a-angry" in str(path):
            raise files.AudioError(path, "cut off")
        return read(path)

    monkeypatch.setattr(files, "read_audio", broken)
    assert cli.main([*arguments, "--json"]) == 0
    said = capsys.readouterr()
    assert [Path(path).name for path in json.loads(said.out)["unread"]] == ["a-angry.wav"]
    assert "Reading" in said.err
