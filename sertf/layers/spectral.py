"""Spectral arithmetic shared by the front ends: framing, power spectrogram, filter banks, decibels.

The `*_filters`, `window` and `dct_matrix` functions give NumPy constants. The others are `keras.ops` arithmetic that
runs on every backend, eagerly, traced and with unknown batch and sample counts. All of it follows librosa 0.11
(McFee et al. 2015, doi:10.25080/Majora-7b98e3ed-003), time before frequency: (batch, frames, bins).
"""

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np

from sertf.errors import SertfError, check_whole, is_number

# librosa.power_to_db's floor, as power.
SMALLEST_POWER = 1e-10


def window(name: str | tuple, win_length: int, dtype: str = "float32") -> np.ndarray:
    """A periodic window of `win_length` samples by its scipy name ("hann", "hamming", …); raises SertfError for another."""
    import scipy.signal

    try:
        if not isinstance(name, str | tuple):  # a number would be the shape of SciPy's Kaiser window
            raise TypeError(name)
        return scipy.signal.get_window(name, win_length, fftbins=True).astype(dtype)
    except (ValueError, TypeError) as error:
        raise SertfError(
            f"window must be the name of one of SciPy's, such as hann or hamming, got {name!r}."
        ) from error


def double_precision() -> AbstractContextManager[Any]:
    """Context that keeps float64; JAX would turn it into float32."""
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.enable_x64(True)


def mel_filters(
    *, sample_rate: int, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None
) -> np.ndarray:
    """Slaney-scaled, area-normalised mel filter bank, float32 (n_fft // 2 + 1, n_mels); `fmin` and `fmax` in Hz."""
    import librosa

    bank = librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
    return np.ascontiguousarray(bank.T)


def chroma_filters(*, sample_rate: int, n_fft: int, n_chroma: int) -> np.ndarray:
    """Pitch class filter bank at A = 440 Hz (tuning 0), float32 (n_fft // 2 + 1, n_chroma)."""
    import librosa

    bank = librosa.filters.chroma(sr=sample_rate, n_fft=n_fft, n_chroma=n_chroma, tuning=0.0)
    return np.ascontiguousarray(bank.T.astype("float32"))


def dct_matrix(n_in: int, n_out: int) -> np.ndarray:
    """The first `n_out` coefficients of the orthonormal DCT-II, float32 (n_in, n_out): `x @ dct_matrix(…)`."""
    import scipy.fft

    return np.ascontiguousarray(scipy.fft.dct(np.eye(n_in), norm="ortho", axis=1)[:, :n_out].astype("float32"))


def centred_frames(samples: Any, hop_length: int) -> Any:
    """How many centred frames `samples` samples give: 1 + samples // hop. For ints, arrays and tensors."""
    return 1 + samples // hop_length


def own_positions(counts: keras.KerasTensor, total: Any) -> keras.KerasTensor:
    """Mask of each row's own positions: counts (batch,) and a total give (batch, total), true where position < count."""
    positions = keras.ops.arange(total, dtype="int32")
    return positions[None, :] < keras.ops.cast(counts, "int32")[:, None]


def pad_to(waveform: keras.KerasTensor, shortest: int) -> keras.KerasTensor:
    """A waveform (batch, samples) of fewer than `shortest` samples, padded at the end to as many; longer ones as is."""
    samples = keras.ops.shape(waveform)[1]
    # A length that the shape tells stays a plain number, which JAX needs for slices.
    total = max(samples, shortest) if isinstance(samples, int) else keras.ops.maximum(samples, shortest)
    return keras.ops.pad(waveform, [[0, 0], [0, shortest]])[:, :total]


