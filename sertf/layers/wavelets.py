"""Continuous wavelet transform of PyWavelets, its power averaged over time bins: a bank of filters in float32.

`filters` and `bank` give NumPy constants, `pooled_power` is `keras.ops` arithmetic. The signal is cut into overlapping
blocks, multiplied by the filters in the frequency domain and pooled a few filters at a time (overlap-save). So memory
never holds the scales × samples plane. Stretches of zeros cost nothing if the backend lets shapes vary.
"""

from dataclasses import dataclass
from math import gcd

import keras
import numpy as np

from sertf.layers import spectral

# Neighbouring scales that share blocks: fewer waste less of the short filters' blocks, more save transforms of the signal.
LEVEL_SCALES = 16
# Filters multiplied and transformed at once: their blocks stay in a core's cache.
FILTERS_AT_ONCE = 4
# Factor of a transform's coefficients at a scale a, and what turns filters with the factor 1/a into it.
FACTORS = {"1/sqrt(a)": np.sqrt, "1/a": np.ones_like}
# Share of the window that an utterance fills, assumed for the choice of the blocks' length. It decides speed alone.
EXPECTED_SHARE = 1 / 3


@dataclass(frozen=True, eq=False)
class Level:
    """Filters that are applied to the same blocks.

    Attributes:
        responses: (scales, parts, block_samples // 2 + 1) complex64, transforms of the filters, which are real: one part,
            or a complex wavelet's real and imaginary part.
        past: taps that reach back in time.
        future: taps that reach forward.
        bins: time bins that a block gives.
        hop_samples: from block to block, `bins` time bins.
        block_samples: length of a block, at least past + hop + future.
    """

    responses: np.ndarray
    past: int
    future: int
    bins: int
    hop_samples: int
    block_samples: int


@dataclass(frozen=True, eq=False)
class Bank:
    """A filter bank for windows of one length.

    Attributes:
        samples: length of the window.
        bins: time bins over it. Bin b is ceil(samples / bins) samples from floor(b · samples / bins) on. The bins are
            equal parts if bins divides samples; otherwise neighbours share at most one sample.
        levels: `Level`s, in the order of their scales.
    """

    samples: int
    bins: int
    levels: tuple


