"""Sources of audio (files, samples, a live source), and windows of them."""

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sertf.audio.files import AudioError, Source, check_audio, check_rate, check_samples, open_audio
from sertf.audio.meter import Meter
from sertf.errors import SertfError
from sertf.inference.card import Card

Clip = tuple[np.ndarray, int]
"""Mono float32 samples (n,) and their sample rate in Hz."""
Piece = tuple[float, np.ndarray, int]
"""A window of a source: its start in seconds, its samples (n,), and their sample rate in Hz."""
WHOLE_SECONDS = 12.0
WINDOW_SECONDS = 10.0
BATCH = 16
"""Windows that are scored at a time."""


@dataclass(frozen=True)
class Cutting:
    """How a model hears a recording: as a whole up to some length, in overlapping windows beyond it.

    Attributes:
        whole: seconds of the longest recording that is heard as a whole.
        window, hop: seconds of a window, and from one window to the next.
        shortest: seconds that the model needs.
        rates: lowest and highest sample rate in Hz that the model resamples, as in its card.
    """

    whole: float
    window: float
    hop: float
    shortest: float
    rates: Sequence[int]

    @classmethod
    def of(cls, card: Card, window: float | None = None, hop: float | None = None) -> Self:
        """The cutting of a model by its card, with a window and hop in seconds in place of its own.

        Raises:
            SertfError: a window or hop out of range.
        """
        whole, usual, longest = WHOLE_SECONDS, WINDOW_SECONDS, np.inf
        shortest, described, rates = card["minimum_seconds"], card["front_end"], card["sample_rates"]
        span = described.get("span_seconds") or (0, described.get("middle_seconds"))
        if span[1] is not None:
            whole = usual = longest = max(span[1], shortest)
        if window is None and hop is None:
            return cls(whole, usual, usual / 2, shortest, rates)
        length = usual if window is None else window
        hop = length / 2 if hop is None else hop
        if not (shortest <= length <= longest and length < np.inf):
            most = "" if longest == np.inf else f" and at most {longest:g} s, which is all that this model uses"
            raise SertfError(f"window must be {shortest:g} s or more{most}, but is {window!r}.")
        if not 0.01 <= hop <= length:
            raise SertfError(f"hop must lie between 0.01 s and the window of {length:g} s, but is {hop!r}.")
        return cls(whole if window is None else length, length, hop, shortest, rates)

    def pieces(self, source: Source | Clip, meters: list[Meter] | None = None) -> Iterator[Piece]:
        """The windows of one recording, or all of it as one; a list gets the meter that hears it.

        Raises:
            AudioError: it cannot be read, is too short, or has a sample rate that the model does not take.
        """
        if isinstance(source, tuple):
            samples, rate = source
            yield from self._of_blocks("the samples", _metered([samples], rate, meters), rate)
            return
        with open_audio(source) as opened:
            rate = opened.sample_rate
            blocks = _metered(opened.blocks(self._samples(rate)), rate, meters)
            yield from self._of_blocks(opened.name, blocks, rate)

    def batches(self, source: Source | Clip, meters: list[Meter] | None = None) -> Iterator[list[Piece]]:
        """The windows of one recording, up to `BATCH` at a time."""
        pieces = self.pieces(source, meters)
        while batch := list(itertools.islice(pieces, BATCH)):
            yield batch

    def live(self, chunks: Iterable[np.ndarray], rate: int) -> Iterator[Piece]:
        """The windows of a live source, each as soon as its last sample is there."""
        for start, samples in self._windows(live_blocks(chunks, rate), rate):
            self._check_length("the source", len(samples), rate)
            yield start / rate, samples, rate

    def _of_blocks(self, name, blocks, rate):
        check_rate(rate, name, self.rates)
        blocks, read = iter(blocks), []
        for block in blocks:
            read.append(block)
            if sum(map(len, read)) > self.whole * rate:
                break
        else:
            samples = np.concatenate(read)
            self._check_length(name, len(samples), rate)
            yield 0.0, samples, rate
            return
        for start, samples in self._windows(itertools.chain(read, blocks), rate):
            yield start / rate, samples, rate

    def _windows(self, blocks, rate):
        return cut_windows(blocks, self._samples(rate), max(1, round(self.hop * rate)))

    def _samples(self, rate):
        """Samples of a window; the shortest allowed window is rounded up."""
        return max(round(self.window * rate), math.ceil(self.shortest * rate))

    def _check_length(self, name, samples, rate):
        if samples / rate < self.shortest:
            raise AudioError(
                name, f"too short: {samples / rate:.4f} s, this model needs {self.shortest:g} s or more; leave it out"
            )


