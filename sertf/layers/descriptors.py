"""Descriptors of frames beyond the filter banks: contrast, tonnetz, crossings, spectral shape, deltas, segment means.

`keras.ops` arithmetic that runs on every backend, eagerly, traced and with unknown batch and sample counts. Every
function reproduces librosa 0.11's of the same name (McFee et al. 2015, doi:10.25080/Majora-7b98e3ed-003), with time
before frequency. Magnitude spectrograms are (batch, frames, bins), descriptors (batch, frames, values).
"""

import keras
import numpy as np

from sertf.errors import SertfError
from sertf.layers import spectral

# librosa.feature.spectral_contrast: octaves from 200 Hz on, below them one more band; means of 2 % of a band's bins.
CONTRAST_LOWEST_HZ = 200.0
CONTRAST_OCTAVES = 6
CONTRAST_QUANTILE = 0.02
# librosa.zero_crossings takes smaller samples for 0.
CROSSING_THRESHOLD = 1e-10
# librosa.feature.delta.
DELTA_WIDTH = 9


def bin_frequencies(*, sample_rate, n_fft):
    """Centre frequencies of the FFT's bins in Hz, float32 (n_fft // 2 + 1,)."""
    return np.fft.rfftfreq(n_fft, 1 / sample_rate).astype("float32")


def contrast_bands(*, sample_rate, n_fft, bins=None):
    """Bands of the spectral contrast: (first bin, bin after the last, bins of a peak or valley) of each of the seven.

    Of a spectrum of `bins` bins, all n_fft // 2 + 1 by default. As in librosa a band takes in the bin under its lower
    edge and leaves out its highest; the last one keeps all bins.

    Raises:
        SertfError: if a band lies above half the sample rate or holds no bin.
    """
    edges = [0.0, *(CONTRAST_LOWEST_HZ * 2.0**octave for octave in range(CONTRAST_OCTAVES + 1))]
    if edges[-2] >= sample_rate / 2:
        raise SertfError(
            f"Spectral contrast: sample_rate must be above {2 * edges[-2]:g} Hz, for its last band to begin below half "
            f"of it, got {sample_rate}."
        )
    # In float64: edges that are a bin's frequency must compare equal.
    frequencies = np.fft.rfftfreq(n_fft, 1 / sample_rate)[:bins]
    if frequencies[-1] <= edges[-2]:
        raise SertfError(
            f"Spectral contrast: fmax must be above {edges[-2]:g} Hz, where its last band begins, but the spectrum ends at "
            f"{frequencies[-1]:g} Hz."
        )
    bands = []
    for band, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        inside = np.flatnonzero((frequencies >= low) & (frequencies <= high))
        last_band = band == CONTRAST_OCTAVES
        if len(inside) < (1 if band else 2):
            raise SertfError(
                f"Spectral contrast: n_fft must give every band at least one bin, but {n_fft} at {sample_rate} Hz gives "
                f"{low:g} to {high:g} Hz none; take a larger n_fft."
            )
        first = inside[0] - 1 if band else inside[0]
        after = len(frequencies) if last_band else inside[-1] + 1
        count = max(1, int(np.rint(CONTRAST_QUANTILE * (after - first))))
        bands.append((int(first), int(after if last_band else after - 1), count))
    return tuple(bands)


def spectral_contrast(magnitude, bands, *, own_frames=None, top_db=80.0):
    """Mean of each band's largest magnitudes over that of its smallest, in dB: (batch, frames, 7).

    Peaks and valleys are cut off `top_db` under their maximum over the frames that the mask `own_frames`
    (batch, frames) allows.
    """
    peaks, valleys = [], []
    for first, after, count in bands:
        band = magnitude[:, :, first:after]
        if count == 1:
            peaks.append(keras.ops.max(band, axis=-1))
            valleys.append(keras.ops.min(band, axis=-1))
        else:
            peaks.append(keras.ops.mean(keras.ops.top_k(band, count, sorted=False)[0], axis=-1))
            valleys.append(-keras.ops.mean(keras.ops.top_k(-band, count, sorted=False)[0], axis=-1))
    decibels = {"own_frames": own_frames, "top_db": top_db}
    # librosa's power_to_db takes the magnitudes for powers here, and so does this.
    peaks_db = spectral.power_to_db(keras.ops.stack(peaks, axis=-1), **decibels)
    return peaks_db - spectral.power_to_db(keras.ops.stack(valleys, axis=-1), **decibels)


