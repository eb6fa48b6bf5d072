"""MfccChroma against librosa's own feature.mfcc and feature.chroma_stft."""

import os
from pathlib import Path

import keras
import librosa
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features import MfccChroma


def by_librosa(samples, sample_rate=48000, n_fft=4096, hop_length=2048):
    window = {"n_fft": n_fft, "hop_length": hop_length}
    mfcc = librosa.feature.mfcc(y=samples, sr=sample_rate, n_mfcc=34, **window)
    chroma = librosa.feature.chroma_stft(y=samples, sr=sample_rate, tuning=0, **window)
    return np.concatenate([mfcc, chroma]).T  # (frames, 46)


def assert_same(ours, reference):
    """1e-4 relative: of each value or, where it passes through zero, of the largest value of its kind."""
    ours = keras.ops.convert_to_numpy(ours)
    assert ours.shape == reference.shape
    for kind in (slice(0, 34), slice(34, 46)):
        scale = np.abs(reference[:, kind]).max()
        np.testing.assert_allclose(ours[:, kind], reference[:, kind], rtol=1e-4, atol=1e-4 * scale)


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype("float32")


def chirp(seconds, sample_rate=48000):
    return 0.5 * librosa.chirp(fmin=60, fmax=12000, sr=sample_rate, duration=seconds).astype("float32")


@pytest.mark.parametrize("samples", [48000, 48001, 2 * 2048, 2 * 2048 - 1, 4800])
def test_noise(samples):
    signal = noise(samples)
    assert_same(MfccChroma()(signal[None])[0], by_librosa(signal))


def test_chirp_with_silence():
    signal = np.concatenate([np.zeros(20000, "float32"), chirp(1.0), np.zeros(20000, "float32")])
    assert_same(MfccChroma()(signal[None])[0], by_librosa(signal))


@pytest.mark.filterwarnings("ignore:n_fft")
def test_shorter_than_a_window():
    signal = noise(1600)
    assert_same(MfccChroma()(signal[None])[0], by_librosa(signal))


def test_another_rate_and_hop():
    signal = noise(16000)
    front_end = MfccChroma(16000, n_fft=1024, hop_length=400)
    assert_same(front_end(signal[None])[0], by_librosa(signal, 16000, 1024, 400))


def test_a_quiet_utterance_in_a_loud_batch_keeps_its_own_floor():
    """The 80 dB count from each utterance's own maximum, over its own frames."""
    signals = [noise(48000), 1e-3 * chirp(0.7)]
    lengths = np.array([len(signal) for signal in signals], "int32")
    batch = np.zeros((2, 96000), "float32")
    for row, signal in zip(batch, signals, strict=True):
        row[: len(signal)] = signal
    features = keras.ops.convert_to_numpy(MfccChroma()(batch, lengths))
    for row, signal in zip(features, signals, strict=True):
        assert_same(row[: 1 + len(signal) // 2048], by_librosa(signal))
        assert not row[1 + len(signal) // 2048 :].any()


def test_real_clips():
    root = os.environ.get("SERTF_DATA")
    if not root:
        pytest.skip("SERTF_DATA is not set")
    paths = sorted((Path(root) / "ravdess").rglob("03-01-0[167]-01-01-01-0[12].*"))
    assert len(paths) == 6
    signals = [librosa.load(path, sr=None)[0] for path in paths]
    lengths = np.array([len(signal) for signal in signals], "int32")
    batch = np.stack([np.pad(signal, (0, lengths.max() - len(signal))) for signal in signals])
    front_end = MfccChroma()
    features = keras.ops.convert_to_numpy(front_end(batch, lengths))
    for row, signal, length in zip(features, signals, lengths, strict=True):
        assert_same(row[: front_end.frames(length)], by_librosa(signal))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_fft": 4095}, "n_fft must be even, got 4095"),
        ({"hop_length": 0}, "hop_length must be a whole number above 0, got 0"),
        ({"sample_rate": 16000.5}, "sample_rate must be a whole number above 0, got 16000.5"),
        ({"n_mfcc": 200}, r"n_mfcc must be at most n_mels \(128\), got 200"),
        ({"top_db": 0.0}, "top_db must be above 0, got 0.0"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(SertfError, match=message):
        MfccChroma(**arguments)
