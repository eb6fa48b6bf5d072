"""Descriptors of frames against librosa and literal loops."""

import keras
import librosa
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import descriptors, spectral


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def magnitudes(frames=12, n_fft=2048, seed=0):
    """Random (1, frames, bins) with a silent frame."""
    drawn = np.random.default_rng(seed).rayleigh(size=(1, frames, n_fft // 2 + 1)).astype("float32") ** 3
    drawn[:, 2] = 0
    return drawn


@pytest.mark.parametrize(("sample_rate", "n_fft"), [(16000, 2048), (22050, 2048), (48000, 4096), (16000, 512)])
def test_spectral_shape(sample_rate, n_fft):
    magnitude = magnitudes(n_fft=n_fft)
    frequencies = descriptors.bin_frequencies(sample_rate=sample_rate, n_fft=n_fft)
    bands = descriptors.contrast_bands(sample_rate=sample_rate, n_fft=n_fft)
    centroid = descriptors.spectral_centroid(magnitude, frequencies)
    ours = {
        "spectral_contrast": descriptors.spectral_contrast(magnitude, bands),
        "spectral_centroid": centroid,
        "spectral_bandwidth": descriptors.spectral_bandwidth(magnitude, frequencies, centroid),
        "spectral_rolloff": descriptors.spectral_rolloff(magnitude, frequencies),
    }
    for name, result in ours.items():
        expected = getattr(librosa.feature, name)(S=magnitude[0].T, sr=sample_rate).T
        np.testing.assert_allclose(values(result)[0], expected, rtol=1e-5, atol=1e-4, err_msg=name)


def test_contrast_takes_its_maximum_over_own_frames():
    magnitude = magnitudes()
    magnitude[:, 8:] *= 1e9
    bands = descriptors.contrast_bands(sample_rate=16000, n_fft=2048)
    own = np.arange(12)[None] < 8
    expected = librosa.feature.spectral_contrast(S=magnitude[0, :8].T, sr=16000).T
    ours = values(descriptors.spectral_contrast(magnitude, bands, own_frames=own))[0, :8]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "message"),
    [
        (12800, 2048, "sample_rate must be above 12800 Hz, .* got 12800"),
        (16000, 64, "64 at 16000 Hz gives 0 to 200 Hz none; take a larger n_fft"),
    ],
)
def test_contrast_bands_that_hold_nothing(sample_rate, n_fft, message):
    with pytest.raises(SertfError, match=message):
        descriptors.contrast_bands(sample_rate=sample_rate, n_fft=n_fft)


def test_tonnetz():
    chroma = np.random.default_rng(0).random((1, 5, 12)).astype("float32")
    chroma[:, 3] = 0
    expected = librosa.feature.tonnetz(chroma=chroma[0].T).T
    np.testing.assert_allclose(values(descriptors.tonnetz(chroma))[0], expected, atol=1e-6)


@pytest.mark.parametrize(("frame_length", "hop_length"), [(2048, 512), (512, 160), (512, 512), (64, 100)])
@pytest.mark.parametrize("samples", [5000, 5120, 300])
def test_zero_crossing_rate(frame_length, hop_length, samples):
    signal = np.random.default_rng(0).normal(size=samples).astype("float32")
    signal[100:140:3] = [0.0, -0.0, 1e-11, -1e-11, 1e-9, -1e-9, 0, -1, 0, 1, 0, -1e-10, 1e-10, -1]
    padded = np.pad(signal, (0, 1000), constant_values=-1).reshape(1, -1)
    rates = values(
        descriptors.zero_crossing_rate(
            keras.ops.convert_to_tensor(padded),
            lengths=np.array([samples], "int32"),
            frame_length=frame_length,
            hop_length=hop_length,
        )
    )
    expected = librosa.feature.zero_crossing_rate(signal, frame_length=frame_length, hop_length=hop_length).T
    np.testing.assert_allclose(rates[0, : len(expected)], expected, atol=1e-7)