def tonnetz_matrix(n_chroma):
    """Pitch classes to the circles of fifths, minor and major thirds (Harte et al. 2006), float32 (n_chroma, 6)."""
    turns = np.multiply.outer(np.arange(n_chroma) * 12 / n_chroma, [7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])
    turns[:, ::2] -= 0.5  # the sine of each circle
    return (np.array([1, 1, 1, 1, 0.5, 0.5]) * np.cos(np.pi * turns)).astype("float32")


def tonnetz(chroma):
    """Tonal centroids of chroma (batch, frames, n_chroma): (batch, frames, 6); 0 without energy."""
    scaled = chroma / spectral.nonzero(keras.ops.sum(chroma, axis=-1, keepdims=True))
    return keras.ops.matmul(scaled, tonnetz_matrix(chroma.shape[-1]))


def zero_crossing_rate(waveform, *, lengths, frame_length, hop_length):
    """Changes of sign in a centred frame, over its length: (batch, samples) to (batch, frames, 1).

    Counts inside the first `lengths` (batch,) samples of each row; a frame's first sample has none before it.
    """
    negative = waveform < -CROSSING_THRESHOLD
    samples = keras.ops.shape(waveform)[1]
    changes = keras.ops.logical_and(
        keras.ops.not_equal(negative[:, 1:], negative[:, :-1]), spectral.own_positions(lengths, samples)[:, 1:]
    )
    half = frame_length // 2
    # Whole numbers: a running sum of float32 ones would stand still at 2**24.
    counts = keras.ops.cumsum(
        keras.ops.pad(keras.ops.cast(changes, "int32"), [[0, 0], [1 + half, frame_length + hop_length]]), axis=1
    )
    frames = spectral.centred_frames(samples, hop_length)
    before = counts[:, ::hop_length][:, :frames]
    until = counts[:, frame_length - 1 :: hop_length][:, :frames]
    return keras.ops.cast(until - before, "float32")[:, :, None] / frame_length


def spectral_centroid(magnitude, frequencies):
    """Mean frequency in Hz, weighted by magnitude: (batch, frames, 1); 0 in silence."""
    total = keras.ops.sum(magnitude, axis=-1, keepdims=True)
    return keras.ops.sum(magnitude * frequencies, axis=-1, keepdims=True) / spectral.nonzero(total)


def spectral_bandwidth(magnitude, frequencies, centroid):
    """Standard deviation of frequency around the centroid in Hz, weighted by magnitude: (batch, frames, 1)."""
    total = keras.ops.sum(magnitude, axis=-1, keepdims=True)
    # Not as a difference of squares, which float32 would round away.
    variance = keras.ops.sum(magnitude * keras.ops.square(frequencies - centroid), axis=-1, keepdims=True)
    return keras.ops.sqrt(variance / spectral.nonzero(total))


def spectral_rolloff(magnitude, frequencies, *, roll_share=0.85):
    """Frequency in Hz under which the share `roll_share` of the magnitudes lies: (batch, frames, 1); 0 in silence."""
    running = keras.ops.cumsum(magnitude, axis=-1)
    below = keras.ops.cast(running < roll_share * running[:, :, -1:], "float32")
    return keras.ops.sum(below, axis=-1, keepdims=True) * float(frequencies[1])


def root_mean_square(power, *, n_fft, window):
    """Root mean square of the frames' samples: power spectra of all bins, (batch, frames, bins), to (batch, frames, 1)."""
    return keras.ops.sqrt(keras.ops.matmul(power, mean_square_weights(n_fft=n_fft, window=window)))


