import numpy as np
import pytest

from sertf.audio.conditions import CONDITIONS

RATE = 48000


def clip(level=0.1):
    """A second of a tone of 500 Hz and one of 10 kHz between half a second of silence at both ends."""
    times = np.arange(RATE) / RATE
    tones = level * (np.sin(2 * np.pi * 500 * times) + 0.5 * np.sin(2 * np.pi * 10_000 * times))
    return np.concatenate([np.zeros(RATE // 2), tones, np.zeros(RATE // 2)]).astype("float32")


def heard(name, samples):
    return CONDITIONS[name](samples, RATE, np.random.default_rng(0))


def power_at(samples, hertz):
    spectrum = np.abs(np.fft.rfft(samples[: 2 * RATE] * np.hanning(min(len(samples), 2 * RATE))))
    place = round(hertz * len(samples[: 2 * RATE]) / RATE)
    return np.max(spectrum[place - 3 : place + 4])


@pytest.mark.parametrize("name", CONDITIONS)
def test_gives_finite_mono_float32_and_the_same_again(name):
    samples = clip()
    before = samples.copy()
    first, second = heard(name, samples), heard(name, samples)
    assert first.dtype == np.float32 and first.ndim == 1 and np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(samples, before)
    assert not (len(first) == len(samples) and np.allclose(first, samples, atol=1e-6))


@pytest.mark.parametrize("rate", [8000, 20_000, 96_000])
def test_every_condition_takes_any_sample_rate(rate):
    samples = clip()[RATE // 2 :]
    for condition in CONDITIONS.values():
        assert np.isfinite(condition(samples, rate, np.random.default_rng(0))).all()


@pytest.mark.parametrize("name", ["telephone", "16 kHz"])
def test_a_narrow_band_loses_what_is_above_it(name):
    samples = clip()
    found = heard(name, samples)
    assert power_at(found, 500) == pytest.approx(power_at(samples, 500), rel=0.05)
    assert power_at(found, 10_000) < 0.01 * power_at(samples, 10_000)
    assert len(found) == len(samples)


@pytest.mark.parametrize("name", ["MP3", "Opus"])
def test_codecs_give_the_clip_in_its_place(name):
    samples = clip()
    found = heard(name, samples)
    assert len(found) == len(samples) and power_at(found, 500) == pytest.approx(power_at(samples, 500), rel=0.2)
    assert np.abs(found[: RATE // 3]).max() < 0.01 < 0.05 < np.abs(found[RATE // 2 + 500 : RATE]).max()


def test_levels():
    samples = clip()
    assert np.abs(heard("gain +20 dB", samples)).max() == 1  # clipped
    np.testing.assert_allclose(heard("gain -20 dB", samples), samples / 10, rtol=1e-6)
    assert np.abs(heard("peak-normalised", samples)).max() == pytest.approx(1)


@pytest.mark.parametrize("decibels", [30, 20])
def test_noise_has_its_ratio(decibels):
    samples = clip()
    noise = heard(f"noise, {decibels} dB", samples).astype(float) - samples
    ratio = 10 * np.log10(np.mean(samples.astype(float) ** 2) / np.mean(noise**2))
    assert ratio == pytest.approx(decibels, abs=0.01)


def test_silence_and_room():
    samples = clip()
    trimmed = heard("silence trimmed", samples)
    assert 1.0 <= len(trimmed) / RATE <= 1.2 and np.abs(trimmed).max() == np.abs(samples).max()
    assert len(heard("1 s of silence behind", samples)) == len(samples) + RATE
    late = heard("reverberation", samples)[round(1.55 * RATE) : round(1.7 * RATE)]
    assert np.sqrt(np.mean(late**2)) > 1e-3  # the clip is silent there
