import numpy as np
import pytest

from sertf.audio.conditions import CONDITIONS
from sertf.audio.meter import Meter, measured

RATE = 16_000


def noise(seconds=2.0, scale=0.1):
    return np.random.default_rng(0).normal(scale=scale, size=round(seconds * RATE)).astype("float32")


def test_the_band_of_noise_and_of_a_telephone():
    assert measured(noise(), RATE).band == pytest.approx(8000, abs=50)
    heard = CONDITIONS["telephone"](noise(), RATE, np.random.default_rng(0))
    assert 3700 < measured(heard, RATE).band < 4200
    stored = np.round(heard * 32768) / 32768  # the rounding of 16-bit files is no band
    assert measured(stored.astype("float32"), RATE).band < 4200


def test_hum_and_an_offset_are_no_band_and_no_level():
    times = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * times)
    hum = tone * 1e-3 + 0.5 * np.sin(2 * np.pi * 50 * times)
    assert measured(hum.astype("float32"), RATE).band == pytest.approx(1000, abs=100)
    assert measured((0.1 * tone + 0.3).astype("float32"), RATE).level == pytest.approx(-23.01, abs=0.3)


def test_the_level_is_that_of_the_speech_alone():
    clip = np.concatenate([np.zeros(3 * RATE, "float32"), noise(scale=0.1), noise(scale=1e-4)])
    assert measured(clip, RATE).level == pytest.approx(-20, abs=0.3)
    assert measured(0.1 * clip, RATE).level == pytest.approx(-40, abs=0.3)
    assert (
        measured(np.zeros(RATE, "float32"), RATE).level == -150 and measured(np.zeros(RATE, "float32"), RATE).band == 0
    )


def test_blocks_of_any_length_measure_the_same():
    clip, meter = noise(), Meter(RATE)
    blocks = np.split(clip, [1, 7, 600, 601, 20_000])
    assert [len(block) for block in meter.through(blocks)] == [len(block) for block in blocks]
    whole = measured(clip, RATE)
    assert meter.band == whole.band and meter.level == pytest.approx(whole.level, abs=1e-6)
