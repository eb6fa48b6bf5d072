"""The filter bank against pywt.cwt, coefficient by coefficient and pooled."""

import keras
import numpy as np
import pytest
import pywt

from sertf.layers import wavelets

SCALES = np.geomspace(1.7, 60, 5)


def signal(samples=1500, seed=0):
    return np.random.default_rng(seed).normal(size=samples)


def pooled(window, wavelet, bins, precision=12):
    """Literal: (bins, scales) of one window."""
    power = np.abs(pywt.cwt(window, SCALES, wavelet, method="fft", precision=precision)[0]) ** 2
    samples, width = len(window), -(-len(window) // bins)
    return np.array([power[:, b * samples // bins :][:, :width].mean(axis=1) for b in range(bins)])


def by_bank(windows, wavelet, bins, precision=12):
    made = wavelets.filters(pywt.ContinuousWavelet(wavelet), SCALES, precision=precision)
    bank = wavelets.bank(made, samples=windows.shape[1], bins=bins)
    return keras.ops.convert_to_numpy(wavelets.pooled_power(windows.astype("float32"), bank))


@pytest.mark.parametrize("wavelet", ["morl", "gaus1", "cmor1.5-1.0", "cgau3"])
def test_filters_are_what_pywt_convolves_with(wavelet):
    samples = signal(400)
    made = wavelets.filters(pywt.ContinuousWavelet(wavelet), SCALES)
    for (taps, future), expected in zip(made, pywt.cwt(samples, SCALES, wavelet, method="conv")[0]):
        np.testing.assert_allclose(np.convolve(samples, taps)[future : future + 400], expected, atol=1e-12)


@pytest.mark.parametrize("wavelet", ["morl", "cmor1.5-1.0"])
@pytest.mark.parametrize(("samples", "bins"), [(1500, 30), (1500, 7), (1501, 30), (1500, 1), (1201, 1201)])
def test_power_of_equal_and_unequal_bins(wavelet, samples, bins):
    expected = pooled(signal(samples), wavelet, bins)
    np.testing.assert_allclose(by_bank(signal(samples)[None], wavelet, bins)[0], expected, rtol=1e-4, atol=1e-5)


def test_finer_wavelet():
    expected = pooled(signal(), "morl", 30, precision=16)
    np.testing.assert_allclose(by_bank(signal()[None], "morl", 30, precision=16)[0], expected, rtol=1e-4)


def test_silent_blocks_and_silent_rows_among_others():
    """Blocks of zeros are left out under TensorFlow; what is put back is in place."""
    windows = np.zeros((4, 6000))
    windows[0, 2500:2600], windows[2], windows[3, -1] = signal(100), signal(6000), 1.0
    power = by_bank(windows, "morl", 60)
    for row, window in zip(power, windows):
        np.testing.assert_allclose(row, pooled(window, "morl", 60), rtol=1e-4, atol=1e-6)
    assert not power[1].any()
    assert not by_bank(windows[1:2], "morl", 60).any()


@pytest.mark.parametrize(("samples", "bins"), [(128000, 256), (128000, 224), (128000, 299), (16000, 50)])
def test_blocks_hold_whole_bins_and_what_they_need(samples, bins):
    scales = pywt.frequency2scale("morl", np.geomspace(64, 8000, 40) / 16000)
    bank = wavelets.bank(
        wavelets.filters(pywt.ContinuousWavelet("morl"), scales, precision=12), samples=samples, bins=bins
    )
    assert sum(len(level.responses) for level in bank.levels) == 40
    for level in bank.levels:
        assert level.hop_samples * bins == level.bins * samples
        assert level.block_samples >= level.past + level.hop_samples + level.future
        assert level.responses.shape[1:] == (1, level.block_samples // 2 + 1)
