import os
from pathlib import Path

import numpy as np
import pytest

from sertf.audio.files import read_audio
from sertf.audio.steadiness import is_steady, level_range

RATES = [8000, 16_000, 48_000]


def noise(seconds, rate, seed=0):
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * rate)).astype("float32")


def syllables(seconds, rate):
    """Noise whose level rises and falls four times a second, as that of speech does."""
    time = np.arange(round(seconds * rate)) / rate
    return noise(seconds, rate) * (0.05 + np.sin(4 * np.pi * time) ** 2).astype("float32")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_noise_and_hum_are_steady_and_syllables_are_not(rate, seconds):
    time = np.arange(round(seconds * rate)) / rate
    assert is_steady(noise(seconds, rate), rate)
    assert is_steady(0.2 * np.sin(2 * np.pi * 50 * time) + 0.5, rate)
    assert not is_steady(syllables(seconds, rate), rate)
    # Speech as loud as the noise that it stands in.
    assert not is_steady(syllables(seconds, rate) + 0.4 * noise(seconds, rate, seed=1), rate)


def test_the_level_itself_does_not_count():
    clip = syllables(2, 16_000)
    assert level_range(clip, 16_000) == pytest.approx(level_range(0.01 * clip, 16_000), abs=0.1)


def test_a_short_clip_may_be_one_syllable():
    assert not is_steady(noise(0.9, 16_000), 16_000)


def test_no_clip_of_real_speech_is_steady():
    root = Path(os.environ.get("SERTF_DATA", "nowhere"))
    files = [path for name in ("ravdess", "emodb", "tess") for path in sorted((root / name).glob("*/*.flac"))[::80]]
    if not files:
        pytest.skip("set SERTF_DATA to a folder that holds ravdess/, emodb/ or tess/")
    for path in files:
        samples, rate = read_audio(path)
        assert not is_steady(samples, rate), path