def mean_square_weights(*, n_fft, window):
    """Weights (bins, 1) that give a frame's mean square from its power spectrum, by Parseval's theorem.

    Of the windowed samples, over the mean square of the window: noise measures the same by every window.
    """
    ends = np.full(n_fft // 2 + 1, 2.0)
    ends[[0, -1]] = 1.0  # bins that have no mirror image
    return (ends / n_fft / np.square(window.astype("float64")).sum()).astype("float32")[:, None]


def spectral_flux(decibels):
    """Mean rise of the bands from the frame before, in dB: (batch, frames, bands) to (batch, frames, 1).

    librosa.onset.onset_strength without its shift to the centre: falling bands count as 0, and so does the first frame.
    """
    rises = keras.ops.maximum(decibels[:, 1:] - decibels[:, :-1], 0.0)
    return keras.ops.pad(keras.ops.mean(rises, axis=-1, keepdims=True), [[0, 0], [1, 0], [0, 0]])


def slope_weights(frequencies, *, low, high):
    """Weights (bins, 1) that give a spectrum's slope by kHz from `low` to `high` Hz, by least squares."""
    inside = (frequencies >= low) & (frequencies <= high)
    khz = np.where(inside, frequencies / 1000.0, 0.0).astype("float64")
    centred = np.where(inside, khz - khz[inside].mean(), 0.0)
    return (centred / np.square(centred).sum()).astype("float32")[:, None]


def delta(values, *, counts):
    """First and second derivative over time, (batch, frames, dims) each: librosa.feature.delta with mode "interp".

    Savitzky-Golay filters of 9 frames and polynomials of the first and second degree, so each polynomial has one constant
    derivative. The first and last four of a row's own frames have the value of the nearest full window. Frames beyond
    them have it too. `counts` are the numbers of own frames, (batch,), at least 9.
    """
    import scipy.signal

    half = DELTA_WIDTH // 2
    weights = [scipy.signal.savgol_coeffs(DELTA_WIDTH, order, deriv=order, use="dot") for order in (1, 2)]
    weights = np.stack(weights, axis=-1).astype("float32")  # (9, 2)
    full = keras.ops.shape(values)[1] - DELTA_WIDTH + 1
    windows = keras.ops.stack([values[:, start : start + full] for start in range(DELTA_WIDTH)], axis=-1)
    slopes = keras.ops.matmul(windows, weights)  # (batch, full, dims, 2)
    window = keras.ops.arange(full, dtype="int32")[None, :, None, None]
    last = keras.ops.cast(counts, "int32")[:, None, None, None] - DELTA_WIDTH
    # One window of each row, picked by a masked sum: no gather.
    at_last = keras.ops.sum(keras.ops.where(window == last, slopes, 0.0), axis=1, keepdims=True)
    slopes = keras.ops.where(window < last, slopes, at_last)
    edges = [slopes[:, :1]] * half, [slopes[:, -1:]] * half
    slopes = keras.ops.concatenate([*edges[0], slopes, *edges[1]], axis=1)  # (batch, frames, dims, 2)
    return slopes[..., 0], slopes[..., 1]


def segment_means(values, *, counts, segments):
    """Means over `segments` equal stretches of each row's own frames: (batch, frames, dims) to (batch, segments, dims).

    A frame that lies in two segments counts in each by the share that lies there. So `counts` (batch,) may be fewer than
    `segments`.
    """
    counts = keras.ops.cast(counts, "int32")[:, None, None]  # (batch, 1, 1)
    # In units of 1 / segments of a frame all edges are whole numbers, and the overlaps exact.
    frame = keras.ops.arange(keras.ops.shape(values)[1], dtype="int32")[None, None, :] * segments
    segment = keras.ops.arange(segments, dtype="int32")[None, :, None] * counts
    overlap = keras.ops.minimum(frame + segments, segment + counts) - keras.ops.maximum(frame, segment)
    weights = keras.ops.cast(keras.ops.maximum(overlap, 0), "float32") / keras.ops.cast(counts, "float32")
    return keras.ops.matmul(weights, values)  # (batch, segments, frames) @ (batch, frames, dims)
