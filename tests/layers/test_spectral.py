"""Spectral arithmetic against librosa and literal values."""

import keras
import librosa
import numpy as np
import pytest
import scipy.fft

from sertf.layers import spectral


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(("frame_length", "hop_length"), [(4, 2), (4, 1), (5, 2), (2, 2), (3, 4)])
def test_frame_signal(frame_length, hop_length):
    signal = np.arange(24, dtype="float32").reshape(1, 24)
    frames = values(spectral.frame_signal(signal, frame_length, hop_length))[0]
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, signal[0, index * hop_length : index * hop_length + frame_length])
    assert len(frames) == 24 // hop_length - -(-frame_length // hop_length) + 1


@pytest.mark.parametrize(("win_length", "hop_length"), [(512, 256), (512, 200), (300, 100), (512, 512), (256, 128)])
@pytest.mark.parametrize("samples", [1000, 1023, 1024, 1025])
def test_power_spectrogram(win_length, hop_length, samples):
    signal = np.random.default_rng(0).normal(size=samples).astype("float32")
    window = spectral.window("hann", win_length)
    power = values(spectral.power_spectrogram(signal[None], window, n_fft=512, hop_length=hop_length))[0]
    reference = np.abs(librosa.stft(signal, n_fft=512, win_length=win_length, hop_length=hop_length)) ** 2
    np.testing.assert_allclose(power, reference.T, rtol=1e-4, atol=1e-5 * reference.max())


def test_power_to_db():
    power = np.array([[[1.0, 100.0], [1e-12, 1e-3]], [[1e-5, 1e-5], [10.0, 1.0]]], "float32")
    plain = values(spectral.power_to_db(power, top_db=80.0))
    np.testing.assert_allclose(plain, [[[0, 20], [-60, -30]], [[-50, -50], [10, 0]]], atol=1e-4)
    own = np.array([[True, True], [True, False]])
    relative = values(spectral.power_to_db(power, own_frames=own, relative=True, top_db=40.0))
    np.testing.assert_allclose(relative[0], [[-20, 0], [-40, -40]], atol=1e-4)
    np.testing.assert_allclose(relative[1, 0], [0, 0], atol=1e-4)


def test_power_to_db_of_silence():
    silence = np.zeros((1, 2, 3), "float32")
    assert np.allclose(spectral.power_to_db(silence), -100.0)
    assert np.allclose(spectral.power_to_db(silence, relative=True), 0.0)


def test_dct_matrix():
    vector = np.random.default_rng(0).normal(size=128).astype("float32")
    expected = scipy.fft.dct(vector, type=2, norm="ortho")[:13]
    np.testing.assert_allclose(vector @ spectral.dct_matrix(128, 13), expected, atol=1e-5)


def test_scale_to_peak():
    scaled = values(spectral.scale_to_peak(np.array([[2.0, 4.0, 1.0], [0.0, 0.0, 0.0]], "float32")))
    np.testing.assert_array_equal(scaled, [[0.5, 1.0, 0.25], [0.0, 0.0, 0.0]])


def test_own_positions_and_keep_own():
    own = spectral.own_positions(np.array([2, 0, 3], "int32"), 3)
    np.testing.assert_array_equal(values(own), [[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    kept = values(spectral.keep_own(np.full((3, 3, 2), np.nan, "float32"), own))
    assert np.isnan(kept).sum() == 10
    assert kept[0, 2].tolist() == [0.0, 0.0]


def test_filters_have_librosas_orientation():
    assert spectral.mel_filters(sample_rate=48000, n_fft=4096, n_mels=128).shape == (2049, 128)
    assert spectral.chroma_filters(sample_rate=48000, n_fft=4096, n_chroma=12).shape == (2049, 12)
