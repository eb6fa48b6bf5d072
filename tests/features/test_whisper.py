"""Whisper: against librosa's mel and CTranslate2's encoder; robust to gain, silence and padding."""

import keras
import librosa
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features import Whisper
from sertf.features.whisper import SAMPLE_RATE, whisper_weights
from tests.whisper_reference import encoder_outputs, final_norm

pytestmark = pytest.mark.usefixtures("whisper_weights")
RAW = {"pooling": "none", "level_db": None, "trim_db": None}


def speech(seconds, seed=0):
    """Noise in bursts, under a fading hum."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).normal(0, 0.05, len(time)) * (0.2 + np.sin(9 * time) ** 2)
    return (noise + 0.1 * np.sin(2 * np.pi * 180 * time) * np.exp(-time)).astype("float32")


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def reference_mel(samples):
    """Whisper's log mel spectrogram of a clip and half a second of silence, by librosa in float64, (frames, 80)."""
    padded = np.pad(samples.astype("float64"), (0, -len(samples) % 320 + 8000))
    spectrum = librosa.stft(padded, n_fft=400, hop_length=160, window="hann", pad_mode="reflect")[:, :-1]
    mel = np.log10(np.maximum(librosa.filters.mel(sr=16000, n_fft=400, n_mels=80) @ np.abs(spectrum) ** 2, 1e-10))
    return ((np.maximum(mel, mel.max() - 8) + 4) / 4).T


def row_errors(ours, expected):
    """Each token's distance, relative to its length: some of Whisper's dimensions are a hundred times as large as others."""
    return np.linalg.norm(ours - expected, axis=-1) / np.linalg.norm(expected, axis=-1)


@pytest.mark.parametrize("seconds", [0.33, 3.0, 10.07])
def test_every_block_equals_a_literal_whisper(seconds):
    samples = speech(seconds)
    ours = values(Whisper(blocks=(0, 1, 2, 3, 4), **RAW)(samples[None]))[0]
    weights = whisper_weights.load("tiny.en")
    expected = encoder_outputs(weights, reference_mel(samples), 6)
    for block, (output, theirs) in enumerate(zip(np.split(ours, 5, axis=-1), expected, strict=True)):
        assert row_errors(output, theirs[: len(output)]).max() < 1e-4, f"block {block}"


def test_equals_the_encoder_of_ctranslate2():
    ctranslate2 = pytest.importorskip("ctranslate2")
    folder = str(whisper_weights.find("tiny.en").parent)
    samples = speech(3.0)
    model = ctranslate2.models.Whisper(folder, compute_type="float32")
    mel = np.ascontiguousarray(reference_mel(samples).T[None], "float32")
    expected = np.array(model.encode(ctranslate2.StorageView.from_array(mel)))[0]
    output = values(Whisper(blocks=(4,), **RAW)(samples[None]))[0]
    ours = final_norm(whisper_weights.load("tiny.en"), output)
    assert row_errors(ours, expected[: len(ours)]).max() < 1e-4


