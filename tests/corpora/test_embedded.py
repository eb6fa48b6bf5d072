import warnings

import numpy as np
import pytest
import scipy.fft
import soundfile
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sertf import corpora
from sertf.audio.files import read_audio
from sertf.corpora import CorpusError, CorpusWarning, embedded, synthesis

SMALL = {"speakers": 2, "utterances": 2}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return corpora.load("embedded", tmp_path_factory.mktemp("embedded"))


def test_whole_corpus(whole):
    assert len(whole) == 320 == corpora.CORPORA["embedded"].utterances
    assert whole["emotion"].value_counts().to_dict() == dict.fromkeys(("neutral", "happiness", "sadness", "anger"), 80)
    assert whole.groupby("gender")["speaker"].nunique().to_dict() == {"female": 4, "male": 4}
    assert whole["sentence"].nunique() == 5
    row = whole.set_index("utterance").loc["embedded-s02_anger_07"]
    assert row[["speaker", "gender", "sentence", "take"]].tolist() == ["embedded-02", "male", "2", 2]
    for samples, rate in map(read_audio, whole["path"]):
        assert rate == 16000 and 0.6 < len(samples) / rate < 2.5 and np.abs(samples).max() < 1


def test_speaker_independent_score_lies_between_chance_and_one(whole):
    """An SVM on means and deviations of cepstra, two speakers out at a time."""
    vectors = []
    for samples, _ in map(read_audio, whole["path"]):
        frames = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256] * np.hanning(512)
        spectra = np.log(
            np.abs(np.fft.rfft(frames)).reshape(len(frames), -1)[:, :256].reshape(-1, 32, 8).mean(2) + 1e-4
        )
        cepstra = scipy.fft.dct(spectra, norm="ortho")[:, :20]
        vectors.append(np.concatenate([cepstra.mean(0), cepstra.std(0)]))
    model = make_pipeline(StandardScaler(), SVC())
    guess = cross_val_predict(
        model, np.array(vectors), whole["emotion"], groups=whole["speaker"], cv=GroupKFold(n_splits=4)
    )
    assert 0.5 < recall_score(whole["emotion"], guess, average="macro") < 0.9


def test_constants_agree_with_the_synthesis():
    # embedded.py must not load SciPy to know these.
    assert (embedded.SAMPLE_RATE, embedded.SENTENCES) == (synthesis.SAMPLE_RATE, len(synthesis.SENTENCES))


def test_made_once_and_mended(tmp_path):
    root = tmp_path / "new"
    table = corpora.load("embedded", root, **SMALL)
    assert len(table) == 16
    kept, gone = root / "s01_anger_01.wav", root / "s02_sadness_02.wav"
    stamp, content = kept.stat().st_mtime_ns, gone.read_bytes()
    gone.unlink()
    assert corpora.load("embedded", root, **SMALL).equals(table)
    assert kept.stat().st_mtime_ns == stamp and gone.read_bytes() == content
    assert sorted(path.name for path in root.iterdir() if path.name.startswith(".")) == []


def test_default_folder_is_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    table = corpora.load("embedded", **SMALL)
    assert table["path"][0].startswith(str(tmp_path / "sertf" / "embedded-"))
    other = corpora.load("embedded", seed=1, **SMALL)
    assert set(other["path"]).isdisjoint(table["path"])


def test_root_of_something_else(tmp_path):
    corpora.load("embedded", tmp_path / "a", **SMALL)
    with pytest.raises(CorpusError, match="holds the embedded corpus of .*; give another"):
        corpora.load("embedded", tmp_path / "a", seed=5, **SMALL)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/notes.txt").touch()
    with pytest.raises(CorpusError, match="holds other files"):
        corpora.load("embedded", tmp_path / "b", **SMALL)
    (tmp_path / "a" / embedded.MARKER).write_text("{")
    with pytest.raises(CorpusError, match="is damaged"):
        corpora.load("embedded", tmp_path / "a", **SMALL)
    (tmp_path / "file").touch()
    with pytest.raises(CorpusError, match="cannot be written here"):
        corpora.load("embedded", tmp_path / "file" / "deeper", **SMALL)


def test_stray_files(tmp_path):
    corpora.load("embedded", tmp_path / "a", **SMALL)
    soundfile.write(tmp_path / "a/s03_anger_01.wav", np.zeros(10), 16000)
    with pytest.raises(CorpusError, match="not one of the 2 speakers and 2 utterances"):
        corpora.load("embedded", tmp_path / "a", **SMALL)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorpusWarning)
        assert len(corpora.load("embedded", tmp_path / "a", skip_bad=True, **SMALL)) == 16


def test_bad_arguments(tmp_path):
    with pytest.raises(CorpusError, match="speakers must be 2 to 8; got 9"):
        corpora.load("embedded", tmp_path, speakers=9)
    with pytest.raises(CorpusError, match="utterances must be 1 to 99; got 0"):
        corpora.load("embedded", tmp_path, utterances=0)
