import numpy as np
import pytest

from sertf.inference.verdicts import in_words, verdict_of, without_speech


def test_a_verdict_is_the_emotion_or_why_there_is_none():
    assert verdict_of("anger", 0.5, 0.5) == "anger"
    assert verdict_of("anger", 0.49, 0.5) == "uncertain"


@pytest.mark.noise_is_no_speech
def test_silence_and_noise_hold_no_speech():
    noise = np.random.default_rng(0).normal(scale=0.1, size=16_000)
    assert without_speech(np.full(16_000, 0.25), 16_000) == "silence"
    assert without_speech(noise, 16_000) == "no speech"
    assert without_speech(noise * np.linspace(0, 1, 16_000), 16_000) is None


def test_people_read_the_best_guess_beside_an_uncertain_verdict():
    assert in_words("uncertain", "anger") == "uncertain (anger?)"
    assert in_words("anger", "anger") == "anger" and in_words("silence", None) == "silence"
