import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf import corpora
from sertf.corpora import CorpusError
from sertf.corpora.utterances import unknown_speakers


def test_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "db.yaml").touch()
    monkeypatch.setitem(sys.modules, "audformat", None)
    with pytest.raises(CorpusError, match=r"is an audformat database; install sertf\[audformat\], which reads it"):
        corpora.load_table(tmp_path)


@pytest.fixture
def made(tmp_path):
    """A database with a table of files, split in two, one of segments, and speakers with their gender."""
    audformat = pytest.importorskip("audformat")
    (tmp_path / "wav").mkdir()
    for place in range(3):
        samples = np.random.default_rng(place).uniform(-0.1, 0.1, 16000)
        soundfile.write(tmp_path / f"wav/{place}.wav", samples, 16000)
    database = audformat.Database("toy", languages=["german"])
    for split in ("train", "test"):
        database.splits[split] = audformat.Split(split)
    database.schemes["emotion"] = audformat.Scheme(labels=["Wut", "happy"])
    database.schemes["speaker"] = audformat.Scheme(labels={"ann": {"gender": "female"}, "bob": {"gender": "male"}})
    for split, place, label in (("train", 0, "Wut"), ("test", 1, "happy")):
        index = audformat.filewise_index([f"wav/{place}.wav"])
        table = database[f"emotion.{split}"] = audformat.Table(index, split_id=split)
        table["emotion"] = audformat.Column(scheme_id="emotion")
        table["emotion"].set([label])
    parts = audformat.segmented_index(["wav/2.wav"] * 2, ["0s", "0.5s"], ["0.5s", pd.NaT])
    database["parts"] = audformat.Table(parts)
    database["parts"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["parts"]["emotion"].set(["Wut", None])
    database["files"] = audformat.Table(audformat.filewise_index([f"wav/{place}.wav" for place in range(3)]))
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set(["ann", "bob", "bob"])
    return database


def test_files_segments_speakers_and_splits(made, tmp_path):
    made.save(str(tmp_path))
    table = corpora.load_table(tmp_path).set_index("utterance")
    assert set(table.index) == {"toy-0", "toy-1", "toy-2_0-0.5"}
    assert table.loc["toy-2_0-0.5", "path"] == f"{tmp_path}/wav/2.wav#t=0,0.5"
    assert table["emotion"].to_dict() == {"toy-0": "Wut", "toy-1": "happiness", "toy-2_0-0.5": "Wut"}
    assert table["speaker"].to_dict() == {"toy-0": "toy-ann", "toy-1": "toy-bob", "toy-2_0-0.5": "toy-bob"}
    assert table["gender"].to_dict() == {"toy-0": "female", "toy-1": "male", "toy-2_0-0.5": "male"}
    assert set(table["language"]) == {"de"}
    assert table["split"].to_dict() == {"toy-0": "train", "toy-1": "test", "toy-2_0-0.5": ""}


def test_without_speakers_they_are_unknown(made, tmp_path):
    made.drop_tables("files")
    made.save(str(tmp_path))
    assert unknown_speakers(corpora.load_table(tmp_path))


def test_a_database_without_emotions(made, tmp_path):
    made.drop_tables(["emotion.train", "emotion.test", "parts"])
    made.save(str(tmp_path))
    with pytest.raises(CorpusError, match="no table has the column emotion; the columns are speaker"):
        corpora.load_table(tmp_path)
