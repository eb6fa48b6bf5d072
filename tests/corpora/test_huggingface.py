import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sertf import corpora
from sertf.audio.files import read_audio
from sertf.corpora import CorpusError, records
from sertf.corpora.utterances import unknown_speakers

RATE = 8000


def test_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "state.json").touch()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(CorpusError, match=r"is a Hugging Face data set; install sertf\[datasets\], which reads it"):
        corpora.load_table(tmp_path)


def wav(seed):
    file = io.BytesIO()
    samples = np.random.default_rng(seed).uniform(-0.1, 0.1, RATE)
    soundfile.write(file, samples, RATE, format="WAV", subtype="FLOAT")
    return file.getvalue()


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Function of columns to a data set whose column `audio` holds recordings."""
    datasets, pyarrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    monkeypatch.setattr(records, "RECORDINGS", tmp_path / "recordings")

    def made(columns, features=None):
        known = {"audio": datasets.Audio(), **{name: datasets.Value("string") for name in columns if name != "audio"}}
        schema = datasets.Features({**{name: known[name] for name in columns}, **(features or {})})
        table = pyarrow.table(columns, schema=schema.arrow_schema)
        return datasets.Dataset(table, datasets.DatasetInfo(features=schema), fingerprint="toy")

    return made


def test_splits_of_recordings_inside_the_data_set(make, tmp_path):
    import datasets

    labels = {"label": datasets.ClassLabel(names=["joy", "Wut"])}
    parts = {
        split: make(
            {
                "audio": [
                    {"bytes": wav(seed), "path": f"{name}.wav"} for seed, name in enumerate(names, 10 * len(split))
                ],
                "label": [0, 1],
                "speaker_id": ["ann", "bob"],
                "gender": ["F", "Male"],
            },
            labels,
        )
        for split, names in {"train": ("a", "b"), "test": ("c", "d")}.items()
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "toy"))
    table = corpora.load_table(tmp_path / "toy")
    assert table["utterance"].tolist() == ["toy-a", "toy-b", "toy-c", "toy-d"]
    assert table["emotion"].tolist() == ["happiness", "Wut"] * 2
    assert table["speaker"].tolist() == ["toy-ann", "toy-bob"] * 2
    assert table["gender"].tolist() == ["female", "male"] * 2
    assert table["split"].tolist() == ["train", "train", "test", "test"]
    samples, rate = read_audio(table["path"].iloc[0])
    expected = np.random.default_rng(50).uniform(-0.1, 0.1, RATE)
    assert rate == RATE and np.allclose(samples, expected, atol=1e-7)
    written = sorted((tmp_path / "recordings").rglob("*.wav"))
    again = corpora.load_table(tmp_path / "toy")
    assert again["path"].tolist() == table["path"].tolist()
    assert sorted((tmp_path / "recordings").rglob("*.wav")) == written and len(written) == 4


def test_a_data_set_in_memory_with_paths_and_without_speakers(make, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.wav").write_bytes(wav(ord(name)))
    audio = [{"bytes": None, "path": str(tmp_path / name / "1.wav")} for name in "ab"]
    table = corpora.load_table(make({"audio": audio, "emotion": ["sad", "anger"]}))
    assert [Path(path).parent.name for path in table["path"]] == ["a", "b"]
    assert table["utterance"].tolist() == ["dataset-row-0", "dataset-row-1"]  # two are called 1.wav
    assert table["emotion"].tolist() == ["sadness", "anger"] and unknown_speakers(table)


def test_missing_columns(make):
    audio = [{"bytes": wav(0), "path": None}]
    with pytest.raises(CorpusError, match=r"no column of labels \(emotion, label, .*; its columns are audio, mood"):
        corpora.load_table(make({"audio": audio, "mood": ["sad"]}))
    with pytest.raises(CorpusError, match=r"no column of recordings \(Audio\)"):
        corpora.load_table(make({"emotion": ["sad"]}))
    with pytest.raises(CorpusError, match="row 0 has neither a recording nor a path"):
        corpora.load_table(make({"audio": [{"bytes": None, "path": None}], "emotion": ["sad"]}))
