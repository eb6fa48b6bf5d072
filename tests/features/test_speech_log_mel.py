"""SpeechLogMel against librosa's melspectrogram, and what it cuts off."""

import keras
import librosa
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.extraction.clip import Compiled, pad_clip
from sertf.features import SpeechLogMel


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype("float32")


def by_librosa(samples):
    bands = {"n_mels": 64, "fmin": 50, "fmax": 8000}
    mel = librosa.feature.melspectrogram(
        y=samples, sr=16000, n_fft=512, win_length=400, hop_length=200, pad_mode="constant", **bands
    )
    return librosa.power_to_db(mel).T  # (frames, 64)


def features_of(samples, **options):
    return keras.ops.convert_to_numpy(SpeechLogMel(**options)(samples[None]))[0]


@pytest.mark.parametrize("samples", [1, 3000, 16000, 40001])
def test_as_librosa_without_trimming(samples):
    signal = noise(samples)
    features = features_of(signal, trim_db=None)
    assert features.shape == (1 + samples // 200, 64)
    np.testing.assert_allclose(features, by_librosa(signal), rtol=1e-4, atol=80e-4)


def test_quiet_ends_are_cut_off():
    """Frames 50 to 110 reach into the speech between ends 60 dB under it: they and 4 each side stay, as librosa has them."""
    signal = noise(40000) * 1e-3
    signal[10000:22000] *= 1000
    features = features_of(signal)
    (own,) = np.nonzero(features.any(axis=1))
    whole = by_librosa(signal)
    assert own.tolist() == list(range(69))
    np.testing.assert_allclose(features[:69], whole[46:115], rtol=1e-4, atol=80e-4)


def test_ends_just_above_the_threshold_stay():
    signal = noise(40000) * 0.05  # 26 dB under the speech
    signal[10000:22000] *= 20
    assert features_of(signal).any(axis=1).all()
    assert features_of(signal, trim_db=15.0).any(axis=1).sum() < 75


def test_extracted_frames_are_those_of_the_speech():
    signal = noise(40000) * 1e-3
    signal[10000:22000] *= 1000
    front_end = SpeechLogMel()
    padded = Compiled(front_end)(*pad_clip(signal, 16000))[0]
    own = front_end.own_frames(padded, len(signal))
    assert len(own) == 69 and own.any(axis=1).all()
    np.testing.assert_allclose(own, features_of(signal)[:69], rtol=1e-5, atol=2e-4)


def test_silence_has_all_its_frames():
    assert SpeechLogMel().own_frames(features_of(np.zeros(8000, "float32")), 8000).shape == (41, 64)
    assert np.isfinite(features_of(np.zeros(8000, "float32"), level_db=-26.0)).all()


def test_gain_changes_nothing_at_one_level():
    signal = noise(30000)
    signal[12000:] *= 0.01
    loud, quiet = (features_of(gain * signal, level_db=-26.0) for gain in (1.0, 0.02))
    np.testing.assert_allclose(loud, quiet, rtol=1e-4, atol=1e-2)
    assert abs(features_of(signal) - features_of(0.02 * signal)).max() > 30


def test_the_level_is_that_of_the_speech():
    """Noise of -20 dB within the bands, and silence that does not count: brought to -26 dB it loses 6 dB."""
    signal = noise(30000)
    signal[15000:] = 0
    difference = (features_of(signal) - features_of(signal, level_db=-26.0))[5:60]
    np.testing.assert_allclose(difference, 6.0, atol=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"win_length": 600}, "win_length must be at most n_fft"),
        ({"fmax": 9000.0}, "fmin and fmax must rise"),
        ({"fmin": 8000.0}, "fmin and fmax must rise"),
        ({"trim_db": 0}, "trim_db must be above 0, or None, got 0"),
        ({"level_db": float("nan")}, "level_db"),
        ({"n_mels": 0}, "n_mels must be a whole number above 0"),
        ({"top_db": -1}, "top_db must be above 0"),
    ],
)
def test_parameters_out_of_range(arguments, message):
    with pytest.raises(SertfError, match=f"SpeechLogMel: .*{message}"):
        SpeechLogMel(**arguments)
