"""Functionals: descriptors against librosa's, functionals against NumPy's, silence and padding that change nothing."""

import functools
import importlib
import os
from pathlib import Path

import keras
import librosa
import numpy as np
import pytest

from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.features import Functionals
from sertf.layers import functionals

RATE, WIN, N_FFT, HOP = 16000, 1024, 2048, 160


def speechlike(seconds=1.5, seed=0):
    """Voiced syllables with pauses between, over faint noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    track = 140 + 40 * np.sin(2 * np.pi * 1.3 * time)
    voice = sum(np.sin(k * 2 * np.pi * np.cumsum(track) / RATE) / k for k in range(1, 30))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)
    return (0.1 * voice * syllables + rng.normal(0, 0.001, len(time))).astype("float32")


def described(samples, **options):
    """Descriptors of the frames by name, pitch in semitones, and the mask of sound."""
    layer = Functionals(**options)
    layer.build((None, None))
    lengths = np.array([len(samples)], "int32")
    counts = keras.ops.convert_to_tensor(np.array([1 + len(samples) // HOP], "int32"))
    tensor = keras.ops.convert_to_tensor(samples[None])
    values, pitches, sounding = (
        keras.ops.convert_to_numpy(found)[0] for found in layer._describe(tensor, lengths, counts)
    )
    return dict(zip(layer.descriptor_names, values.T, strict=True)), pitches, sounding


def by_librosa(samples):
    """The same descriptors by a user's loop of librosa calls, of the spectrum up to 7200 Hz."""
    power = np.abs(librosa.stft(samples, n_fft=N_FFT, win_length=WIN, hop_length=HOP, pad_mode="constant")) ** 2
    frequencies = librosa.fft_frequencies(sr=RATE, n_fft=N_FFT)
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=40, fmax=7200))
    chroma = librosa.feature.chroma_stft(S=np.where(frequencies[:, None] <= 7200, power, 0), sr=RATE, tuning=0)
    power, frequencies = power[frequencies <= 7200], frequencies[frequencies <= 7200]
    cut = {"S": np.sqrt(power), "sr": RATE, "freq": frequencies}
    decibels = librosa.power_to_db(power)
    found = {
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(samples, frame_length=WIN, hop_length=HOP)[0],
        "centroid": librosa.feature.spectral_centroid(**cut)[0] / 1000,
        "spread": librosa.feature.spectral_bandwidth(**cut)[0] / 1000,
        "roll_off": librosa.feature.spectral_rolloff(**cut)[0] / 1000,
        "flux": librosa.onset.onset_strength(S=mel, center=False),
    }
    for low, high in ((50, 500), (500, 1500), (1500, 5000)):
        inside = (frequencies >= low) & (frequencies <= high)
        found[f"slope_{low}_{high}_hz"] = np.polyfit(frequencies[inside] / 1000, decibels[inside], 1)[0]
    tables = {"contrast": librosa.feature.spectral_contrast(**cut), "mel": mel, "chroma": chroma}
    tables["mfcc"] = librosa.feature.mfcc(S=mel, n_mfcc=26)
    return found | {f"{name}_{i}": row for name, table in tables.items() for i, row in enumerate(table)}


def assert_like_librosa(samples, monkeypatch):
    spectral = importlib.import_module("librosa.feature.spectral")
    # librosa's contrast takes no `top_db` itself, its decibels do; half of them, as it takes magnitudes for powers.
    with monkeypatch.context() as patch:
        patch.setattr(spectral, "power_to_db", functools.partial(spectral.power_to_db, top_db=40.0))
        expected = by_librosa(samples)
    ours, _, _ = described(samples)
    assert set(ours) - set(expected) == {"energy", "period_strength"}
    for name, values in expected.items():
        allowed = 2e-3 * np.abs(values).max() + 1e-5
        if name == "roll_off":  # the next bin, where the cumulated sum meets the threshold to the last digit
            allowed += 1.01 * RATE / N_FFT / 1000
        assert np.abs(ours[name] - values).max() <= allowed, name


