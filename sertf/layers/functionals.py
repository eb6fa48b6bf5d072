"""Functionals: statistics of each dimension over the frames that a mask allows, on `keras.ops`.

Values are (batch, frames, dims), masks (batch, frames). A row whose mask allows no frame has functionals of 0.
"""

import keras
import numpy as np

from sertf.layers import spectral

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
# Between the lowest and the highest, the next ones, and the quartiles: places in PERCENTILES.
RANGES = ((0, 6), (1, 5), (2, 4))
NAMES = (
    "mean",
    "deviation",
    *(f"percentile_{percent}" for percent in PERCENTILES),
    *(f"range_{PERCENTILES[low]}_{PERCENTILES[high]}" for low, high in RANGES),
    "slope",
)
# Larger than any descriptor; finite, so that a weight of 0 removes it.
_BEHIND = 1e30


def functionals(values: keras.KerasTensor, own: keras.KerasTensor, *, frame_seconds: float) -> keras.KerasTensor:
    """All functionals of `NAMES`: (batch, frames, dims) to (batch, len(NAMES), dims).

    Args:
        values: of frames.
        own: mask of the frames that count.
        frame_seconds: from one frame to the next; the slope is per second.
    """
    percentiles = masked_percentiles(values, own)
    low, high = (keras.ops.stack([percentiles[:, pair[side]] for pair in RANGES], axis=1) for side in (0, 1))
    moments = masked_moments(values, own)
    slope = masked_slope(values, own, frame_seconds=frame_seconds)
    return keras.ops.concatenate([moments, percentiles, high - low, slope], axis=1)


def masked_moments(values: keras.KerasTensor, own: keras.KerasTensor) -> keras.KerasTensor:
    """Mean and standard deviation (of a population), (batch, 2, dims)."""
    weights = _weights(own)
    mean = keras.ops.matmul(weights, values)  # (batch, 1, dims)
    # Not as a difference of squares, which float32 would round away.
    variance = keras.ops.matmul(weights, keras.ops.square(values - mean))
    return keras.ops.concatenate([mean, keras.ops.sqrt(variance)], axis=1)


def masked_percentiles(values: keras.KerasTensor, own: keras.KerasTensor) -> keras.KerasTensor:
    """The percentiles of `PERCENTILES`, (batch, 7, dims), between two frames by linear interpolation, as NumPy's."""
    counts = keras.ops.sum(keras.ops.cast(own, "int32"), axis=1)
    in_order = keras.ops.sort(keras.ops.where(own[:, :, None], values, _BEHIND), axis=1)
    positions = keras.ops.arange(keras.ops.shape(values)[1], dtype="float32")[None, None, :]
    last = keras.ops.cast(keras.ops.maximum(counts - 1, 0), "float32")[:, None, None]
    places = np.array(PERCENTILES, "float32")[None, :, None] / 100 * last  # (batch, 7, 1)
    # Hat functions around each place read the two frames beside it, without a gather.
    weights = keras.ops.maximum(1 - keras.ops.abs(places - positions), 0)
    weights = keras.ops.where((counts > 0)[:, None, None], weights, 0.0)
    in_order = spectral.keep_own(in_order, spectral.own_positions(counts, keras.ops.shape(values)[1]))
    return keras.ops.matmul(weights, in_order)


def masked_slope(values: keras.KerasTensor, own: keras.KerasTensor, *, frame_seconds: float) -> keras.KerasTensor:
    """Slope per second of the line of least squares through the frames, (batch, 1, dims)."""
    time = keras.ops.arange(keras.ops.shape(values)[1], dtype="float32")[None, None, :] * frame_seconds
    weights = _weights(own)
    centred = keras.ops.where(own[:, None, :], time - keras.ops.sum(weights * time, axis=-1, keepdims=True), 0.0)
    spread = keras.ops.sum(keras.ops.square(centred), axis=-1, keepdims=True)
    mean = keras.ops.matmul(weights, values)
    return keras.ops.matmul(centred, values - mean) / spectral.nonzero(spread)


def thirds(own: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Masks of the first, the second and the last third of the frames that a mask allows."""
    place = keras.ops.cumsum(keras.ops.cast(own, "int32"), axis=1) - 1
    counts = keras.ops.sum(keras.ops.cast(own, "int32"), axis=1, keepdims=True)
    third = 3 * place // keras.ops.maximum(counts, 1)
    return [keras.ops.logical_and(own, third == part) for part in range(3)]


def between_ends(sounding: keras.KerasTensor) -> keras.KerasTensor:
    """Mask of everything from a mask's first true frame to its last."""
    running = keras.ops.cumsum(keras.ops.cast(sounding, "int32"), axis=1)
    begun = running > 0
    ended = keras.ops.logical_and(running == running[:, -1:], keras.ops.logical_not(sounding))
    return keras.ops.logical_and(begun, keras.ops.logical_not(ended))


def inside(own: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Mask of the frames that are the middle of `width` frames, an odd number, all of which a mask allows."""
    half, frames = width // 2, keras.ops.shape(own)[1]
    padded = keras.ops.pad(keras.ops.cast(own, "int32"), [[0, 0], [half, half]])
    return sum(padded[:, start : start + frames] for start in range(width)) == width


def _weights(own):
    """Of a mean over the frames, (batch, 1, frames)."""
    own = keras.ops.cast(own, "float32")[:, None, :]
    return own / keras.ops.maximum(keras.ops.sum(own, axis=-1, keepdims=True), 1.0)
