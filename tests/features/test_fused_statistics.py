"""FusedStatistics against a loop of librosa calls, and its pooling against a literal loop."""

import functools
import importlib
import os
from pathlib import Path

import keras
import librosa
import numpy as np
import pandas as pd
import pytest

from sertf.audio.files import read_audio, resample
from sertf.errors import SertfError
from sertf.features import FusedStatistics

RATE = 16000


def by_librosa(samples, rate=RATE):
    """(frames, 107) by a user's loop of librosa calls."""
    mfcc = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=26)
    chroma = librosa.feature.chroma_stft(y=samples, sr=rate, tuning=0)
    described = [
        mfcc,
        librosa.feature.delta(mfcc),
        librosa.feature.delta(mfcc, order=2),
        chroma,
        librosa.feature.spectral_contrast(y=samples, sr=rate),
        librosa.feature.tonnetz(chroma=chroma),
        librosa.feature.zero_crossing_rate(samples),
        librosa.feature.spectral_centroid(y=samples, sr=rate),
        librosa.feature.spectral_rolloff(y=samples, sr=rate),
        librosa.feature.spectral_bandwidth(y=samples, sr=rate),
    ]
    return np.concatenate(described).T


def frames_of(samples, rate=RATE, **options):
    """(frames, 107) by the layer, before pooling."""
    layer = FusedStatistics(rate, **options)
    layer.build((None, None))
    batch, lengths = samples[None].astype("float32"), np.array([len(samples)], "int32")
    counts = keras.ops.convert_to_tensor(np.array([1 + len(samples) // 512], "int32"))
    return np.asarray(layer._describe(keras.ops.convert_to_tensor(batch), lengths, counts))[0]


def noisy_speech(seconds=1.2, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 1.3 * time)
    voiced = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / RATE) / k for k in range(1, 30))
    return (0.1 * voiced * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)) + rng.normal(0, 0.003, len(time))).astype(
        "float32"
    )


def assert_like_librosa(samples, rate=RATE):
    expected, ours = by_librosa(samples, rate), frames_of(samples, rate)
    assert ours.shape == expected.shape
    spread = np.abs(expected).max(axis=0)
    names = FusedStatistics(rate).feature_names
    for k, name in enumerate(names):
        # A frame's roll-off may fall into the next bin where the cumulated sum meets the threshold to the last digit.
        allowed = 1e-3 * spread[k] + (1.01 * rate / 2048 if name == "roll_off" else 1e-6)
        assert np.abs(ours[:, k] - expected[:, k]).max() <= allowed, name
    pooled = np.asarray(FusedStatistics(rate)(samples[None]))[0, 0]
    table = pd.DataFrame([pooled, expected.mean(axis=0)], columns=names, index=["ours", "librosa"])
    assert np.all((table.loc["ours"] - table.loc["librosa"]).abs() <= 1e-3 * table.loc["librosa"].abs() + 1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_every_descriptor_is_librosas(seed):
    assert_like_librosa(noisy_speech(seed=seed))


@pytest.mark.skipif("SERTF_DATA" not in os.environ, reason="needs real speech in SERTF_DATA")
@pytest.mark.parametrize("corpus", ["emodb", "ravdess"])
def test_every_descriptor_is_librosas_on_real_speech(corpus):
    paths = sorted(p for p in Path(os.environ["SERTF_DATA"], corpus).rglob("*") if p.suffix in (".wav", ".flac"))
    for path in paths[:: len(paths) // 4][:4]:
        samples, _ = read_audio(path, sample_rate=RATE)
        assert_like_librosa(samples)


def test_other_options_are_librosas(monkeypatch):
    """librosa's descriptors take no `top_db` themselves; their decibels do."""
    spectral = importlib.import_module("librosa.feature.spectral")
    monkeypatch.setattr(spectral, "power_to_db", functools.partial(spectral.power_to_db, top_db=15.0))
    samples = noisy_speech()
    ours = frames_of(samples, top_db=15.0, n_mels=64, roll_share=0.5)
    expected = {
        "mfcc_": librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=26, n_mels=64),
        "contrast_": librosa.feature.spectral_contrast(y=samples, sr=RATE),
        "roll_off": librosa.feature.spectral_rolloff(y=samples, sr=RATE, roll_percent=0.5),
    }
    for start, values in expected.items():
        columns = [k for k, name in enumerate(FusedStatistics().feature_names) if name.startswith(start)]
        assert len(columns) == len(values)
        off = RATE / 2048 * 1.01 if start == "roll_off" else 1e-3 * np.abs(values).max()
        assert np.abs(ours[:, columns] - values.T).max() <= off, start


def test_silence_in_front_and_behind_follows_librosa():
    quiet = np.zeros(RATE // 4, "float32")
    samples = np.concatenate([quiet, noisy_speech(0.6), quiet])
    expected, ours = by_librosa(samples), frames_of(samples)
    assert np.isfinite(ours).all()
    for name in ("zero_crossing_rate", "centroid", "roll_off", "bandwidth"):
        k = FusedStatistics().feature_names.index(name)
        np.testing.assert_allclose(ours[:3, k], expected[:3, k], atol=1e-6)


@pytest.mark.parametrize("segments", [1, 5, 64])
def test_segments_are_means_over_shares_of_the_frames(segments):
    samples = noisy_speech(0.8)
    frames = frames_of(samples).astype("float64")
    expected = np.zeros((segments, 107))
    for s in range(segments):
        start, end = s * len(frames) / segments, (s + 1) * len(frames) / segments
        for t, frame in enumerate(frames):
            overlap = max(0.0, min(end, t + 1) - max(start, t))
            expected[s] += overlap / (end - start) * frame
    ours = np.asarray(FusedStatistics(segments=segments)(samples[None]))[0]
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("segments", [1, 64])
def test_padding_changes_nothing(segments):
    layer, samples = FusedStatistics(segments=segments), noisy_speech(0.7)
    padded = np.full((2, 3 * RATE), 7.0, "float32")
    padded[0, : len(samples)] = samples
    alone = np.asarray(layer(samples[None]))[0]
    together = np.asarray(layer(padded, np.array([len(samples), 2 * RATE], "int32")))[0]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)


def test_a_loud_end_raises_no_floor_from_beyond_the_own_frames():
    """The first frame of the padding still holds the last samples, louder than any own frame does."""
    samples = 0.01 * noisy_speech(2.0)[: 30 * 512 + 511]
    samples[-60:] = 0.9
    layer = FusedStatistics(top_db=30.0)
    padded = np.pad(samples, (0, RATE))[None]
    alone = np.asarray(layer(samples[None]))[0]
    together = np.asarray(layer(padded, np.array([len(samples)], "int32")))[0]
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)
    power = np.abs(librosa.stft(padded[0])) ** 2
    own = 1 + len(samples) // 512
    assert power[:, own:].max() > 1.5 * power[:, :own].max()