def test_every_descriptor_is_librosas(monkeypatch):
    assert_like_librosa(speechlike(), monkeypatch)


@pytest.mark.skipif("SERTF_DATA" not in os.environ, reason="needs real speech in SERTF_DATA")
@pytest.mark.parametrize("corpus", ["emodb", "ravdess"])
def test_every_descriptor_is_librosas_on_real_speech(corpus, monkeypatch):
    paths = sorted(p for p in Path(os.environ["SERTF_DATA"], corpus).rglob("*") if p.suffix in (".wav", ".flac"))
    for path in paths[:: len(paths) // 3][:3]:
        samples, _ = read_audio(path, sample_rate=RATE)
        assert_like_librosa(samples, monkeypatch)


@pytest.mark.skipif("SERTF_DATA" not in os.environ, reason="needs real speech in SERTF_DATA")
def test_pitch_of_real_speech_is_librosas():
    path = sorted(Path(os.environ["SERTF_DATA"], "emodb").rglob("*.*"))[20]
    samples, _ = read_audio(path, sample_rate=RATE)
    ours, pitches, sounding = described(samples)
    expected, voiced, _ = librosa.pyin(samples, fmin=60, fmax=600, sr=RATE, frame_length=WIN, hop_length=HOP)
    both = sounding & voiced & (ours["period_strength"] > 0.65)
    assert both.sum() > 30
    off = np.abs(pitches[both, 0] - 12 * np.log2(expected[both] / 27.5))
    # In semitones. librosa smooths its path, so that fast glides part the two.
    assert np.median(off) < 0.25 and np.mean(off < 3) > 0.9


def vector_of(samples, **options):
    layer = Functionals(**options)
    found = keras.ops.convert_to_numpy(layer(samples[None]))[0, 0]
    return dict(zip(layer.feature_names, found, strict=True))


def test_functionals_are_numpys_of_the_frames_between_the_silences():
    samples = np.pad(speechlike(), (RATE // 2, RATE // 3))
    ours, pitches, sounding = described(samples)
    vector = vector_of(samples)
    first, last = np.flatnonzero(sounding)[[0, -1]]
    assert first > 45 and last < len(sounding) - 30 and not sounding[first : last + 1].all()
    clip = slice(first, last + 1)
    voiced = sounding & (ours["period_strength"] > 0.65)
    assert 50 < voiced.sum() < sounding.sum()
    middle = np.flatnonzero(3 * np.arange(last + 1 - first) // (last + 1 - first) == 1) + first
    for name in ("energy", "mfcc_3", "centroid", "mel_20"):
        for stretch, frames in (("clip", clip), ("voiced", voiced), ("second_third", middle)):
            kept = ours[name][frames]
            assert vector[f"{stretch}_{name}_mean"] == pytest.approx(kept.mean(), rel=1e-3, abs=1e-3)
            assert vector[f"{stretch}_{name}_deviation"] == pytest.approx(kept.std(), rel=1e-3, abs=1e-3)
            assert vector[f"{stretch}_{name}_percentile_95"] == pytest.approx(
                np.percentile(kept, 95), rel=1e-3, abs=1e-3
            )
        deltas = librosa.feature.delta(ours[name])[clip]
        assert vector[f"clip_delta_{name}_deviation"] == pytest.approx(deltas.std(), rel=1e-3, abs=1e-3)
    slope = np.polyfit(np.arange(first, last + 1) * HOP / RATE, ours["mel_20"][clip], 1)[0]
    assert vector["clip_mel_20_slope"] == pytest.approx(slope, rel=1e-3, abs=1e-3)
    assert vector["voiced_pitch_percentile_50"] == pytest.approx(np.median(pitches[voiced, 0]), rel=1e-3)
    assert vector["log_seconds"] == pytest.approx(np.log((last + 1 - first) * HOP / RATE), rel=1e-4)
    assert vector["voiced_share"] == pytest.approx(voiced.sum() / (last + 1 - first), rel=1e-4)
    assert vector["pause_share"] == pytest.approx(1 - sounding.sum() / (last + 1 - first), rel=1e-3)


def test_the_pitch_of_a_voice():
    vector = vector_of(speechlike())
    assert 12 * np.log2(100 / 27.5) < vector["voiced_pitch_percentile_1"] < 12 * np.log2(120 / 27.5)
    assert 12 * np.log2(160 / 27.5) < vector["voiced_pitch_percentile_99"] < 12 * np.log2(180 / 27.5)


def test_silence_at_both_ends_changes_nothing():
    quiet = np.random.default_rng(5).normal(0, 1e-5, (2, 40 * HOP)).astype("float32")
    samples = speechlike()[: 149 * HOP]
    short = np.concatenate([quiet[0, -12 * HOP :], samples, quiet[1, : 12 * HOP]])
    long = np.concatenate([quiet[0], samples, quiet[1]])
    inner, padded = (np.array(list(vector_of(clip).values())) for clip in (short, long))
    np.testing.assert_allclose(padded, inner, rtol=1e-4, atol=1e-3)


def test_a_voice_from_the_first_frame_starts_once():
    voice = np.roll(speechlike(), -RATE // 12)[:RATE]  # from the loudest of a syllable on
    at_once, later = (vector_of(clip) for clip in (voice, np.pad(voice, (RATE // 2, 0))))
    starts, expected = (v["voiced_starts"] * np.exp(v["log_seconds"]) for v in (at_once, later))
    assert starts == pytest.approx(expected, rel=1e-4) and starts > 1.5


def test_padding_changes_nothing():
    layer, samples = Functionals(), speechlike(0.8)
    padded = np.full((2, 3 * RATE), 7.0, "float32")
    padded[0, : len(samples)] = samples
    alone = keras.ops.convert_to_numpy(layer(samples[None]))[0]
    together = keras.ops.convert_to_numpy(layer(padded, np.array([len(samples), 2 * RATE], "int32")))[0]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("samples", [np.zeros(1, "float32"), np.zeros(8000, "float32"), speechlike(0.1)])
def test_short_and_silent_clips_are_finite(samples):
    vector = np.array(list(vector_of(samples).values()))
    assert np.isfinite(vector).all() and np.abs(vector).max() < 1e4


def test_every_stretch_has_every_functional():
    names = Functionals().feature_names
    assert len(names) == len(set(names))
    for functional in functionals.NAMES:
        for stretch in ("clip", "voiced", "first_third", "second_third", "last_third"):
            assert f"{stretch}_mfcc_0_{functional}" in names
        assert f"voiced_harmonics_to_noise_{functional}" in names and f"clip_delta_flux_{functional}" in names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop_length": 0}, "hop_length must be a whole number above 0"),
        ({"n_mfcc": 50}, "n_mfcc must be at most n_mels"),
        ({"fmax": 9000}, "fmax must lie between 0 and 8000 Hz, got 9000"),
        ({"silence_db": 0}, "silence_db must be above 0, got 0"),
        ({"voicing": 1.0}, "voicing must lie between 0 and 1, got 1.0"),
        ({"lowest_pitch": 700.0}, "must rise between 0 and 4000 Hz, got 700.0 and 600.0"),
        ({"lowest_pitch": 40.0}, "win_length must hold three periods of 40 Hz, 1200 samples, got 1024"),
        ({"n_fft": 1024}, "n_fft must hold the window and a period of 60 Hz, 1293 samples, got 1024"),
        ({"sample_rate": 8000, "fmax": 3600}, "sample_rate must be above 12800 Hz"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(SertfError, match=message):
        Functionals(**options)
