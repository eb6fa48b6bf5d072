"""Speech-like clips from numbers: a glottal source through moving formants. The embedded corpus is made of them.

Source-filter model (Fant 1960): Rosenberg pulses with jitter, shimmer and breath are tilted and pass five formants that
glide from vowel to vowel. Fricatives are shaped noise. The filter works frame by frame in the spectrum, so a clip takes
a few milliseconds.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter1d

SAMPLE_RATE = 16000
_HOP_SAMPLES = 128
_WINDOW_SAMPLES = 512
_FFT_SAMPLES = 1024

# F1 to F3 in Hz of American men (Peterson and Barney 1952, table II).
VOWELS = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "@": (490, 1350, 1690),
}
_UPPER_FORMANTS = (3500, 4500)
_BANDWIDTHS = np.array([70.0, 90.0, 120.0, 170.0, 220.0])
# Noise band of a fricative in Hz: centre and width.
FRICATIVES = {"s": (5800, 1500), "f": (4200, 3500), "S": (3200, 1200)}
# Syllables: onset (a fricative, "t" for a stop's gap, "" for none) and vowel; "|" is a pause.
SENTENCES = (
    (("s", "a"), ("", "i"), ("t", "e"), ("f", "o"), ("t", "a")),
    (("t", "u"), ("S", "e"), "|", ("t", "a"), ("", "@"), ("s", "i")),
    (("f", "i"), ("t", "a"), ("t", "o"), ("", "u"), ("S", "a")),
    (("", "o"), ("s", "@"), ("t", "i"), "|", ("f", "a"), ("t", "e")),
    (("S", "u"), ("", "a"), ("t", "@"), ("s", "e"), ("t", "i"), ("f", "@")),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Voice:
    """The manner of speaking of one clip.

    Attributes:
        pitch_hz: Median pitch.
        range_semitones: Standard deviation of the pitch accents.
        tract: Vocal tract factor on all formants: above 1 is a shorter tract than the average man's.
        rate: Speed, 1 is about five syllables a second.
        level_db: RMS of the clip against full scale.
        tilt_db: Spectral tilt above 500 Hz in dB an octave, negative is softer.
        jitter: Relative deviation of the pitch from cycle to cycle.
        breath: Amplitude of aspiration noise in the source against the pulses.
        noise_db: RMS of the room's noise against full scale.
    """

    pitch_hz: float
    range_semitones: float
    tract: float
    rate: float
    level_db: float
    tilt_db: float
    jitter: float
    breath: float
    noise_db: float


def synthesize(voice: Voice, sentence: Sequence[tuple[str, str] | str], rng: np.random.Generator) -> np.ndarray:
    """Speak one of `SENTENCES` in a `Voice`.

    Returns:
        float32 (n,) at `SAMPLE_RATE`, within -1 to 1.
    """
    track = _articulate(sentence, voice, rng)
    pitch = _pitch_contour(track, voice, rng)  # (frames,)
    frames = len(pitch)
    samples = frames * _HOP_SAMPLES
    at = np.arange(samples) / _HOP_SAMPLES
    source = _pulses(np.interp(at, np.arange(frames), pitch), voice, rng)  # (n,)
    source *= np.interp(at, np.arange(frames), track["voiced"])
    hiss = rng.standard_normal(samples) * np.interp(at, np.arange(frames), track["hiss"])

    frequency = np.fft.rfftfreq(_FFT_SAMPLES, 1 / SAMPLE_RATE)  # (bins,)
    tilt = 10 ** (voice.tilt_db / 20 * np.log2(np.maximum(frequency, 500) / 500))
    response = _formant_response(track["formants"]) * tilt  # (frames, bins)
    spectra = _spectra(source, frames) * response.astype(np.complex64)
    # The smoothing of the gain reaches into the frames beside a fricative.
    hissing = track["hiss"] > 1e-4
    band = track["band"][hissing] * voice.tract**0.5  # (hissing, 2)
    noise = np.exp(-0.5 * ((frequency - band[:, :1]) / band[:, 1:]) ** 2)  # (hissing, bins)
    spectra[hissing] += _spectra(hiss, frames)[hissing] * noise.astype(np.float32)
    speech = _overlap_add(spectra, samples)

    speech *= 10 ** (voice.level_db / 20) / np.sqrt(np.mean(speech**2))
    speech += 10 ** (voice.noise_db / 20) * rng.standard_normal(samples)
    return np.tanh(speech).astype(np.float32)  # a microphone's soft limit, so that nothing wraps at full scale


def _articulate(sentence, voice, rng):
    """Frame tracks of a sentence: formants (frames, 5), voiced and hiss gains, noise band (frames, 2), accents."""
    formants, voiced, hiss, band, accents = [], [], [], [], []

    def add(seconds, vowel, voice_gain, hiss_gain, noise, accent):
        count = max(2, round(seconds * rng.uniform(0.85, 1.15) / voice.rate * SAMPLE_RATE / _HOP_SAMPLES))
        formants.extend([(*VOWELS[vowel], *_UPPER_FORMANTS)] * count)
        voiced.extend([voice_gain] * count)
        hiss.extend([hiss_gain] * count)
        band.extend([noise] * count)
        accents.extend([accent] * count)

    accent = 0.0
    add(0.05, "@", 0.0, 0.0, (4000, 2000), accent)
    for syllable in sentence:
        if syllable == "|":
            add(0.12, "@", 0.0, 0.0, (4000, 2000), accent)
            continue
        onset, vowel = syllable
        accent = rng.standard_normal()
        if onset == "t":
            add(0.045, vowel, 0.0, 0.0, (4000, 2000), accent)
        elif onset:
            add(0.075, vowel, 0.0, rng.uniform(0.15, 0.3), FRICATIVES[onset], accent)
        add(0.15, vowel, rng.uniform(0.7, 1.0), 0.0, (4000, 2000), accent)
    add(0.05, "@", 0.0, 0.0, (4000, 2000), accent)

    spread = 1 + 0.03 * rng.standard_normal(5)
    smooth = 2.0 / voice.rate
    return {
        "formants": gaussian_filter1d(np.array(formants, float), smooth, axis=0) * voice.tract * spread,
        "voiced": gaussian_filter1d(np.array(voiced), 1.0),
        "hiss": gaussian_filter1d(np.array(hiss), 0.8),
        "band": np.array(band, float),
        "accents": gaussian_filter1d(np.array(accents), 3.0 / voice.rate),
    }


def _pitch_contour(track, voice, rng):
    frames = len(track["accents"])
    declination = np.linspace(1.0, -1.0, frames) * rng.uniform(0.3, 0.8)
    drift = gaussian_filter1d(rng.standard_normal(frames), 8.0) * 1.5
    semitones = voice.range_semitones * (track["accents"] + declination + drift)
    return voice.pitch_hz * 2 ** (np.clip(semitones, -12, 12) / 12)


def _pulses(pitch, voice, rng):
    """Derivative of Rosenberg's glottal flow (1971, type B) with jitter, shimmer and breath, (n,)."""
    cycle = np.floor(np.cumsum(pitch) / SAMPLE_RATE).astype(int)
    jittered = pitch * (1 + voice.jitter * rng.standard_normal(cycle[-1] + 1)[cycle])
    phase = np.cumsum(jittered) / SAMPLE_RATE
    cycle, phase = np.divmod(phase, 1.0)
    cycle = cycle.astype(int)
    rise, fall = 0.4, 0.16  # shares of the cycle in which the glottis opens and closes
    opening = 0.5 * (1 - np.cos(np.pi * phase / rise))
    closing = np.cos(0.5 * np.pi * (phase - rise) / fall)
    flow = np.where(phase < rise, opening, np.where(phase < rise + fall, closing, 0.0))
    shimmer = 1 + 3 * voice.jitter * rng.standard_normal(cycle[-1] + 1)[cycle]
    breath = voice.breath * rng.standard_normal(len(phase)) * (0.3 + flow)
    return np.diff(flow, prepend=flow[0]) * shimmer * 10 + breath


