"""The verdict on a window: its emotion, or why there is none."""

import numpy as np

from sertf.audio.files import SILENCE_SPAN
from sertf.audio.steadiness import is_steady

SILENCE, NO_SPEECH, UNCERTAIN = "silence", "no speech", "uncertain"
"""Verdicts that are no emotion."""


def without_speech(samples: np.ndarray, sample_rate: int, *, steady: bool = True) -> str | None:
    """The verdict on a window (n,) that cannot hold speech: digital silence or, if `steady`, steady sound. Else None."""
    if np.ptp(samples) < SILENCE_SPAN:
        return SILENCE
    return NO_SPEECH if steady and is_steady(samples, sample_rate) else None


def verdict_of(emotion: str, confidence: float, threshold: float) -> str:
    """The verdict on a scored window: its emotion, or `uncertain` if the confidence lies under the threshold.

    >>> verdict_of("anger", 0.4, 0.5)
    'uncertain'
    """
    return UNCERTAIN if confidence < threshold else emotion


def in_words(verdict: str, emotion: str | None) -> str:
    """A verdict for people, with the best guess beside an uncertain one.

    >>> in_words("uncertain", "anger")
    'uncertain (anger?)'
    """
    return f"{verdict} ({emotion}?)" if verdict == UNCERTAIN else verdict
