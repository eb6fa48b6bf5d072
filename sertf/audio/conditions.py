"""Recording conditions: what telephones, codecs, levels, noise and rooms do to a clip, by name.

A condition is a function of samples, (n,) float32 with full scale at 1, sample rate in Hz and a random generator. It
gives the samples at the same rate. `CONDITIONS` names them. With it you alter test clips, and compare a model's scores on
both.
"""

import io
from collections.abc import Callable

import numpy as np
import soundfile

from sertf.audio.augmentation import WhiteNoise
from sertf.audio.files import resample

Condition = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

TELEPHONE_RATE = 8000
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
TRIM_DB = 40.0
"""Frames this far below the loudest one count as silence."""
_FRAME_SECONDS = 0.025
_MARGIN_SECONDS = 0.05
_REVERBERATION_SECONDS = 0.5
"""Time in which the reverberation decays by 60 dB."""
_DIRECT_TO_REVERBERANT_DB = 3.0


def telephone(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """8 kHz and 8-bit µ-law, as a telephone line codes it (ITU-T G.711)."""
    return _coded(samples, sample_rate, TELEPHONE_RATE, "WAV", "ULAW")


def narrow(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Nothing above 8 kHz, as a recorder of 16 kHz leaves it."""
    return _as_long(resample(resample(samples, sample_rate, 16000), 16000, sample_rate), len(samples))


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
    rate = next((rate for rate in MP3_RATES if rate >= sample_rate), MP3_RATES[-1])
    return _coded(samples, sample_rate, rate, "MP3", "MPEG_LAYER_III")


def opus(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Opus, as messengers send voices."""
    return _coded(samples, sample_rate, 48000, "OGG", "OPUS")


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
    from scipy.signal import fftconvolve

    times = np.arange(1, round(_REVERBERATION_SECONDS * sample_rate)) / sample_rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / _REVERBERATION_SECONDS)
    tail *= 10 ** (-_DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.sum(tail**2))
    heard = fftconvolve(samples, np.concatenate([[1.0], tail]))
    return heard.astype(np.float32)


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


def _coded(samples: np.ndarray, sample_rate: int, coded_rate: int, form: str, subtype: str) -> np.ndarray:
    """Samples written and read again by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, resample(samples, sample_rate, coded_rate), coded_rate, format=form, subtype=subtype)
    file.seek(0)
    heard, rate = soundfile.read(file, dtype="float32")
    return _as_long(resample(heard, rate, sample_rate), len(samples))


def _as_long(samples: np.ndarray, count: int) -> np.ndarray:
    """The first `count` samples, with zeros where there are fewer; resampling rounds lengths."""
    return np.pad(samples[:count], (0, max(0, count - len(samples)))).astype(np.float32)
