"""The contract that every corpus keeps, and what is common to their parsers."""

import os
import re
import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA, CorpusError, CorpusWarning
from sertf.corpora.utterances import COLUMNS, EMOTIONS, digest, emotions_of
from tests.corpora import trees

DATA = os.environ.get("SERTF_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="SERTF_DATA names no folder with the real corpora")

# name: tree of the complete corpus, utterances, utterances an emotion, speakers
COMPLETE = {
    "ravdess": (trees.ravdess, 1440, {"neutral": 96, "calm": 192, "surprise": 192}, 24),
    "tess": (trees.tess, 2800, {"neutral": 400, "surprise": 400}, 2),
    "savee": (trees.savee, 480, {"neutral": 120, "sadness": 60, "surprise": 60}, 4),
    "casia": (trees.casia, 1200, {"neutral": 200, "surprise": 200}, 4),
}
# Corpora whose completeness cannot be shown by a tree of empty files; they have tests of their own.
OTHERS = {"emodb", "esd", "iemocap", "embedded"}
SPEAKERS = {name: row[3] for name, row in COMPLETE.items()} | {"emodb": 10, "esd": 20, "iemocap": 10, "embedded": 8}


def test_every_corpus_is_listed_and_has_a_row_here():
    assert set(CORPORA) == set(COMPLETE) | OTHERS
    files = {path.stem for path in Path(corpora.__file__).parent.glob("*.py")}
    assert files - {
        "__init__",
        "card",
        "csv_table",
        "download",
        "folder",
        "selection",
        "synthesis",
        "utterances",
    } == set(CORPORA)


@pytest.mark.parametrize("name", CORPORA)
def test_card(name):
    card = CORPORA[name]
    assert card.name == name
    for text in (card.title, card.citation, card.licence, card.url, card.example):
        assert text and text == text.strip()
    assert set(card.emotions.values()) <= set(EMOTIONS)
    assert isinstance(card.pattern, re.Pattern)
    assert card.utterances > 0 and card.speakers == SPEAKERS[name]
    assert all(re.fullmatch("[a-z]{2}", language) for language in card.languages)
    assert callable(card.load) and card.load.__doc__


@pytest.mark.parametrize("name", sorted(set(CORPORA) - {"casia", "savee"}))
def test_example_fits_the_pattern(name):
    assert CORPORA[name].pattern.fullmatch(Path(CORPORA[name].example).stem)


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_corpus(tmp_path, name):
    tree, total, counts, speakers = COMPLETE[name]
    trees.touch(tmp_path, tree())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load(name, tmp_path)
    assert len(table) == total == CORPORA[name].utterances
    assert table["speaker"].nunique() == speakers == CORPORA[name].speakers
    assert tuple(table.columns[: len(COLUMNS)]) == COLUMNS
    assert {emotion: (table["emotion"] == emotion).sum() for emotion in counts} == counts
    assert set(table["corpus"]) == {name}
    assert table["utterance"].str.startswith(f"{name}-").all() and table["speaker"].str.startswith(f"{name}-").all()
    assert table.attrs == {"skipped": [], "left_out": {}, "missing": []}
    assert all(Path(path).is_file() for path in table["path"])


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


def test_unknown_corpus_and_option(tmp_path):
    with pytest.raises(CorpusError, match="Unknown corpus 'ravdes'; did you mean ravdess. Known are ravdess, emodb"):
        corpora.load("ravdes", tmp_path)
    with pytest.raises(CorpusError, match="ravdess has no option language; it has song"):
        corpora.load("ravdess", tmp_path, language="en")
    with pytest.raises(CorpusError, match="emodb has no option song; it has none of its own"):
        corpora.load("emodb", tmp_path, song=True)


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


def test_flattened_with_other_suffixes(tmp_path):
    suffixes = (".flac", ".WAV", ".ogg", ".aiff", ".mp3")
    names = [Path(name).stem + suffixes[index % 5] for index, name in enumerate(trees.ravdess())]
    assert len(corpora.load("ravdess", trees.touch(tmp_path, names))) == 1440


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
        CorpusError, match="30 files of ravdess are bad; no other is there; give the folder that"
    ) as caught:
        corpora.load("ravdess", tmp_path)
    assert "... and 10 more" in str(caught.value) and "19.wav" in str(caught.value)
    with pytest.raises(CorpusError, match="holds no utterance of ravdess that was asked for; skipped as bad: 30"):
        corpora.load("ravdess", tmp_path, skip_bad=True)


def test_several_corpora_are_one_table(tmp_path):
    trees.touch(tmp_path / "tess", trees.tess())
    trees.touch(tmp_path / "b" / "RAVDESS", [*trees.ravdess(), "noise.wav"])
    with pytest.raises(CorpusError, match="1 files of ravdess are bad"):
        corpora.load_several({"tess": tmp_path / "tess", "ravdess": tmp_path / "b"})
    table = corpora.load_several({"tess": tmp_path / "tess", "ravdess": tmp_path / "b"}, skip_bad=True)
    assert table["corpus"].value_counts().to_dict() == {"tess": 2800, "ravdess": 1440}
    assert set(table["emotion"][table["corpus"] == "tess"]) < set(table["emotion"][table["corpus"] == "ravdess"])
    assert set(table["intensity"][table["corpus"] == "tess"]) == {""}
    assert set(table["intensity"][table["corpus"] == "ravdess"]) == {"normal", "strong"}
    assert [Path(path).name for path, _ in table.attrs["skipped"]] == ["noise.wav"]
    assert table.attrs["missing"] == [] and table.attrs["left_out"] == {}


def test_missing_utterances_are_said(tmp_path):
    names = [name for name in trees.ravdess() if "Actor_07" not in name]
    names.remove("Actor_03/03-01-05-02-01-01-03.wav")
    trees.touch(tmp_path, names)
    with pytest.warns(CorpusWarning, match="1379 of 1440 utterances of ravdess"):
        table = corpora.load("ravdess", tmp_path)
    assert table.attrs["missing"] == ["ravdess-03: anger 7 of 8", "ravdess-07: all 60 utterances are missing"]


@needs_data
def test_real_ravdess():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("ravdess", DATA)
    assert len(table) == 1440 and table["speaker"].nunique() == 24
    assert table["emotion"].value_counts().to_dict() == {
        emotion: 96 if emotion == "neutral" else 192 for emotion in CORPORA["ravdess"].emotions.values()
    }
    assert emotions_of(table) == list(CORPORA["ravdess"].emotions.values())
    assert digest(table) == "c306677630e8157ec10b867f77bb9291"


@needs_data
def test_real_emodb():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("emodb", Path(DATA) / "emodb")
    assert len(table) == 535 and table["speaker"].nunique() == 10 and table["sentence"].nunique() == 10
    counts = {"anger": 127, "boredom": 81, "disgust": 46, "fear": 69, "happiness": 71, "sadness": 62, "neutral": 79}
    assert table["emotion"].value_counts().to_dict() == counts
