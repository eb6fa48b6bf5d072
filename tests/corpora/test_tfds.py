import sys

import keras
import numpy as np
import pytest

from sertf import corpora
from sertf.audio.files import read_audio
from sertf.corpora import CorpusError, records
from sertf.corpora.utterances import unknown_speakers

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow data sets need TensorFlow", allow_module_level=True)

RATE = 16000


def test_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "features.json").touch()
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(CorpusError, match=r"is a TensorFlow data set; install sertf\[tfds\], which reads it"):
        corpora.load_table(tmp_path)


def samples(seed):
    return (np.random.default_rng(seed).uniform(-0.3, 0.3, RATE // 2) * 2**15).astype(np.int64)


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Function of features and rows to the folder of a prepared data set."""
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.setattr(records, "RECORDINGS", tmp_path / "recordings")

    def prepared(features, rows):
        class Toy(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features(tfds.features)))

            def _split_generators(self, _):
                return {split: self._generate_examples(split) for split in rows}

            def _generate_examples(self, split):
                yield from enumerate(rows[split])

        builder = Toy(data_dir=tmp_path / "data")
        builder.download_and_prepare()
        return builder.data_path

    return prepared


def test_splits_labels_speakers_and_samples(prepare):
    folder = prepare(
        lambda kinds: {
            "audio": kinds.Audio(file_format="wav", sample_rate=RATE),
            "label": kinds.ClassLabel(names=["HAP", "Wut"]),
            "speaker_id": kinds.Text(),
        },
        {
            "train": [{"audio": samples(i), "label": i % 2, "speaker_id": f"s{i}"} for i in range(3)],
            "test": [{"audio": samples(9), "label": 1, "speaker_id": "s9"}],
        },
    )
    table = corpora.load_table(folder)
    assert table["split"].tolist().count("train") == 3 and len(table) == 4
    assert set(table["speaker"]) == {"toy-s0", "toy-s1", "toy-s2", "toy-s9"}
    by_speaker = table.set_index("speaker")
    assert by_speaker.loc["toy-s0", "emotion"] == "happiness" and by_speaker.loc["toy-s9", "emotion"] == "Wut"
    found, rate = read_audio(by_speaker.loc["toy-s9", "path"])
    assert rate == RATE
    np.testing.assert_array_equal(found, (samples(9) / 2**15).astype("float32"))


def test_without_speakers_and_without_labels(prepare):
    folder = prepare(
        lambda kinds: {"audio": kinds.Audio(sample_rate=RATE), "emotion": kinds.Text()},
        {"train": [{"audio": samples(i), "emotion": "sad"} for i in range(2)]},
    )
    assert unknown_speakers(corpora.load_table(folder))


def test_missing_features(prepare):
    folder = prepare(
        lambda kinds: {"audio": kinds.Audio(sample_rate=RATE), "mood": kinds.Text()},
        {"train": [{"audio": samples(0), "mood": "sad"}]},
    )
    with pytest.raises(CorpusError, match=r"no feature of labels \(emotion, label"):
        corpora.load_table(folder)


def test_a_data_set_without_a_sample_rate(prepare):
    folder = prepare(
        lambda kinds: {"audio": kinds.Audio(), "label": kinds.Text()},
        {"train": [{"audio": samples(0), "label": "sad"}]},
    )
    with pytest.raises(CorpusError, match="does not state the sample rate of audio"):
        corpora.load_table(folder)
