"""Waveform: a clip's own samples, cut or padded, at its own rate or another."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf.audio.files import resample
from sertf.errors import SertfError
from sertf.extraction.cache import CacheError, FeatureCache
from sertf.features import Waveform


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype("float32")


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("samples", [1, 999, 1000, 1001, 2500])
def test_own_samples_and_zeros_behind_them(samples):
    signal = noise(samples)
    features = values(Waveform(samples=1000)(signal[None]))
    assert features.shape == (1, 1000, 1)
    expected = np.zeros(1000, "float32")
    expected[:samples] = signal[:1000]
    np.testing.assert_array_equal(features[0, :, 0], expected)


def test_the_papers_length():
    front_end = Waveform()
    assert front_end.sample_rate is None and front_end.feature_shape == (144_000, 1)
    assert front_end.span == (0, 144_000)
    assert values(front_end(noise(100)[None])).shape == (1, 144_000, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": 0}, "Waveform: samples must be a whole number above 0, got 0"),
        ({"samples": 0.5}, "Waveform: samples must be a whole number above 0, got 0.5"),
        ({"sample_rate": -1}, "Waveform: sample_rate must be a whole number above 0, got -1"),
        ({"sample_rate": True}, "Waveform: sample_rate must be a whole number above 0, got True"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(SertfError, match=message):
        Waveform(**arguments)


@pytest.fixture
def table(tmp_path):
    """Clips of 0.5 s at 16 kHz, of 0.5 s at 8 kHz, and of 2 s at 8 kHz."""
    rows = []
    for index, (rate, seconds) in enumerate([(16000, 0.5), (8000, 0.5), (8000, 2.0)]):
        path = tmp_path / f"clip{index}.wav"
        soundfile.write(path, noise(int(rate * seconds), index), rate, subtype="FLOAT")
        rows.append({"utterance": f"clip{index}", "path": str(path)})
    return pd.DataFrame(rows)


def extract(tmp_path, table, front_end):
    return FeatureCache(tmp_path / "cache").extract(table, front_end, progress=False)


def test_every_file_at_its_own_rate(tmp_path, table):
    features = extract(tmp_path, table[:2], Waveform(samples=8000))
    np.testing.assert_array_equal(features["clip0"][:, 0], noise(8000, 0))
    np.testing.assert_array_equal(features["clip1"][:, 0], np.pad(noise(4000, 1), (0, 4000)))


def test_other_rates_are_resampled(tmp_path, table):
    features = extract(tmp_path, table[:2], Waveform(16000, samples=8000))
    np.testing.assert_array_equal(features["clip0"][:, 0], noise(8000, 0))
    expected = resample(noise(4000, 1), 8000, 16000)
    np.testing.assert_array_equal(features["clip1"][:, 0], expected)


def test_cut_clips_are_said_once(tmp_path, table):
    for _ in range(2):  # from the cache, too
        with pytest.warns(UserWarning) as said:
            extract(tmp_path, table, Waveform(8000, samples=4000))
        assert [str(warning.message) for warning in said] == [
            "1 of 3 clips are longer than the 4000 samples that Waveform reads; their ends are cut off."
        ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(tmp_path, table, Waveform(8000, samples=16000))


def test_nan_in_a_clip_is_named(tmp_path, table):
    signal = noise(8000)
    signal[10:13] = np.nan
    soundfile.write(tmp_path / "clip1.wav", signal, 16000, subtype="FLOAT")
    with pytest.raises(CacheError, match=r"(?s)1 of 3 clips.*clip1\.wav: 3 samples are not finite \(NaN or infinite\)"):
        extract(tmp_path, table, Waveform(8000, samples=16000))
