import numpy as np
import pytest

from sertf.audio import simulation
from sertf.errors import SertfError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def slope_db_per_octave(noise):
    power = np.abs(np.fft.rfft(noise)) ** 2
    bands = [power[100 * 2**k : 200 * 2**k].mean() for k in range(6)]
    return np.diff(10 * np.log10(bands)).mean()


@pytest.mark.parametrize(("exponent", "expected"), [(0.0, 0.0), (1.0, -3.0), (2.0, -6.0)])
def test_coloured_noise_falls_by_its_exponent(rng, exponent, expected):
    noise = simulation.coloured_noise(32001, exponent, rng)
    assert noise.shape == (32001,)
    assert slope_db_per_octave(noise) == pytest.approx(expected, abs=0.4)


def test_noise_reaches_its_ratio_and_silence_has_none(rng):
    samples = np.sin(np.arange(4000) / 7).astype("float32")
    added = simulation.with_noise(samples, rng.standard_normal(4000), 10.0) - samples
    assert 10 * np.log10(np.mean(samples**2) / np.mean(added**2)) == pytest.approx(10.0, abs=1e-3)
    with pytest.raises(SertfError, match="silent"):
        simulation.with_noise(np.zeros(10), np.ones(10), 10.0)


def test_a_room_rings_as_long_and_as_loud_as_asked(rng):
    click = np.eye(1, 100, dtype="float32")[0]
    heard = simulation.in_room(click, 8000, rng, seconds=0.5, direct_db=6.0).astype(float)
    assert heard[0] == pytest.approx(1.0, abs=1e-5)
    assert 10 * np.log10(1 / np.sum(heard[1:] ** 2)) == pytest.approx(6.0, abs=0.01)
    decay = 10 * np.log10(np.mean(heard[1:400] ** 2) / np.mean(heard[2001:2400] ** 2))
    assert decay == pytest.approx(60 * 0.25 / 0.5, abs=3)  # 0.25 s later


def test_an_equaliser_changes_its_own_frequencies():
    samples = np.zeros(800, "float32")
    samples[400] = 1.0
    gains = np.abs(np.fft.rfft(simulation.equalised(samples, np.array([0.0, 20.0, 0.0]))))
    assert gains[0] == pytest.approx(1.0, abs=1e-3) and gains[200] == pytest.approx(10.0, rel=1e-3)


def test_a_band_ends_at_its_highest_frequency():
    samples = np.zeros(1600, "float32")
    samples[800] = 1.0
    gains = np.abs(np.fft.rfft(simulation.band_limited(samples, 16000, 4000.0)))
    assert gains[:350] == pytest.approx(1.0, abs=0.02) and gains[450:].max() < 0.01


@pytest.mark.parametrize("code", [simulation.telephone, simulation.mp3, simulation.opus])
def test_codecs_keep_the_length_and_most_of_the_sound(code):
    samples = (0.1 * np.sin(2 * np.pi * 440 * np.arange(16001) / 16000)).astype("float32")
    heard = code(samples, 16000)
    assert heard.shape == samples.shape and heard.dtype == "float32"
    assert np.corrcoef(heard, samples)[0, 1] > 0.95 and not np.array_equal(heard, samples)
