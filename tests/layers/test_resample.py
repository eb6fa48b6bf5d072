import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("resampling inside the graph is TensorFlow's", allow_module_level=True)

import soxr
import tensorflow as tf

from sertf.audio import files
from sertf.layers.resample import FLOOR, resample, resampled_lengths


def resampled(signal, source, target):
    return np.asarray(resample(tf.constant(signal[None], tf.float32), tf.constant(source), target))[0]


def speechlike(rate, seconds=0.7, top=None):
    """Noise with the slope of speech and a chirp, faded in and out, nothing above `top` Hz (0.4 of the rate)."""
    top = 0.4 * rate if top is None else top
    time = np.arange(int(rate * seconds)) / rate
    chirp = np.sin(2 * np.pi * (100 * time + 0.4 * top * time**2 / seconds))
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=len(time)))
    frequency = np.linspace(0, rate / 2, len(spectrum))
    noise = np.fft.irfft(np.where(frequency < top, spectrum / (1 + frequency / 500), 0), len(time))
    return (0.3 * (chirp + noise) * np.sin(np.pi * time / seconds)).astype("float32")


@pytest.mark.parametrize("target", [16_000, 48_000])
@pytest.mark.parametrize("source", [8_000, 11_025, 22_050, 24_414, 44_100, 96_000])
def test_equals_soxr(source, target):
    signal = speechlike(source, top=0.4 * min(source, target))
    expected = soxr.resample(signal, source, target, quality="HQ")
    ours = resampled(signal, source, target)
    assert len(ours) == len(expected) == resampled_lengths(len(signal), source, target)
    np.testing.assert_allclose(ours, expected, atol=1e-3 * np.abs(expected).max())


def test_same_rate_gives_the_very_same_samples():
    signal = speechlike(16_000)
    np.testing.assert_array_equal(resampled(signal, 16_000, 16_000), signal)


def test_a_tone_stays_a_tone_up_to_the_ends():
    """Nothing wraps around from the end to the start."""
    signal = np.zeros(8000, np.float32)
    signal[-2000:] = np.sin(2 * np.pi * 440 * np.arange(2000) / 16_000)
    ours = resampled(signal, 16_000, 48_000)
    assert np.all(ours[:15_000] == 0)
    tone = np.sin(2 * np.pi * 440 * np.arange(6000) / 48_000)
    np.testing.assert_allclose(ours[18_300:-300], tone[300:-300], atol=1e-3)


def test_digital_silence_stays_exactly_zero():
    signal = speechlike(16_000)
    signal[3000:8000] = 0
    ours = resampled(signal, 16_000, 48_000)
    assert np.all(ours[9_400:23_600] == 0)
    assert np.any(ours[8_990:9_010] != 0)


def test_rows_are_independent():
    first, second = speechlike(16_000), np.zeros_like(speechlike(16_000))
    both = np.asarray(resample(tf.constant(np.stack([first, second])), tf.constant(16_000), 22_050))
    np.testing.assert_allclose(both[0], resampled(first, 16_000, 22_050), atol=1e-6)
    assert np.all(both[1] == 0)


def test_lengths_round_like_soxr():
    for samples in (1600, 1601, 4411, 7777):
        expected = len(soxr.resample(np.zeros(samples, np.float32), 44_100, 16_000))
        assert int(resampled_lengths(samples, 44_100, 16_000)) == expected


def test_silences_the_same_as_the_reader_of_files():
    assert FLOOR == files.RESAMPLING_FLOOR
    signal = np.round(speechlike(16_000) * 2**15).astype("float32") / 2**15
    signal[3000:8000] = 0
    ours, theirs = resampled(signal, 16_000, 48_000), files.resample(signal, 16_000, 48_000)
    assert np.mean((ours == 0) != (theirs == 0)) < 1e-3
