"""What happens to a sound on its way into a file: codecs, rooms, noise, bands. Functions of float32 samples."""

import io

import numpy as np
import soundfile

from sertf.audio.files import resample
from sertf.errors import SertfError

MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
TELEPHONE_RATE = 8000


def telephone(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """8 kHz and 8-bit µ-law, as a telephone line codes it (ITU-T G.711)."""
    return _coded(samples, sample_rate, TELEPHONE_RATE, "WAV", "ULAW")


def mp3(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """MP3 at a variable bit rate of middle quality."""
    rate = next((rate for rate in MP3_RATES if rate >= sample_rate), MP3_RATES[-1])
    return _coded(samples, sample_rate, rate, "MP3", "MPEG_LAYER_III")


def opus(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Opus, as messengers send voices."""
    return _coded(samples, sample_rate, 48000, "OGG", "OPUS")


def band_limited(samples: np.ndarray, sample_rate: int, highest: float) -> np.ndarray:
    """Nothing above `highest` Hz."""
    narrow = round(2 * highest)
    return as_long(resample(resample(samples, sample_rate, narrow), narrow, sample_rate), len(samples))


def with_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Noise of as many samples, brought to a signal-to-noise ratio in dB.

    Raises:
        SertfError: for silence.
    """
    power = np.mean(np.square(samples, dtype=np.float64))
    if power == 0:
        raise SertfError("it is silent, so the signal-to-noise ratio of added noise is undefined")
    wanted = power / 10 ** (snr_db / 10)
    return (samples + noise * np.sqrt(wanted / np.mean(np.square(noise)))).astype(np.float32)


def coloured_noise(count: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise with a power spectrum of 1 / f^exponent: 0 white, 1 pink, 2 brown. (count,) float64."""
    noise = rng.standard_normal(count)
    if not exponent:
        return noise
    spectrum = np.fft.rfft(noise) * np.maximum(np.arange(count // 2 + 1), 1) ** (-exponent / 2)
    spectrum[0] = 0
    return np.fft.irfft(spectrum, count)


def in_room(
    samples: np.ndarray, sample_rate: int, rng: np.random.Generator, *, seconds: float, direct_db: float
) -> np.ndarray:
    """A room with a tail like noise.

    Args:
        samples: (n,) float32.
        sample_rate: Hz.
        rng: draws the tail.
        seconds: time in which the tail decays by 60 dB.
        direct_db: energy of the direct sound over that of the tail.

    Returns:
        (n + tail,) float32.
    """
    from scipy.signal import fftconvolve

    times = np.arange(1, round(seconds * sample_rate)) / sample_rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / seconds)
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
    return fftconvolve(samples, np.concatenate([[1.0], tail])).astype(np.float32)


def equalised(samples: np.ndarray, decibels: np.ndarray) -> np.ndarray:
    """A gain that changes smoothly over frequency: given at equal steps from 0 Hz to half the sample rate, in dB."""
    spectrum = np.fft.rfft(samples)
    steps = np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, len(decibels)), decibels)
    return np.fft.irfft(spectrum * 10 ** (steps / 20), len(samples)).astype(np.float32)


def as_long(samples: np.ndarray, count: int) -> np.ndarray:
    """The first `count` samples, with zeros where there are fewer; resampling rounds lengths."""
    return np.pad(samples[:count], (0, max(0, count - len(samples)))).astype(np.float32)


def _coded(samples, sample_rate, coded_rate, form, subtype):
    # Written and read again by libsndfile.
    file = io.BytesIO()
    soundfile.write(file, resample(samples, sample_rate, coded_rate), coded_rate, format=form, subtype=subtype)
    file.seek(0)
    heard, rate = soundfile.read(file, dtype="float32")
    return as_long(resample(heard, rate, sample_rate), len(samples))