def _formant_response(formants):
    """Cascade of second-order resonances with gain 1 at 0 Hz (Klatt 1980), complex (frames, bins)."""
    radius = np.exp(-np.pi * _BANDWIDTHS / SAMPLE_RATE)  # (5,)
    # A formant beyond the band's edge would fold back.
    angle = 2 * np.pi * np.minimum(formants, 0.48 * SAMPLE_RATE) / SAMPLE_RATE
    pole = 2 * radius * np.cos(angle)  # (frames, 5)
    # The cascade's denominator is one polynomial a frame; its values round the unit circle are its Fourier transform.
    denominator = np.ones((len(formants), 1))
    for index in range(formants.shape[1]):
        longer = np.pad(denominator, ((0, 0), (0, 2)))
        longer[:, 1:-1] -= pole[:, index, None] * denominator
        longer[:, 2:] += radius[index] ** 2 * denominator
        denominator = longer
    return denominator.sum(axis=1, keepdims=True) / scipy.fft.rfft(denominator, _FFT_SAMPLES)


def _spectra(signal, frames):
    """Spectra of overlapping Hann windows, one a hop, that add up to the signal, (frames, bins)."""
    window = np.hanning(_WINDOW_SAMPLES + 1)[:-1] * 2 * _HOP_SAMPLES / _WINDOW_SAMPLES
    padded = np.pad(signal, (_WINDOW_SAMPLES // 2, _WINDOW_SAMPLES))
    cut = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_SAMPLES)[::_HOP_SAMPLES][:frames]
    return scipy.fft.rfft((cut * window).astype(np.float32), _FFT_SAMPLES)


def _overlap_add(spectra, samples):
    """Undo `_spectra` after filtering, (samples,)."""
    frames = len(spectra)
    # Frame t starts at hop t; cut into blocks of a hop, its block k falls on block t + k of the sum.
    blocks = scipy.fft.irfft(spectra, _FFT_SAMPLES).reshape(frames, -1, _HOP_SAMPLES)
    out = np.zeros((frames + blocks.shape[1], _HOP_SAMPLES))
    for shift in range(blocks.shape[1]):
        out[shift : shift + frames] += blocks[:, shift]
    start = _WINDOW_SAMPLES // 2
    return out.reshape(-1)[start : start + samples]