def _metered(blocks, rate, meters):
    """The blocks, measured as they pass where a list takes the meter."""
    if meters is None:
        return blocks
    meters.append(Meter(rate))
    return meters[0].through(blocks)


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


def sources_of(files: Any) -> list[tuple[str, Source | Clip]]:
    """(name, source) of each recording: a path, an open binary file, or samples with their rate."""
    if _is_source(files):
        return [_source(files)]
    if not isinstance(files, Iterable) or isinstance(files, np.ndarray):
        raise SertfError(f"files must be {_SOURCES}, or several of these, but is a {type(files).__name__}.")
    files = list(files)
    if not files:
        raise SertfError("files is empty; give one audio file or more.")
    wrong = [file for file in files if not _is_source(file)]
    if wrong:
        raise SertfError(f"files must hold {_SOURCES}, but holds a {type(wrong[0]).__name__}.")
    return [_source(file) for file in files]


_SOURCES = 'a path, an open binary file, a pair (samples, sample_rate), or a dict with "array" and "sampling_rate"'


def _is_source(given):
    path = isinstance(given, (str, os.PathLike))
    pair = isinstance(given, tuple) and len(given) == 2 and any(map(_is_number, given))
    return path or pair or hasattr(given, "read") or isinstance(given, Mapping)


def _source(given):
    if isinstance(given, (str, os.PathLike)):
        return os.fspath(given), given
    if hasattr(given, "read"):
        name = getattr(given, "name", "")
        return name if isinstance(name, str) else "", given
    if isinstance(given, Mapping):
        if not {"array", "sampling_rate"} <= set(given):
            raise SertfError(f'A dict of a recording must hold "array" and "sampling_rate", but holds {list(given)}.')
        return "", _checked_clip(given["array"], given["sampling_rate"])
    # SciPy and Gradio put the rate first.
    return "", _checked_clip(*(given[::-1] if _is_number(given[0]) else given))


def _checked_clip(samples, sample_rate):
    samples = _floats(samples, "the samples")
    sample_rate = checked_rate(sample_rate)
    check_audio(samples, sample_rate, path="the samples")
    return samples, sample_rate


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def checked_rate(sample_rate: Any) -> int:
    """A sample rate in Hz as an int; raise `SertfError` unless it is a whole number above 0."""
    if not _is_number(sample_rate) or not float(sample_rate).is_integer() or sample_rate < 1:
        raise SertfError(f"sample_rate must be a whole number of Hz above 0, but is {sample_rate!r}.")
    return int(sample_rate)


def live_blocks(chunks: Iterable[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
    """Yield a live source's chunks as copied float32 (n,) blocks, since many sources reuse one buffer.

    Raises:
        SertfError: a chunk that cannot be used, named by its time, or a source without a sample.
    """
    count = 0
    for chunk in chunks:
        where = f"the chunk at {count / sample_rate:.2f} s"
        block = np.array(_floats(chunk, where))
        check_samples(block, where)
        count += len(block)
        yield block
    if count == 0:
        raise SertfError("The source ended without a single sample; check that it records.")


# Integers that audio is kept in, with the value that stands for silence and full scale above it.
_INTEGERS = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}


def _floats(samples, name):
    """Samples as mono float32 (n,); `name` stands for them in errors."""
    samples = np.asarray(samples)
    known = samples.dtype.name in _INTEGERS or np.issubdtype(samples.dtype, np.floating)
    if not known or samples.ndim not in (1, 2):
        raise SertfError(
            f"{name} must be floats with full scale at 1, or 8, 16 or 32-bit integers, of shape (n,) or (n, channels), "
            f"but got {samples.dtype} {samples.shape}."
        )
    if samples.ndim == 2 and samples.shape[1] > max(1, samples.shape[0]):
        raise SertfError(f"{name} must have the shape (n,) or (n, channels), but got {samples.shape}; transpose them.")
    if samples.dtype.name in _INTEGERS:
        middle, full = _INTEGERS[samples.dtype.name]
        samples = (samples.astype(np.float64) - middle) / full
    samples = samples.astype(np.float32, copy=False)
    return samples if samples.ndim == 1 else samples.mean(axis=1)
