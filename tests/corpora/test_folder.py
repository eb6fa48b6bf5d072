"""What is common to corpora in folders: roots, hidden files, bad files, missing utterances."""

from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA, CorpusError, CorpusWarning
from tests.corpora import trees


@pytest.mark.parametrize("name", sorted(set(CORPORA) - {"embedded"}))
class TestBadRoots:
    def test_none(self, name):
        with pytest.raises(CorpusError, match=f"{name} needs root"):
            corpora.load(name)

    def test_missing(self, tmp_path, name):
        with pytest.raises(CorpusError, match="gone: no such folder"):
            corpora.load(name, tmp_path / "gone")

    def test_file(self, tmp_path, name):
        (tmp_path / "file").touch()
        with pytest.raises(CorpusError, match="file: not a folder"):
            corpora.load(name, tmp_path / "file")

    def test_empty(self, tmp_path, name):
        with pytest.raises(CorpusError, match="holds no audio file|no label line found"):
            corpora.load(name, tmp_path)


def test_parent_folder_and_hidden_files(tmp_path):
    trees.touch(tmp_path / "RAVDESS", trees.ravdess())
    trees.touch(tmp_path, ["tess/OAF_angry/OAF_back_angry.wav"])
    trees.touch(
        tmp_path / "RAVDESS", ["Actor_01/._03-01-01-01-01-01-01.wav", ".cache/x.wav", "__MACOSX/x.wav", "a.txt"]
    )
    assert len(corpora.load("ravdess", tmp_path)) == 1440
    trees.touch(tmp_path, ["ravdess/x.wav"])
    if len(list(tmp_path.iterdir())) == 3:  # not on a file system that ignores case
        with pytest.raises(CorpusError, match="several folders could be ravdess: RAVDESS, ravdess"):
            corpora.load("ravdess", tmp_path)


def test_every_bad_file_is_listed_and_can_be_skipped(tmp_path):
    good = trees.ravdess()[:3]
    bad = ["Actor_01/noise.wav", "Actor_01/03-01-09-01-01-01-01.wav", "Actor_25/03-01-01-01-01-01-25.wav"]
    bad += ["Actor_01/01-01-01-01-01-01-01.wav", f"copy/{Path(good[0]).name}"]
    trees.touch(tmp_path, good + bad)
    with pytest.raises(CorpusError) as caught:
        corpora.load("ravdess", tmp_path)
    message = str(caught.value)
    assert "5 files of ravdess are bad" in message and "skip_bad=True" in message
    for part in (
        f"{tmp_path / bad[0]}: the name fits no ravdess utterance",
        "unknown emotion '09'; allowed are 01, 02, 03, 04, 05, 06, 07, 08",
        "unknown actor '25'",
        "modality 01 is a video's sound",
        f"{tmp_path / bad[4]}: the same utterance as {tmp_path / good[0]}",
    ):
        assert part in message
    with pytest.warns(CorpusWarning, match="3 of 1440 utterances"):
        table = corpora.load("ravdess", tmp_path, skip_bad=True)
    assert table["path"].tolist() == [str(tmp_path / name) for name in good]
    assert sorted(path for path, _ in table.attrs["skipped"]) == sorted(str(tmp_path / name) for name in bad)


def test_nothing_but_bad_files(tmp_path):
    trees.touch(tmp_path, [f"{index:02d}.wav" for index in range(30)])
    with pytest.raises(
        CorpusError, match="30 files of ravdess are bad; no other file is there; give the folder of"
    ) as caught:
        corpora.load("ravdess", tmp_path)
    assert "... and 10 more" in str(caught.value) and "19.wav" in str(caught.value)
    with pytest.raises(CorpusError, match="holds no utterance of ravdess that was asked for; skipped as bad: 30"):
        corpora.load("ravdess", tmp_path, skip_bad=True)


def test_missing_utterances_are_said(tmp_path):
    names = [name for name in trees.ravdess() if "Actor_07" not in name]
    names.remove("Actor_03/03-01-05-02-01-01-03.wav")
    trees.touch(tmp_path, names)
    with pytest.warns(CorpusWarning, match="1379 of 1440 utterances of ravdess"):
        table = corpora.load("ravdess", tmp_path)
    assert table.attrs["missing"] == ["ravdess-03: anger 7 of 8", "ravdess-07: all 60 utterances are missing"]