def test_delta():
    series = np.random.default_rng(0).normal(size=(3, 30, 2)).astype("float32")
    counts = np.array([30, 9, 17], "int32")
    first, second = (values(slope) for slope in descriptors.delta(series, counts=counts))
    assert first.shape == second.shape == series.shape
    for row, count in enumerate(counts):
        for order, slope in ((1, first), (2, second)):
            expected = librosa.feature.delta(series[row, :count], order=order, axis=0)
            np.testing.assert_allclose(slope[row, :count], expected, atol=1e-5)


def test_delta_of_a_parabola():
    time = np.arange(11.0)
    first, second = descriptors.delta((time**2).reshape(1, -1, 1).astype("float32"), counts=np.array([11]))
    np.testing.assert_allclose(values(first)[0, :, 0], [8, 8, 8, 8, 8, 10, 12, 12, 12, 12, 12], rtol=1e-5)
    np.testing.assert_allclose(values(second)[0, :, 0], 2.0, rtol=1e-4)


def segment_means_by_loop(frames, segments):
    means = np.zeros((segments, frames.shape[1]))
    for segment in range(segments):
        begin, end = segment * len(frames) / segments, (segment + 1) * len(frames) / segments
        for index, frame in enumerate(frames):
            means[segment] += max(0.0, min(end, index + 1) - max(begin, index)) / (end - begin) * frame
    return means


@pytest.mark.parametrize("segments", [1, 3, 64])
def test_segment_means(segments):
    frames = np.random.default_rng(0).normal(size=(3, 100, 4)).astype("float32")
    counts = np.array([100, 9, 37], "int32")
    means = values(descriptors.segment_means(frames, counts=counts, segments=segments))
    for row, count in enumerate(counts):
        expected = segment_means_by_loop(frames[row, :count].astype("float64"), segments)
        np.testing.assert_allclose(means[row], expected, rtol=1e-5, atol=1e-6)


def test_two_frames_in_three_segments():
    frames = np.array([[[1.0], [4.0], [99.0]]], "float32")
    means = values(descriptors.segment_means(frames, counts=np.array([2]), segments=3))
    np.testing.assert_allclose(means[0, :, 0], [1.0, 2.5, 4.0], rtol=1e-6)


def test_root_mean_square_is_that_of_the_windowed_samples():
    signal = np.random.default_rng(0).normal(0, 0.2, (1, 8000)).astype("float32")
    window = spectral.window("hann", 1024)
    power = spectral.power_spectrogram(signal, window, n_fft=2048, hop_length=160)
    ours = values(descriptors.root_mean_square(power, n_fft=2048, window=window))[0, :, 0]
    padded = np.pad(signal[0], 512)
    frames = np.stack([padded[i * 160 : i * 160 + 1024] for i in range(len(ours))])
    expected = np.sqrt(((frames * window) ** 2).sum(axis=1) / (window**2).sum())
    np.testing.assert_allclose(ours, expected, rtol=1e-4)
    by_librosa = librosa.feature.rms(y=signal[0], frame_length=1024, hop_length=160)[0]
    np.testing.assert_allclose(ours[5:-5], by_librosa[5:-5], rtol=0.15)  # of a rectangular window


def test_spectral_flux_is_librosas_onset_strength():
    decibels = np.random.default_rng(0).normal(-30, 10, (1, 20, 40)).astype("float32")
    expected = librosa.onset.onset_strength(S=decibels[0].T, center=False)
    np.testing.assert_allclose(values(descriptors.spectral_flux(decibels))[0, :, 0], expected, rtol=1e-4, atol=1e-5)


def test_spectral_slope_is_the_line_of_least_squares():
    frequencies = descriptors.bin_frequencies(sample_rate=16000, n_fft=2048)
    decibels = np.random.default_rng(0).normal(-30, 10, (5, len(frequencies))).astype("float32")
    ours = decibels @ descriptors.slope_weights(frequencies, low=500, high=1500)
    inside = (frequencies >= 500) & (frequencies <= 1500)
    expected = np.polyfit(frequencies[inside] / 1000, decibels[:, inside].T, 1)[0]
    np.testing.assert_allclose(ours[:, 0], expected, rtol=1e-3, atol=1e-3)