def test_pools_the_mean_and_deviation_of_each_block():
    samples = speech(2.0)
    tokens = values(Whisper(blocks=(1, 3), **RAW)(samples[None]))[0]  # (100, 2 * 384)
    pooled = values(Whisper(blocks=(1, 3), level_db=None, trim_db=None)(samples[None]))
    first, third = np.split(tokens, 2, axis=-1)
    expected = [first.mean(0), first.std(0), third.mean(0), third.std(0)]
    assert pooled.shape == (1, 1, 4 * 384)
    np.testing.assert_allclose(pooled[0, 0], np.concatenate(expected), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("decibels", [-40, -20, 6, 20])
def test_gain_changes_nothing(decibels):
    front_end, samples = Whisper(blocks=(2,)), speech(2.0)
    louder = samples * 10 ** (decibels / 20)
    np.testing.assert_allclose(
        values(front_end(louder.astype("float32")[None])), values(front_end(samples[None])), atol=1e-3
    )


def test_speech_comes_to_its_level():
    front_end = Whisper(blocks=(0,), level_db=-30.0)
    front_end.build((None, None))
    samples = speech(1.0)
    lengths = np.array([len(samples)], "int32")
    *_, gain = front_end._speech(keras.ops.convert_to_tensor(samples[None]), keras.ops.convert_to_tensor(lengths))
    power = (samples.reshape(-1, 320) * values(gain)[0, 0]).var(axis=1)
    assert 10 * np.log10(power[power >= power.max() / 100].mean()) == pytest.approx(-30, abs=1e-3)


@pytest.mark.parametrize("before, behind", [(3200, 0), (16000, 8000), (0, 48000)])
def test_silence_at_the_ends_changes_nothing(before, behind):
    front_end = Whisper(blocks=(2,))
    quiet = np.zeros(1920, "float32")  # more than the 0.1 s that are kept on either side
    samples = np.concatenate([quiet, speech(2.0), quiet])
    longer = np.pad(samples, (before, behind))
    np.testing.assert_allclose(values(front_end(longer[None])), values(front_end(samples[None])), atol=1e-4)


def test_an_offset_of_the_waveform_is_no_sound():
    front_end = Whisper(blocks=(0,))
    quiet = np.zeros(8000, "float32")
    samples = np.concatenate([quiet, speech(1.0), quiet])
    lengths = keras.ops.convert_to_tensor(np.array([len(samples)], "int32"))
    plain, shifted = (
        [values(value) for value in front_end._speech(keras.ops.convert_to_tensor(given[None]), lengths)]
        for given in (samples, samples + np.float32(0.2))
    )
    for ours, expected in zip(shifted, plain, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-3)


def test_digital_silence_has_finite_features():
    assert np.isfinite(values(Whisper(blocks=(1,))(np.zeros((1, 16000), "float32")))).all()


def test_more_than_30_s_are_encoded_in_pieces():
    front_end = Whisper(blocks=(1,), **RAW)
    samples = speech(33.0)
    whole = values(front_end(samples[None]))[0]
    assert whole.shape == (1650, 384)
    mel = reference_mel(samples)
    pieces = (mel[:3000], mel[3000:])
    weights = whisper_weights.load("tiny.en")
    expected = np.concatenate([encoder_outputs(weights, piece, 6)[1] for piece in pieces])
    assert row_errors(whole, expected[:1650]).max() < 1e-4


def test_weights_are_stored_in_float16():
    front_end = Whisper(blocks=(2, 3))
    front_end.build((None, None))
    stored = sum(
        np.prod(variable.shape) * (2 if variable.dtype == "float16" else 4) for variable in front_end.variables
    )
    assert stored < 13e6


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sample_rate": 8000}, "sample_rate must be 16000, got 8000"),
        ({"size": "huge"}, "Unknown size of Whisper 'huge'; known are tiny.en, base"),
        ({"pooling": "max"}, "Unknown pooling of Whisper 'max'; known are mean_std, speech, none"),
        ({"blocks": ()}, r"blocks must be rising numbers from 0 to 4, the blocks of tiny.en, got \(\)"),
        ({"blocks": (3, 2)}, "blocks must be rising numbers"),
        ({"blocks": (5,)}, "blocks must be rising numbers from 0 to 4"),
        ({"level_db": float("nan")}, "level_db must be a finite number, got nan"),
        ({"trim_db": -3.0}, "trim_db must be above 0 or None, got -3.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, message):
    with pytest.raises(SertfError, match=message):
        Whisper(**options)


def test_tokens_of_the_speech_are_what_is_pooled():
    silence = np.zeros(SAMPLE_RATE, "float32")
    clip = np.concatenate([silence, speech(1.5), silence])[None]
    tokens = values(Whisper(blocks=(2,), pooling="speech")(clip))[0]
    own = np.flatnonzero(tokens.any(axis=1)).max() + 1
    assert own < 0.6 * len(tokens) and not tokens[own:].any()
    pooled = values(Whisper(blocks=(2,))(clip))[0, 0]
    np.testing.assert_allclose(tokens[:own].mean(axis=0), pooled[:384], atol=1e-4)
    np.testing.assert_allclose(tokens[:own].std(axis=0), pooled[384:], atol=2e-4)
