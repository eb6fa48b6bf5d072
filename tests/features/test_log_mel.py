"""LogMel against librosa's own melspectrogram and power_to_db."""

import os
from pathlib import Path

import keras
import librosa
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features import LogMel


def by_librosa(samples):
    cut = samples[24000:168000]
    mel = librosa.feature.melspectrogram(
        y=np.pad(cut, (0, 144000 - len(cut))),
        sr=48000,
        n_fft=1024,
        win_length=512,
        hop_length=256,
        window="hamming",
        n_mels=128,
        fmax=24000,
    )
    return librosa.power_to_db(mel, ref=np.max).T  # (frames, 128)


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype("float32")


@pytest.mark.parametrize("samples", [24001, 100000, 168000, 250000])
def test_noise_of_any_length(samples):
    signal = noise(samples)
    features = keras.ops.convert_to_numpy(LogMel()(signal[None]))
    assert features.shape == (1, 563, 128)
    np.testing.assert_allclose(features[0], by_librosa(signal), rtol=1e-4, atol=80e-4)


def test_chirp():
    signal = 0.5 * librosa.chirp(fmin=60, fmax=12000, sr=48000, duration=4.0).astype("float32")
    features = keras.ops.convert_to_numpy(LogMel()(signal[None]))
    np.testing.assert_allclose(features[0], by_librosa(signal), rtol=1e-4, atol=80e-4)


def test_real_clip():
    root = os.environ.get("SERTF_DATA")
    if not root:
        pytest.skip("SERTF_DATA is not set")
    signal, _ = librosa.load(next((Path(root) / "ravdess").rglob("03-01-05-02-01-01-09.*")), sr=None)
    features = keras.ops.convert_to_numpy(LogMel()(signal[None]))
    np.testing.assert_allclose(features[0], by_librosa(signal), rtol=1e-4, atol=80e-4)


def test_offset_beyond_the_end():
    with pytest.raises(SertfError, match="at least 24001 samples, got 24000"):
        LogMel()(noise(24000)[None])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"win_length": 2048}, r"win_length must be at most n_fft \(1024\), got 2048"),
        ({"duration_seconds": 0.0}, "duration_seconds at least one sample, got 0.5 and 0.0"),
        ({"offset_seconds": float("nan")}, "offset_seconds must be a finite number, got nan"),
        ({"duration_seconds": "3"}, "duration_seconds must be a finite number, got '3'"),
        ({"window": "hat"}, "window must be the name of one of SciPy's, such as hann or hamming, got 'hat'"),
        ({"window": 8.0}, "window must be the name of one of SciPy's, .* got 8.0"),
        ({"top_db": None}, "top_db must be above 0, got None"),
        ({"fmax": 30000}, "fmax must lie between 0 and 24000 Hz, got 30000"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(SertfError, match=message):
        LogMel(**arguments)
