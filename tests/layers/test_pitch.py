"""Pitch and voicing against signals of known pitch and noise, and against librosa's autocorrelation."""

import keras
import librosa
import numpy as np
import pytest

from sertf.layers import pitch, spectral

RATE, N_FFT, WIN, HOP = 16000, 2048, 1024, 160
WINDOW = spectral.window("hann", WIN)
CONSTANTS = pitch.autocorrelation(WINDOW, sample_rate=RATE, n_fft=N_FFT, fmin=60, fmax=600, bins=N_FFT // 2 + 1)


def pitch_of(signal):
    """Frequencies and strengths of the frames that lie inside the signal."""
    power = spectral.power_spectrogram(signal[None].astype("float32"), WINDOW, n_fft=N_FFT, hop_length=HOP)
    found = (keras.ops.convert_to_numpy(values)[0, 4:-4, 0] for values in pitch.pitch(power, CONSTANTS))
    return tuple(found)


def buzz(frequency, seconds=0.5):
    """A harmonic complex below 4 kHz; the frequency may be one value a sample."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, round(seconds * RATE))) / RATE
    return sum(np.sin(k * phase) / k for k in range(1, int(4000 / np.max(frequency)) + 1))


@pytest.mark.parametrize("frequency", [65.0, 103.7, 220.0, 431.0, 590.0])
def test_pitch_of_a_steady_voice(frequency):
    found, strength = pitch_of(buzz(frequency))
    np.testing.assert_allclose(found, frequency, rtol=0.003)
    assert np.all(strength > 0.97)


def test_pitch_follows_a_glide_as_librosas_yin_does():
    track = np.linspace(120, 240, RATE)
    signal = buzz(track, 1.0)
    found, _ = pitch_of(signal)
    np.testing.assert_allclose(found, track[::HOP][4 : 4 + len(found)], rtol=0.01)
    yin = librosa.yin(signal, fmin=60, fmax=600, sr=RATE, frame_length=WIN, hop_length=HOP)[4:-4]
    assert np.median(np.abs(found - yin) / yin) < 0.01


def test_noise_has_no_strong_period():
    _, strength = pitch_of(np.random.default_rng(0).normal(size=RATE))
    assert np.quantile(strength, 0.95) < 0.5


@pytest.mark.parametrize("ratio_db", [0.0, 10.0, 20.0])
def test_harmonics_to_noise_ratio_is_that_of_the_mixture(ratio_db):
    voice = buzz(200.0, 2.0)
    noise = np.random.default_rng(0).normal(size=len(voice))
    noise *= np.sqrt(np.mean(voice**2) / np.mean(noise**2) / 10 ** (ratio_db / 10))
    _, strength = pitch_of(voice + noise)
    ratio = keras.ops.convert_to_numpy(pitch.harmonics_to_noise(strength))
    assert abs(np.median(ratio) - ratio_db) < 1.5


def test_autocorrelation_is_librosas():
    frame = np.diff(np.random.default_rng(0).normal(size=WIN + 1)).astype("float32")  # with little below 30 Hz
    ours = np.abs(np.fft.rfft(frame * WINDOW, N_FFT)) ** 2 @ CONSTANTS.matrix
    expected = librosa.autocorrelate(frame * WINDOW)[[0, *CONSTANTS.lags.astype(int)]]
    np.testing.assert_allclose(ours, expected, atol=1e-3 * expected[0])


def test_silence_has_no_pitch():
    found, strength = pitch_of(np.zeros(RATE))
    assert not found.any() and not strength.any()


def test_semitones():
    ours = keras.ops.convert_to_numpy(pitch.semitones(np.array([0.0, 27.5, 55.0, 440.0], "float32")))
    np.testing.assert_allclose(ours, [0, 0, 12, 48], atol=1e-4)
