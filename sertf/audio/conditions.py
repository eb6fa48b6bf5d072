"""Recording conditions: what telephones, codecs, levels, noise and rooms do to a clip, by name.

A condition is a function of samples, (n,) float32 with full scale at 1, sample rate in Hz and a random generator. It
gives the samples at the same rate. `CONDITIONS` names them. With it you alter test clips, and compare a model's scores on
both.
"""

from collections.abc import Callable

import numpy as np

from sertf.audio import simulation
from sertf.audio.augmentation import WhiteNoise

Condition = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

TRIM_DB = 40.0
"""Frames this far below the loudest one count as silence."""
_FRAME_SECONDS = 0.025
_MARGIN_SECONDS = 0.05
_REVERBERATION_SECONDS = 0.5
"""Time in which the reverberation decays by 60 dB."""
_DIRECT_TO_REVERBERANT_DB = 3.0


def telephone(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """8 kHz and 8-bit µ-law, as a telephone line codes it (ITU-T G.711)."""
    return simulation.telephone(samples, sample_rate)


def narrow(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Nothing above 8 kHz, as a recorder of 16 kHz leaves it."""
    return simulation.band_limited(samples, sample_rate, 8000)


def gain(decibels: float) -> Condition:
    """A level changed by some decibels; what goes beyond full scale is clipped."""

    def changed(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        return np.clip(samples * 10 ** (decibels / 20), -1, 1).astype(np.float32)

    return changed


def peak_normalised(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """The loudest sample at full scale."""
    return (samples / max(np.abs(samples).max(), 1e-9)).astype(np.float32)


def white_noise(snr_db: float) -> Condition:
    """White Gaussian noise at a signal-to-noise ratio in decibels."""

    noise = WhiteNoise((snr_db, snr_db))

    def noisy(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        return noise(samples, rng)

    return noisy


def mp3(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """MP3 at a variable bit rate of middle quality."""
    return simulation.mp3(samples, sample_rate)


def opus(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Opus, as messengers send voices."""
    return simulation.opus(samples, sample_rate)


def trimmed(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Without the silence at both ends, but for 50 ms of it."""
    size = max(1, round(_FRAME_SECONDS * sample_rate))
    whole = len(samples) // size * size
    if not whole:
        return samples
    levels = np.sqrt(np.mean(np.square(samples[:whole].reshape(-1, size), dtype=np.float64), axis=1))
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-TRIM_DB / 20))
    if not len(loud):
        return samples
    margin = round(_MARGIN_SECONDS * sample_rate)
    return samples[max(0, loud[0] * size - margin) : (loud[-1] + 1) * size + margin]


def silence_behind(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """One second of silence behind the clip."""
    return np.concatenate([samples, np.zeros(sample_rate, np.float32)])


def reverberation(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """A room whose noise-like tail decays by 60 dB in half a second, 3 dB under the direct sound."""
    return simulation.in_room(
        samples, sample_rate, rng, seconds=_REVERBERATION_SECONDS, direct_db=_DIRECT_TO_REVERBERANT_DB
    )


CONDITIONS: dict[str, Condition] = {
    "telephone": telephone,
    "16 kHz": narrow,
    "gain +20 dB": gain(20),
    "gain -20 dB": gain(-20),
    "peak-normalised": peak_normalised,
    "noise, 30 dB": white_noise(30),
    "noise, 20 dB": white_noise(20),
    "MP3": mp3,
    "Opus": opus,
    "silence trimmed": trimmed,
    "1 s of silence behind": silence_behind,
    "reverberation": reverberation,
}
"""By the name that tables print."""