def test_a_tenth_of_a_second_is_padded_to_nine_frames():
    samples = noisy_speech(0.1)
    padded = np.pad(samples, (0, 8 * 512 - len(samples)))
    short, long = (np.asarray(FusedStatistics()(x[None]))[0, 0] for x in (samples, padded))
    np.testing.assert_allclose(short, long, rtol=1e-4, atol=1e-4)
    assert np.isfinite(short).all()


def test_every_column_has_a_name_of_its_own():
    names = FusedStatistics().feature_names
    assert len(names) == len(set(names)) == 107
    assert names[0] == "mfcc_0" and names[78] == "chroma_0" and names[-1] == "bandwidth"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segments": 0}, "segments must be a whole number above 0"),
        ({"n_mels": 20}, "n_mels must be 26 or more, got 20"),
        ({"roll_share": "most"}, "roll_share must lie between 0 and 1, got 'most'"),
        ({"roll_share": 1.0}, "roll_share must lie between 0 and 1"),
        ({"fmax": 9000}, "fmax must lie between 0 and 8000 Hz, got 9000"),
        ({"fmax": "7200"}, "fmax must lie between 0 and 8000 Hz, got '7200'"),
        ({"fmax": 5000}, "fmax must be above 6400 Hz, where its last band begins, but the spectrum ends at 5000 Hz"),
        ({"sample_rate": 8000}, "sample_rate must be above 12800 Hz"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(SertfError, match=message):
        FusedStatistics(**options)


def test_a_spectrum_that_ends_early_is_librosas_of_the_cut_spectrum():
    samples = noisy_speech()
    ours = np.asarray(FusedStatistics(fmax=7200)(samples[None]))[0, 0]
    power = np.abs(librosa.stft(samples)) ** 2
    frequencies = librosa.fft_frequencies(sr=RATE)
    kept = frequencies <= 7200
    magnitude, frequencies = np.sqrt(power[kept]), frequencies[kept]
    mel = librosa.feature.melspectrogram(S=power, sr=RATE, fmax=7200)
    expected = {
        "mfcc_5": librosa.feature.mfcc(S=librosa.power_to_db(mel))[5],
        "centroid": librosa.feature.spectral_centroid(S=magnitude, freq=frequencies),
        "roll_off": librosa.feature.spectral_rolloff(S=magnitude, freq=frequencies),
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, freq=frequencies),
    }
    contrast = librosa.feature.spectral_contrast(S=magnitude, freq=frequencies, sr=RATE)
    expected |= {f"contrast_{band}": contrast[band] for band in range(7)}
    names = FusedStatistics().feature_names
    for name, values in expected.items():
        assert ours[names.index(name)] == pytest.approx(values.mean(), rel=1e-3), name


def test_a_spectrum_that_ends_early_outlives_resampling():
    """White noise recorded at 16 kHz, and the same on its way through 44.1 kHz, whose filters take the top away."""
    recorded = np.random.default_rng(0).normal(0, 0.1, RATE).astype("float32")
    resampled = resample(resample(recorded, RATE, 44100), 44100, RATE)[: len(recorded)]
    contrast = FusedStatistics().feature_names.index("contrast_6")

    def moved(**options):
        layer = FusedStatistics(**options)
        values = [np.asarray(layer(samples[None]))[0, 0, contrast] for samples in (recorded, resampled)]
        return abs(values[0] - values[1])

    assert moved(fmax=7200) < 0.05 < 5 < moved()
