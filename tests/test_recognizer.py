import keras
import numpy as np
import pytest
import soundfile

from sertf.audio import AudioError
from sertf.errors import SertfError
from sertf.recognizer import cut_windows

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_long_files_are_cut_into_windows(recognizer, tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.normal(scale=0.1, size=int(13.5 * 16_000)).astype("float32")
    soundfile.write(tmp_path / "long.wav", samples, 16_000, subtype="FLOAT")
    table = recognizer.predict(tmp_path / "long.wav")
    assert table[["start", "end"]].to_numpy().tolist() == [[0, 10], [3.5, 13.5]]
    part = recognizer.predict((samples[: 10 * 16_000], 16_000))
    np.testing.assert_allclose(
        table.loc[0, recognizer.emotions].astype(float), part.loc[0, recognizer.emotions].astype(float), atol=1e-5
    )
    assert len(recognizer.predict(tmp_path / "long.wav", window=2, hop=1)) == 13


def test_windows_cover_a_stream_whatever_its_blocks():
    stream = np.arange(23)
    for sizes in ([23], [1] * 23, [7, 7, 9]):
        blocks = np.split(stream, np.cumsum(sizes)[:-1])
        windows = list(cut_windows(blocks, 6, 4))
        assert [start for start, _ in windows] == [0, 4, 8, 12, 16, 17]
        assert all(samples.tolist() == stream[start : start + 6].tolist() for start, samples in windows)


def test_bad_audio(recognizer, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", np.ones(100), 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    for name in ("text.wav", "short.wav", "silent.wav", "missing.wav"):
        with pytest.raises(AudioError, match=name):
            recognizer.predict(tmp_path / name)
    with pytest.raises(SertfError, match="window must be"):
        recognizer.predict((np.ones(16_000, "float32"), 16_000), window=0.01)
    with pytest.raises(SertfError, match="files is empty"):
        recognizer.predict([])
