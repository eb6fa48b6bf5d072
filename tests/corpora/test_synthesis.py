import numpy as np
import pytest

from sertf.corpora import embedded, synthesis


def test_clips_are_deterministic_and_differ():
    first = embedded.clip(0, "anger", 3)
    np.testing.assert_array_equal(first, embedded.clip(0, "anger", 3))
    for other in (embedded.clip(0, "anger", 8), embedded.clip(0, "anger", 3, seed=1), embedded.clip(1, "anger", 3)):
        assert len(other) != len(first) or np.abs(other - first).max() > 0.01


def test_pitch_is_what_the_voice_asks_for():
    voice = synthesis.Voice(
        pitch_hz=200.0, range_semitones=0.0, tract=1.0, rate=1.0, level_db=-20.0, tilt_db=0.0, jitter=0.0, breath=0.0,
        noise_db=-80.0,
    )  # fmt: skip
    samples = synthesis.synthesize(voice, (("", "a"), ("", "a"), ("", "a")), np.random.default_rng(0))
    middle = samples[len(samples) // 2 - 2000 : len(samples) // 2 + 2000]
    correlation = np.correlate(middle, middle, "full")[3999:]
    assert 50 + np.argmax(correlation[50:200]) == 80  # samples a cycle
    assert 10 * np.log10(np.mean(samples**2)) == pytest.approx(-20, abs=1)


def test_filtering_adds_up_and_resonates():
    signal = np.random.default_rng(0).standard_normal(128 * 40)
    again = synthesis._overlap_add(synthesis._spectra(signal, 40), len(signal))
    np.testing.assert_allclose(again[400:-400], signal[400:-400], atol=1e-5)
    formants = np.array([[500.0, 1500, 2500, 3500, 4500]])
    response = np.abs(synthesis._formant_response(formants)[0])  # (513,)
    peaks = np.flatnonzero((response[1:-1] > response[:-2]) & (response[1:-1] > response[2:])) + 1
    np.testing.assert_allclose(peaks * 16000 / 1024, formants[0], atol=35)
    assert response[0] == pytest.approx(1)
