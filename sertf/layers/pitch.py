"""Pitch and voicing of frames by the autocorrelation of Boersma (1993), on `keras.ops`, from power spectra.

Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound,
Proceedings of the Institute of Phonetic Sciences 17 (1993), 97-110. Power spectra are (batch, frames, bins).
"""

from dataclasses import dataclass

import keras
import numpy as np

from sertf.layers.spectral import nonzero

# Boersma's octave cost: each halving of a candidate's frequency costs this much of its strength.
OCTAVE_COST = 0.01
# Strengths beyond give a harmonics-to-noise ratio of 40 dB, either way.
WEAKEST, STRONGEST = 1e-4, 1 - 1e-4
SEMITONES_FROM_HZ = 27.5


@dataclass(frozen=True)
class Autocorrelation:
    """Constants by which a power spectrum becomes the autocorrelation at the lags of speech.

    Attributes:
        matrix: float32 (bins, 1 + lags); the first column gives lag 0.
        window: float32 (lags,), the window's own autocorrelation, 1 at lag 0.
        lags: float32 (lags,) samples.
        sample_rate: Hz.
    """

    matrix: np.ndarray
    window: np.ndarray
    lags: np.ndarray
    sample_rate: int


def autocorrelation(
    window: np.ndarray, *, sample_rate: int, n_fft: int, fmin: float, fmax: float, bins: int
) -> Autocorrelation:
    """Constants for fundamentals from `fmin` to `fmax` Hz, of spectra of the lowest `bins` bins.

    Bins below half of `fmin` count as empty: hum and offset are no speech. `n_fft` must be as long as the window and the
    longest lag together, else the autocorrelation wraps.
    """
    lags = np.arange(int(sample_rate / fmax) - 1, int(np.ceil(sample_rate / fmin)) + 2)
    frequencies = np.arange(bins)
    turns = np.multiply.outer(frequencies, np.concatenate([[0], lags])) / n_fft
    matrix = 2 * np.cos(2 * np.pi * turns) / n_fft
    if bins == n_fft // 2 + 1:
        matrix[-1] /= 2
    matrix[frequencies * sample_rate / n_fft < fmin / 2] = 0
    padded = np.fft.rfft(window.astype("float64"), 2 * (len(window) + lags[-1]))
    of_window = np.fft.irfft(np.abs(padded) ** 2)
    return Autocorrelation(
        matrix.astype("float32"),
        (of_window[lags] / of_window[0]).astype("float32"),
        lags.astype("float32"),
        sample_rate,
    )


def pitch(power: keras.KerasTensor, constants: Autocorrelation) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Fundamental frequency in Hz and the strength of its period, (batch, frames, 1) each.

    The strength is the normalised autocorrelation at the period, from 0 to 1; the frequency is 0 where no lag is a
    local maximum. Each frame's best candidate counts; no path is traced through the frames.
    """
    correlation = keras.ops.matmul(power, constants.matrix)  # (batch, frames, 1 + lags)
    normalised = correlation[:, :, 1:] / (nonzero(correlation[:, :, :1]) * constants.window)
    before, here, after = normalised[:, :, :-2], normalised[:, :, 1:-1], normalised[:, :, 2:]
    lags = constants.lags[1:-1]
    is_peak = keras.ops.logical_and(here > before, here >= after)
    cost = (OCTAVE_COST * np.log2(lags / lags[0])).astype("float32")
    candidates = keras.ops.where(is_peak, here - cost, -1.0)
    best = keras.ops.one_hot(keras.ops.argmax(candidates, axis=-1), len(lags), dtype="float32")
    left, middle, right = (_picked(values, best) for values in (before, here, after))
    # The parabola through the three values around the peak.
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / keras.ops.where(curvature < 0, curvature, -1.0)
    strength = keras.ops.clip(middle - 0.25 * (left - right) * shift, 0.0, 1.0)
    frequency = constants.sample_rate / (_picked(lags, best) + keras.ops.clip(shift, -0.5, 0.5))
    found = keras.ops.any(is_peak, axis=-1, keepdims=True)
    return keras.ops.where(found, frequency, 0.0), keras.ops.where(found, strength, 0.0)


def semitones(frequency: keras.KerasTensor) -> keras.KerasTensor:
    """Semitones above 27.5 Hz, as in eGeMAPS (Eyben et al. 2016); 0 below."""
    return 12 * keras.ops.log2(keras.ops.maximum(frequency, SEMITONES_FROM_HZ) / SEMITONES_FROM_HZ)


def harmonics_to_noise(strength: keras.KerasTensor) -> keras.KerasTensor:
    """Harmonics-to-noise ratio in dB of a period's strength (Boersma 1993, eq. 4), from -40 to 40."""
    strength = keras.ops.clip(strength, WEAKEST, STRONGEST)
    return 10 * keras.ops.log10(strength / (1 - strength))


def _picked(values, best):
    return keras.ops.sum(values * best, axis=-1, keepdims=True)
