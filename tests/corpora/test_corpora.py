"""The contract that every corpus keeps, and what is common to their parsers."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA, CorpusError
from sertf.corpora.utterances import COLUMNS
from tests.corpora import trees

# name: tree of the complete corpus, utterances, utterances an emotion, speakers
COMPLETE = {
    "ravdess": (trees.ravdess, 1440, {"neutral": 96, "calm": 192, "surprise": 192}, 24),
    "tess": (trees.tess, 2800, {"neutral": 400, "surprise": 400}, 2),
    "savee": (trees.savee, 480, {"neutral": 120, "sadness": 60, "surprise": 60}, 4),
    "casia": (trees.casia, 1200, {"neutral": 200, "surprise": 200}, 4),
    "cremad": (trees.cremad, 7442, {"neutral": 1087, "sadness": 1271, "anger": 1271}, 91),
    "nemo": (trees.nemo, 4481, {"neutral": 809, "surprise": 669}, 9),
    "emovo": (trees.emovo, 588, {"neutral": 84, "fear": 84}, 6),
    "urdu": (trees.urdu, 400, {"neutral": 100, "anger": 100}, 29),
}
# Corpora whose completeness cannot be shown by a tree of empty files; they have tests of their own.
OTHERS = {"emodb", "esd", "iemocap", "embedded"}


def test_every_corpus_is_listed_and_has_a_row_here():
    assert set(CORPORA) == set(COMPLETE) | OTHERS
    files = {path.stem for path in Path(corpora.__file__).parent.glob("*.py")}
    assert files - {
        "__init__",
        "audformat_database",
        "card",
        "class_folder",
        "csv_table",
        "download",
        "folder",
        "huggingface",
        "labels",
        "own_table",
        "records",
        "selection",
        "synthesis",
        "tfds",
        "utterances",
    } == set(CORPORA)


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


def test_unknown_corpus_and_option(tmp_path):
    with pytest.raises(CorpusError, match="Unknown corpus 'ravdes'; did you mean ravdess. Known are ravdess, emodb"):
        corpora.load("ravdes", tmp_path)
    with pytest.raises(CorpusError, match="ravdess has no option language; its options are: song"):
        corpora.load("ravdess", tmp_path, language="en")
    with pytest.raises(CorpusError, match="emodb has no option song; its options are: none"):
        corpora.load("emodb", tmp_path, song=True)


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
