"""Sources of audio (files, samples, a live source), and windows of them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from sertf.audio.files import SILENCE_SPAN, AudioError, check_audio
from sertf.errors import SertfError

# Decoders overshoot full scale a little, but no recording goes this far beyond it.
_LOUDEST = 16.0


def cut_windows(blocks: Iterable[np.ndarray], size: int, step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Cut a stream of arrays into overlapping windows; memory holds a window, a step and a block.

    Args:
        blocks: consecutive arrays of any lengths, (n,).
        size: samples of a window.
        step: samples from one window to the next, at most `size`.

    Yields:
        (start, samples): a window's place in the stream and its samples, (size,). The last window is moved back to
        end where the stream ends; a stream shorter than a window gives one short window.

    >>> [(start, samples.tolist()) for start, samples in cut_windows([np.arange(3), np.arange(3, 6)], 3, 2)]
    [(0, [0, 1, 2]), (2, [2, 3, 4]), (3, [3, 4, 5])]
    """
    pieces, origin, end, following = [], 0, 0, 0
    for block in blocks:
        pieces.append(block)
        end += len(block)
        if end < following + size:
            continue
        # Joined once a window, not once a block: a live source may send fifty a second.
        kept = np.concatenate(pieces)
        while following + size <= end:
            yield following, kept[following - origin : following - origin + size]
            following += step
        # The last whole window stays, in case the stream ends here.
        keep = max(origin, min(following, end - size))
        pieces, origin = [kept[keep - origin :]], keep
    covered = following - step + size if following else 0
    if end > covered:
        start = max(origin, end - size)
        yield start, np.concatenate(pieces)[start - origin :]


def sources_of(files: Any) -> list[tuple[str, tuple[np.ndarray, int] | None]]:
    """(file, None) of each path, or ("", (samples, sample rate))."""
    if isinstance(files, (str, os.PathLike)):
        return [(os.fspath(files), None)]
    if isinstance(files, tuple) and len(files) == 2 and not isinstance(files[0], (str, os.PathLike)):
        return [("", _checked_clip(*files))]
    if not isinstance(files, Iterable) or isinstance(files, np.ndarray):
        raise SertfError(
            f"files must be a path, several paths, or a pair (samples, sample_rate), but is a {type(files).__name__}."
        )
    files = list(files)
    if not files:
        raise SertfError("files is empty; give one audio file or more.")
    wrong = [file for file in files if not isinstance(file, (str, os.PathLike))]
    if wrong:
        raise SertfError(f"files must hold paths only, but holds a {type(wrong[0]).__name__}.")
    return [(os.fspath(file), None) for file in files]


def _checked_clip(samples, sample_rate):
    samples = _floats(samples, "samples")
    sample_rate = checked_rate(sample_rate)
    check_audio(samples, sample_rate, path="the samples")
    return samples, sample_rate


def checked_rate(sample_rate: Any) -> int:
    """A sample rate in Hz as an int; raise `SertfError` unless it is a whole number above 0."""
    number = isinstance(sample_rate, (int, float, np.number)) and not isinstance(sample_rate, bool)
    if not number or not float(sample_rate).is_integer() or sample_rate < 1:
        raise SertfError(f"sample_rate must be a whole number of Hz above 0, but is {sample_rate!r}.")
    return int(sample_rate)


def live_blocks(chunks: Iterable[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
    """Yield a live source's chunks as copied float32 (n,) blocks, since many sources reuse one buffer.

    Raises:
        SertfError: a chunk that is not a mono float array or not finite, named by its time, or a source without a sample.
    """
    count = 0
    for chunk in chunks:
        where = f"the chunk at {count / sample_rate:.2f} s"
        block = np.array(_floats(chunk, where))
        if not np.isfinite(block).all():
            raise SertfError(f"{where} holds samples that are not finite (NaN or infinite); check the source.")
        count += len(block)
        yield block
    if count == 0:
        raise SertfError("The source ended without a single sample; check that it records.")


def _floats(samples, name):
    """Samples as float32 (n,); `name` stands for them in errors."""
    samples = np.asarray(samples)
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise SertfError(
            f"{name} must be mono floats (n,) with full scale at 1, but got {samples.dtype} {samples.shape}; "
            "mix channels by their mean, divide 16-bit integers by 32768."
        )
    peak = np.abs(samples).max(initial=0.0)
    if np.isfinite(peak) and peak > _LOUDEST:
        raise SertfError(
            f"{name} must have full scale at 1, but the largest is {peak:.6g}; divide samples that were 16-bit integers by "
            "32768."
        )
    return samples.astype(np.float32, copy=False)


def seconds_of(path: Path | str) -> float:
    """Duration that a file's header states, 0 if it cannot be opened."""
    try:
        return soundfile.info(path).duration
    except (soundfile.SoundFileError, OSError, RuntimeError):
        return 0.0


def blocks_of(opened: soundfile.SoundFile, path: Path | str, *, block: int) -> Iterator[np.ndarray]:
    """Yield a file's samples as mono float32 blocks; raise `AudioError` as `sertf.audio.files.read_audio` does."""
    count, low, high = 0, np.inf, -np.inf
    while True:
        try:
            samples = opened.read(block, dtype="float32", always_2d=True).mean(axis=1)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError(path, f"not readable as audio ({error}); fetch it again or convert it to WAV") from error
        if len(samples) == 0:
            break
        if not np.isfinite(samples).all():
            raise AudioError(path, "some samples are not finite (NaN or infinite); convert it again")
        count, low, high = count + len(samples), min(low, samples.min()), max(high, samples.max())
        yield samples
    if count < opened.frames:
        raise AudioError(path, f"cut off: {count} of {opened.frames} frames could be read; fetch it again")
    if high - low < SILENCE_SPAN:
        raise AudioError(path, "silent from start to end; record it again or leave it out")
