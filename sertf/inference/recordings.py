"""What recordings a model was trained on, band and levels, and warnings of recordings that differ.

A telephone's band ends near 4 kHz. A model that read more in training is often wrong there, and confident.
"""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TypedDict

import numpy as np

from sertf.audio.files import read_audio
from sertf.audio.meter import Meter, measured

MOST_CLIPS = 400
"""Training clips that are measured, evenly spread; more would not change the range."""
BAND_SHARE = 0.6
"""A recording with less of the training clips' band lacks it."""
TELEPHONE_HZ = 4500.0
"""A band that ends below is like a telephone's, with the slope of a resampler's filter."""
LEVEL_MARGIN_DB = 6.0
"""A level this far beyond the training clips' range lies outside."""


class RecordingWarning(UserWarning):
    """A recording unlike those that the model was trained on.

    Attributes:
        what: how it differs, without the name of the file.
    """

    def __init__(self, file: str, what: str):
        super().__init__(f"{file}: {what}.")
        self.what = what


_collecting: ContextVar[list[str] | None] = ContextVar("collecting", default=None)


@contextlib.contextmanager
def collected() -> Iterator[list[str]]:
    """A list that gets what `tell` says in the block, in place of a warning. Threads have a list of their own each."""
    found: list[str] = []
    before = _collecting.set(found)
    try:
        yield found
    finally:
        _collecting.reset(before)


def tell(file: str, what: str, stacklevel: int) -> None:
    """Warn of a recording unlike the training clips, or collect what would be said.

    Args:
        file: its name.
        what: how it differs.
        stacklevel: of `warnings.warn`, seen from the caller.
    """
    found = _collecting.get()
    if found is None:
        warnings.warn(RecordingWarning(file, what), stacklevel=stacklevel + 1)
    else:
        found.append(what)


class Recordings(TypedDict):
    """The training clips of a card.

    `clips` were measured. `band_hz` is the band that 95 % of them have and that the model reads. `levels_db` is the range of
    speech levels in dB of full scale, percentiles 1 to 99; None if the model's front end brings speech to one level.
    """

    clips: int
    band_hz: float
    levels_db: list[float] | None


def spread(paths: Sequence[Path | str]) -> list[Path | str]:
    """At most `MOST_CLIPS` of the paths, evenly spread."""
    places = np.linspace(0, len(paths) - 1, min(len(paths), MOST_CLIPS)).astype(int)
    return [paths[place] for place in places]


def recordings_of(paths: Sequence[Path | str], *, highest_hz: float, level_counts: bool) -> Recordings:
    """Measure training clips.

    Args:
        paths: audio files.
        highest_hz: highest frequency that the model reads.
        level_counts: whether the model hears a difference of level.

    Raises:
        AudioError: a file that cannot be used.
    """
    meters = [measured(*read_audio(path)) for path in spread(paths)]
    levels = np.percentile([meter.level for meter in meters], [1, 99])
    return {
        "clips": len(meters),
        "band_hz": round(min(float(np.percentile([meter.band for meter in meters], 5)), highest_hz)),
        "levels_db": [round(float(level), 1) for level in levels] if level_counts else None,
    }


def differences(meter: Meter, recordings: Recordings) -> list[str]:
    """Sentences on what a recording lacks beside the training clips; none if it is like them."""
    found = []
    if meter.band < BAND_SHARE * recordings["band_hz"]:
        telephone = ", as over a telephone" if meter.band < TELEPHONE_HZ else ""
        found.append(
            f"it holds nothing above {meter.band / 1000:.1f} kHz{telephone}, but the model was trained on up to "
            f"{recordings['band_hz'] / 1000:.1f} kHz; expect more wrong answers"
        )
    if recordings["levels_db"] is not None:
        low, high = recordings["levels_db"]
        if not low - LEVEL_MARGIN_DB <= meter.level <= high + LEVEL_MARGIN_DB:
            found.append(
                f"its speech has {meter.level:.0f} dBFS, but the model was trained on {low:.0f} to {high:.0f} dBFS; bring it "
                "to that level"
            )
    return found