def frame_signal(signal: keras.KerasTensor, frame_length: int, hop_length: int) -> keras.KerasTensor:
    """Cut (batch, samples) into overlapping frames, (batch, frames, frame_length), without a gather.

    The signal must hold a whole number of hops, ceil(frame_length / hop_length) at least; the last frames that do
    not fit are left out.
    """
    parts = -(-frame_length // hop_length)
    blocks = keras.ops.shape(signal)[1] // hop_length
    frames = blocks - parts + 1
    blocked = keras.ops.reshape(signal, (-1, blocks, hop_length))
    shifted = [blocked[:, part : part + frames] for part in range(parts)]
    # Adjacent blocks side by side are overlapping frames: copies of whole rows, several times faster than indexing.
    return keras.ops.concatenate(shifted, axis=-1)[:, :, :frame_length]


def centred_signal_frames(
    signal: keras.KerasTensor, frame_length: int, hop_length: int, *, before: int
) -> keras.KerasTensor:
    """Frames around every hop, zero padded: (batch, samples) to (batch, 1 + samples // hop, frame_length).

    The frame at a hop begins `before` samples ahead of it.
    """
    parts = -(-frame_length // hop_length)
    padded = keras.ops.pad(signal, [[0, 0], [before, parts * hop_length - before]])
    frames = centred_frames(keras.ops.shape(signal)[1], hop_length)
    return frame_signal(padded[:, : (frames + parts - 1) * hop_length], frame_length, hop_length)


def power_spectrogram(
    waveform: keras.KerasTensor, window: np.ndarray, *, n_fft: int, hop_length: int
) -> keras.KerasTensor:
    """Centred, zero padded power spectrogram: (batch, samples) to (batch, 1 + samples // hop, n_fft // 2 + 1).

    `window` holds at most `n_fft` samples; a shorter one is centred in the frame, as in librosa. The centring only
    turns phases, so frames of the window's own length are cut and the FFT pads them. A float64 window has the
    transform computed in float64, as librosa does, which bins 100 dB under a frame's peak need; the result is float32.
    """
    win_length = len(window)
    before = n_fft // 2 - (n_fft - win_length) // 2
    framed = centred_signal_frames(waveform, win_length, hop_length, before=before)
    with double_precision():
        framed = keras.ops.cast(framed, window.dtype.name) * window
        real, imaginary = keras.ops.rfft(framed, fft_length=n_fft)  # (batch, frames, bins) each
        return keras.ops.cast(real * real + imaginary * imaginary, "float32")


def power_to_db(
    power: keras.KerasTensor,
    *,
    own_frames: keras.KerasTensor | None = None,
    relative: bool = False,
    top_db: float = 80.0,
) -> keras.KerasTensor:
    """Decibels of a power spectrogram (batch, frames, bands), cut off `top_db` under the utterance's maximum.

    The maximum covers the frames that the mask `own_frames` (batch, frames) allows. With `relative` the
    maximum becomes 0 dB, otherwise power 1 does.
    """
    floor_db = 10.0 * float(np.log10(SMALLEST_POWER))
    decibels = 10.0 * keras.ops.log10(keras.ops.maximum(power, SMALLEST_POWER))
    candidates = decibels if own_frames is None else keras.ops.where(own_frames[:, :, None], decibels, floor_db)
    peak = keras.ops.max(candidates, axis=(1, 2), keepdims=True)  # (batch, 1, 1)
    decibels = keras.ops.maximum(decibels, peak - top_db)
    return decibels - peak if relative else decibels


def active_power(power: keras.KerasTensor, own: keras.KerasTensor, *, range_db: float) -> keras.KerasTensor:
    """Mean power of the speech: of the positions at most `range_db` under the loudest one of the row.

    Args:
        power: (batch, positions), 0 or more.
        own: (batch, positions), true where a position counts.
        range_db: decibels, above 0.

    Returns:
        (batch, 1).
    """
    active = keras.ops.cast(_loud(power, own, range_db), power.dtype)
    count = keras.ops.maximum(keras.ops.sum(active, axis=1, keepdims=True), 1)
    return keras.ops.sum(power * active, axis=1, keepdims=True) / count


def loud_span(
    power: keras.KerasTensor, own: keras.KerasTensor, *, range_db: float
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """First position at most `range_db` under the loudest one of the row, and the one behind the last: (batch,) int32.

    Arguments as of `active_power`; a row of zeros is loud throughout.
    """
    loud = keras.ops.cast(_loud(power, own, range_db), "int32")
    first = keras.ops.argmax(loud, axis=1)
    behind = keras.ops.shape(loud)[1] - keras.ops.argmax(keras.ops.flip(loud, axis=1), axis=1)
    return keras.ops.cast(first, "int32"), keras.ops.cast(behind, "int32")


def _loud(power, own, range_db):
    peak = keras.ops.max(keep_own(power, own), axis=1, keepdims=True)
    return keras.ops.logical_and(own, power >= peak * 10 ** (-range_db / 10))


def scale_to_peak(values: keras.KerasTensor) -> keras.KerasTensor:
    """Scale the last axis to a maximum of 1; rows without energy stay as they are (librosa.util.normalize)."""
    peak = keras.ops.max(values, axis=-1, keepdims=True)
    smallest = float(np.finfo("float32").tiny)
    return values / keras.ops.where(peak < smallest, keras.ops.ones_like(peak), peak)


def nonzero(total: keras.KerasTensor) -> keras.KerasTensor:
    """A divisor: 1 where there is no energy (librosa.util.normalize)."""
    return keras.ops.where(total < float(np.finfo("float32").tiny), keras.ops.ones_like(total), total)


def keep_own(values: keras.KerasTensor, own: keras.KerasTensor | None) -> keras.KerasTensor:
    """Values (batch, positions, …) with everything outside the mask (batch, positions) set to exactly 0."""
    if own is None:
        return values
    own = keras.ops.reshape(own, (*keras.ops.shape(own), *(1,) * (len(values.shape) - 2)))
    # A product would let a NaN beyond the end through.
    return keras.ops.where(own, values, keras.ops.zeros_like(values))


def check_sizes(layer: str, *, top_db: float, **sizes: int) -> None:
    """Raise a SertfError that names the layer's argument unless all are whole numbers above 0, n_fft even."""
    check_whole(layer, **sizes)
    if sizes["n_fft"] % 2:
        raise SertfError(f"{layer}: n_fft must be even, got {sizes['n_fft']}.")
    check_decibels(layer, top_db=top_db)


def check_decibels(layer: str, *, top_db: float) -> None:
    """Raise a SertfError unless the range of decibels is a number above 0."""
    if not is_number(top_db) or not top_db > 0:
        raise SertfError(f"{layer}: top_db must be above 0, got {top_db!r}.")


def own_lengths(waveform: keras.KerasTensor, lengths: keras.KerasTensor | None) -> keras.KerasTensor:
    """Samples of each row, (batch,) int32, none beyond those that are there; all of them where `lengths` is None."""
    samples = keras.ops.shape(waveform)[1]
    if lengths is None:
        return keras.ops.zeros_like(waveform[:, 0], dtype="int32") + samples
    return keras.ops.minimum(keras.ops.cast(lengths, "int32"), samples)


def check_samples(
    layer: str, waveform: keras.KerasTensor, minimum_samples: int, lengths: keras.KerasTensor | None = None
) -> None:
    """Raise a SertfError unless the waveform is (batch, samples) with enough samples, as far as its shape tells.

    And unless it is of floats, and there is a length for each row.
    """
    if len(waveform.shape) != 2:
        raise SertfError(f"{layer}: waveform must be (batch, samples), got the shape {tuple(waveform.shape)}.")
    if "float" not in keras.backend.standardize_dtype(waveform.dtype):
        raise SertfError(
            f"{layer}: waveform must be floats with full scale at 1, got {waveform.dtype}; divide 16-bit integers by 32768."
        )
    rows = waveform.shape[0]
    if lengths is not None and (
        len(lengths.shape) != 1 or None not in (rows, lengths.shape[0]) and lengths.shape[0] != rows
    ):
        raise SertfError(
            f"{layer}: lengths must be (batch,), the samples of each row, got the shape {tuple(lengths.shape)} for a "
            f"waveform of {tuple(waveform.shape)}."
        )
    samples = waveform.shape[1]
    if samples is not None and samples < minimum_samples:
        raise SertfError(f"{layer}: waveform must hold at least {minimum_samples} samples, got {samples}.")