def filters(wavelet, scales, *, precision=12, factor="1/sqrt(a)"):
    """The filters of `pywt.cwt`, or with another factor: a list of (taps, future), one a scale.

    One filter joins its steps: the integrated wavelet on a grid of 2**precision points, read at the scale's nearest lower
    points, reversed (and conjugated). Then it is convolved, differentiated, multiplied by -sqrt(scale) and cut to the
    signal's length.

    Args:
        wavelet: `pywt.ContinuousWavelet`.
        scales: (n,) floats.
        precision: as in `pywt.cwt`.
        factor: of the coefficients, of `FACTORS`; `pywt.cwt` has 1/sqrt(a).

    Returns:
        list of float64 or complex128 (taps,) and how many of them reach forward in time:
        coefficient[i] = Σ_k taps[k] · signal[i + future - k].
    """
    import pywt

    integral, grid = pywt.integrate_wavelet(wavelet, precision=precision)
    integral = np.conj(integral)
    step = grid[1] - grid[0]
    made = []
    for scale in scales:
        points = (np.arange(scale * (grid[-1] - grid[0]) + 1) / (scale * step)).astype(int)
        points = points[points < integral.size]
        reversed_integral = integral[points][::-1]
        taps = -FACTORS[factor](scale) * np.diff(np.concatenate([[0], reversed_integral, [0]]))
        # np.diff loses the first sample of the convolution, and (taps - 3) // 2 are cut off before the signal's first.
        made.append((taps, 1 + (len(taps) - 3) // 2))
    return made


def bank(made, *, samples, bins):
    """The `Bank` of what `filters` made, for windows of `samples` samples in `bins` time bins, 1 ≤ bins ≤ samples."""
    levels = [made[start : start + LEVEL_SCALES] for start in range(0, len(made), LEVEL_SCALES)]
    return Bank(samples, bins, tuple(_level(level, samples, bins) for level in levels))


def _level(made, samples, bins):
    future = max(ahead for _, ahead in made)
    past = max(len(taps) - 1 - ahead for taps, ahead in made)
    parts = 2 if np.iscomplexobj(made[0][0]) else 1
    bins, hop, length = _blocks(past + future, samples, bins)
    aligned = np.zeros((len(made), parts, past + future + 1))
    for row, (taps, ahead) in zip(aligned, made):
        row[:, future - ahead : future - ahead + len(taps)] = (taps.real, taps.imag)[:parts]
    # From doubles: float32 transforms of the filters would double the error of quiet bins.
    return Level(np.fft.rfft(aligned, length).astype("complex64"), past, future, bins, hop, length)


def _blocks(reach, samples, bins):
    """Bins, hop and length of the blocks that cost least."""
    from scipy.fft import next_fast_len

    unit = bins // gcd(bins, samples)  # fewest bins that are a whole number of samples
    choices = []
    for count in range(unit, bins + 1, unit):
        hop = count * samples // bins
        length = 2 * next_fast_len(-(-(reach + hop) // 2), real=True)
        blocks = min(-(-bins // count), EXPECTED_SHARE * samples / hop + 1)
        # 10 stands for the passes over a block beside its transform, measured on a CPU.
        choices.append((blocks * length * (np.log2(length) + 10), count, hop, length))
    return min(choices)[1:]


def pooled_power(signal, bank):
    """Mean squared magnitude of the wavelet coefficients in each time bin, zeros assumed around the window.

    Args:
        signal: (batch, bank.samples) float32.
        bank: `Bank`.

    Returns:
        (batch, bins, scales) float32.
    """
    return keras.ops.concatenate([_level_power(signal, level, bank) for level in bank.levels], axis=-1)


def _level_power(signal, level, bank):
    scales, parts, frequencies = level.responses.shape
    length, lost = level.block_samples, level.past + level.future
    count = -(-bank.bins // level.bins)
    blocks = keras.ops.reshape(_cut(signal, level, count), (-1, length))  # (batch * blocks, length)
    blocks, put_back = _without_silence(blocks)
    real, imaginary = (part[:, None] for part in keras.ops.rfft(blocks, length))  # (rows, 1, frequencies)
    responses = level.responses.reshape(-1, frequencies)
    pooled = []
    for start in range(0, scales * parts, FILTERS_AT_ONCE):
        some = responses[start : start + FILTERS_AT_ONCE]
        by_real, by_imaginary = some.real.copy(), some.imag.copy()
        product = real * by_real - imaginary * by_imaginary, real * by_imaginary + imaginary * by_real
        coefficients = keras.ops.irfft(product, length)[:, :, lost : lost + level.hop_samples]  # (rows, filters, hop)
        pooled.append(_pool(keras.ops.square(coefficients), level))  # (rows, filters, bins of a block)
    power = put_back(keras.ops.concatenate(pooled, axis=1))  # (batch * blocks, scales * parts, bins of a block)
    power = keras.ops.reshape(power, (-1, count, scales, parts, level.bins))
    power = keras.ops.transpose(keras.ops.sum(power, axis=3), (0, 1, 3, 2))  # (batch, blocks, bins of a block, scales)
    return keras.ops.reshape(power, (-1, count * level.bins, scales))[:, : bank.bins]


def _cut(signal, level, count):
    """Overlapping blocks of a window, each with the past and future that its bins need: (batch, count, length)."""
    total = (count - 1 + -(-level.block_samples // level.hop_samples)) * level.hop_samples
    behind = max(total - level.past - signal.shape[1], 0)
    padded = keras.ops.pad(signal, [[0, 0], [level.past, behind]])[:, :total]
    return spectral.frame_signal(padded, level.block_samples, level.hop_samples)


def _without_silence(rows):
    """The rows (n, …) that are not all zero, and the function that puts their results back among zeros, (n, …)."""
    if keras.backend.backend() != "tensorflow":
        return rows, lambda results: results  # shapes must not depend on values
    sounding = keras.ops.any(keras.ops.not_equal(rows, 0), axis=-1)
    place = keras.ops.where(sounding, keras.ops.cumsum(keras.ops.cast(sounding, "int32")), 0)

    def put_back(results):
        with_silence = keras.ops.pad(results, [[1, 0], [0, 0], [0, 0]])  # its first row stands for every silent one
        return keras.ops.take(with_silence, place, axis=0)

    return keras.ops.take(rows, keras.ops.nonzero(sounding)[0], axis=0), put_back


def _pool(power, level):
    """Means over a block's time bins, (rows, filters, hop) to (rows, filters, bins)."""
    width = -(-level.hop_samples // level.bins)
    if width * level.bins != level.hop_samples:
        starts = np.arange(level.bins) * level.hop_samples // level.bins
        power = keras.ops.take(power, (starts[:, None] + np.arange(width)).ravel(), axis=-1)
    shape = (-1, power.shape[1], level.bins, width)
    return keras.ops.mean(keras.ops.reshape(power, shape), axis=-1)
