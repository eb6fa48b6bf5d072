"""The band and the speech level of a recording, measured block by block."""

from collections.abc import Iterable, Iterator

import numpy as np

FRAME_SECONDS = 0.032
BAND_DB = 60.0
"""The band ends where the mean spectrum stays this far under its peak."""
ACTIVE_DB = 20.0
"""Frames this far under the loudest one do not count for the level."""
LOWEST_HZ = 100.0
"""Hum below does not count for the band."""
_QUIETEST_DB = -150
_LOUDEST_DB = 40
_BLOCK = 2**20


class Meter:
    """Measures a recording while its blocks pass by; memory does not grow with its length.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self._size = max(2, round(FRAME_SECONDS * sample_rate))
        self._window = np.hanning(self._size)
        self._spectrum = np.zeros(self._size // 2 + 1)
        self._rest = np.zeros(0, np.float32)
        # Frames by their level in whole dB, and the sum of their powers.
        self._counts = np.zeros(_LOUDEST_DB - _QUIETEST_DB + 1)
        self._powers = np.zeros_like(self._counts)

    def add(self, samples: np.ndarray) -> None:
        """Measure the next samples, (n,); what is left of the last frame waits for more."""
        for start in range(0, len(samples), _BLOCK):
            block = np.concatenate([self._rest, samples[start : start + _BLOCK]])
            whole = len(block) // self._size * self._size
            self._rest = block[whole:]
            if whole:
                self._measure(block[:whole].reshape(-1, self._size))

    def through(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield blocks as they are, measured."""
        for block in blocks:
            self.add(block)
            yield block

    @property
    def band(self) -> float:
        """Highest frequency in Hz whose mean power is at most `BAND_DB` under the peak; 0 without sound."""
        frequencies = np.fft.rfftfreq(self._size, 1 / self._rate)
        heard = np.where(frequencies >= LOWEST_HZ, self._spectrum, 0)
        if not heard.any():
            return 0.0
        return float(frequencies[np.flatnonzero(heard >= heard.max() * 10 ** (-BAND_DB / 10))[-1]])

    @property
    def level(self) -> float:
        """Level of the speech in dB of full scale: mean power of the frames within `ACTIVE_DB` of the loudest."""
        loudest = np.flatnonzero(self._counts)
        if not len(loudest):
            return float(_QUIETEST_DB)
        active = slice(max(0, loudest[-1] - round(ACTIVE_DB)), None)
        return _decibels(self._powers[active].sum() / self._counts[active].sum())

    def _measure(self, frames: np.ndarray) -> None:
        self._spectrum += np.square(np.abs(np.fft.rfft(frames * self._window, axis=1))).sum(axis=0)
        powers = frames.var(axis=1, dtype=np.float64)
        levels = 10 * np.log10(np.maximum(powers, 10 ** (_QUIETEST_DB / 10)))
        places = np.clip(np.round(levels), _QUIETEST_DB, _LOUDEST_DB).astype(int) - _QUIETEST_DB
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._powers += np.bincount(places, weights=powers, minlength=len(self._counts))


def measured(samples: np.ndarray, sample_rate: int) -> Meter:
    """The meter of a whole clip, (n,)."""
    meter = Meter(sample_rate)
    meter.add(samples)
    return meter


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, 10 ** (_QUIETEST_DB / 10))))
