"""Scalogram against pywt.cwt on a window that is scaled, centred and pooled step by step."""

import os
from pathlib import Path

import keras
import matplotlib
import numpy as np
import pytest
import pywt

from sertf.audio.augmentation import RandomCut
from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.extraction.clip import front_end_digest, front_end_key
from sertf.features import Scalogram
from sertf.layers.wavelets import FACTORS

RATE = 16000
SMALL = {"duration_seconds": 1.0, "n_scales": 12, "n_bins": 40, "fmin": 80.0}


def by_pywt(samples, front_end):
    """What a user would write, in double precision."""
    samples = samples.astype("float64")
    samples = samples / np.sqrt(np.mean(np.trim_zeros(samples) ** 2))
    length = front_end.duration_samples
    missing = length - len(samples)
    if missing >= 0:
        window = np.pad(samples, (missing // 2, missing - missing // 2))
    else:
        window = samples[-missing // 2 :][:length]
    scales = pywt.frequency2scale(front_end.wavelet, front_end.frequencies / front_end.sample_rate, precision=12)
    coefficients, frequencies = pywt.cwt(
        window, scales, front_end.wavelet, 1 / front_end.sample_rate, method="fft", precision=front_end.precision
    )
    np.testing.assert_allclose(frequencies, front_end.frequencies)
    power, width = np.abs(coefficients) ** 2, -(-length // front_end.n_bins)
    starts = [b * length // front_end.n_bins for b in range(front_end.n_bins)]
    power = np.array([power[:, start : start + width].mean(axis=1) for start in starts])  # (bins, scales)
    decibels = 10 * np.log10(np.maximum(power, 1e-10))
    return np.maximum(decibels, decibels.max() - front_end.top_db)


def assert_same(front_end, samples):
    """Pooled power 1e-4 relative down to 60 dB under the maximum, decibels 1e-4 of their range everywhere."""
    ours = keras.ops.convert_to_numpy(front_end(samples[None]))[0]
    reference = by_pywt(samples, front_end)
    assert ours.shape == reference.shape == front_end.feature_shape
    np.testing.assert_allclose(ours, reference, rtol=0, atol=80e-4)
    loud = reference > reference.max() - 60
    np.testing.assert_allclose(10 ** (ours[loud] / 10), 10 ** (reference[loud] / 10), rtol=1e-4)


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype("float32")


def chirp(samples):
    time = np.arange(samples) / RATE
    return (0.5 * np.sin(2 * np.pi * (60 * time + 7800 / 2 * time**2 / time[-1]))).astype("float32")


def clicks(samples):
    signal = np.zeros(samples, "float32")
    signal[[0, samples // 3, samples // 3 + 2, samples - 1]] = 0.9, 1.0, -0.5, 0.2
    return signal


@pytest.mark.parametrize("make", [noise, chirp, clicks])
@pytest.mark.parametrize("samples", [7001, 20002])
def test_noise_chirp_and_clicks(make, samples):
    """Shorter and longer than the window."""
    assert_same(Scalogram(**SMALL), make(samples))


@pytest.mark.parametrize(
    "options",
    [
        {"wavelet": "mexh"},
        {"wavelet": "cmor1.5-1.0"},
        {"wavelet": "cmor12-1.0", "precision": 16},
        {"wavelet": "cgau2"},
        {"wavelet": "shan1.5-1.0", "fmin": 200.0},
        {"precision": 16},
        {"n_bins": 224},
        {"n_bins": 37},
        {"n_bins": 1},
        {"n_scales": 1},
        {"n_scales": 20, "fmax": 3000.0},
        {"sample_rate": 11025, "fmax": 5000.0},
    ],
    ids=str,
)
def test_other_wavelets_and_sizes(options):
    assert_same(Scalogram(**{**SMALL, **options}), noise(9000))


def test_the_papers_factor_lowers_each_octave_by_3_decibels():
    options = {**SMALL, "fmin": 500.0, "n_scales": 5}  # an octave apart
    made = [keras.ops.convert_to_numpy(Scalogram(**options, factor=f)(noise(9000)[None]))[0] for f in FACTORS]
    own = (made[0].min(axis=1) > made[0].max() - 50) & (made[1].min(axis=1) > made[1].max() - 50)
    lower = (made[1] - made[0])[own]
    assert own.sum() > 10
    np.testing.assert_allclose(np.diff(lower, axis=1), 10 * np.log10(2), atol=2e-3)
    np.testing.assert_allclose(lower[:, 0], -10 * np.log10(Scalogram(**options).scales[0]), atol=2e-3)


def test_the_finer_wavelet_parts_what_the_morlet_joins():
    """Two tones a third of an octave apart: how deep the dip between them is."""
    time = np.arange(RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in (1000, 1260)).astype("float32")
    depth = []
    for wavelet in ("morl", "cmor12-1.0"):
        front_end = Scalogram(**{**SMALL, "fmin": 1000.0, "fmax": 1260.0, "n_scales": 9}, wavelet=wavelet, precision=16)
        power = keras.ops.convert_to_numpy(front_end(tones[None]))[0][10:30].mean(axis=0)
        depth.append(min(power[0], power[-1]) - power[4])
    assert depth[0] < 3 < 10 < depth[1]


def test_the_default_factor_leaves_stored_features_valid():
    assert "factor" not in front_end_key(Scalogram())["config"]
    assert front_end_digest(Scalogram(factor="1/a")) != front_end_digest(Scalogram(factor="1/sqrt(a)"))


@pytest.mark.parametrize(
    ("corpus", "clip"), [("emodb", "03a01Fa.*"), ("emodb", "14a05Aa.*"), ("ravdess", "03-01-05-02-01-01-09.*")]
)
def test_real_speech(corpus, clip):
    root = os.environ.get("SERTF_DATA")
    if not root:
        pytest.skip("SERTF_DATA is not set")
    samples, _ = read_audio(next((Path(root) / corpus).rglob(clip)), sample_rate=RATE)
    assert_same(Scalogram(), samples)


def test_level_and_silence_around_do_not_count():
    front_end, samples = Scalogram(**SMALL), noise(7000)
    expected = keras.ops.convert_to_numpy(front_end(samples[None]))
    for other in (0.01 * samples, np.pad(samples, 50), np.pad(samples, 20000)):
        np.testing.assert_allclose(front_end(other[None]), expected, atol=2e-3)


def test_cut_at_random_differs_from_the_centred_by_time_alone():
    front_end, samples = Scalogram(**SMALL), noise(6000)
    rng = np.random.default_rng(1)
    moved = np.array([front_end(RandomCut(16000)(samples, rng)[None])[0] for _ in range(4)])
    centred = keras.ops.convert_to_numpy(front_end(samples[None]))[0]
    own = centred.max(axis=1) > -20
    for image in moved:
        assert abs((image.max(axis=1) > -20).sum() - own.sum()) <= 1
        np.testing.assert_allclose(image[10:30].max(), centred.max(), atol=3)
    assert len({int(np.argmax(image.max(axis=1) > -20)) for image in moved}) > 1


def test_silence_is_the_floor_and_finite():
    batch = np.stack([np.zeros(5000, "float32"), noise(5000)])
    power = keras.ops.convert_to_numpy(Scalogram(**SMALL)(batch))
    np.testing.assert_allclose(power[0], -100, atol=1e-4)
    assert np.isfinite(power[1]).all() and power[1].min() == pytest.approx(power[1].max() - 80, abs=1e-3)
    colours = keras.ops.convert_to_numpy(Scalogram(**SMALL, colour="rgb")(batch))
    np.testing.assert_allclose(colours[0].reshape(-1, 3), np.tile([0, 0, 0.5], (480, 1)), atol=0.01)


@pytest.mark.parametrize("colour_map", ["jet", "viridis"])
def test_colours_of_matplotlib(colour_map):
    samples = chirp(9000)
    power = keras.ops.convert_to_numpy(Scalogram(**SMALL)(samples[None]))[0]
    front_end = Scalogram(**SMALL, colour="rgb", colour_map=colour_map)
    image = keras.ops.convert_to_numpy(front_end(samples[None]))[0].reshape(40, 12, 3)
    drawn = matplotlib.colormaps[colour_map]((power - power.min()) / np.ptp(power))[:, :, :3]
    assert image.min() >= 0 and image.max() <= 1
    np.testing.assert_allclose(image, drawn, atol=0.02)  # a step of the steepest map's 256 colours
    assert front_end.feature_names[:4] == ["scale_0_red", "scale_0_green", "scale_0_blue", "scale_1_red"]


def test_predicts_inside_a_model():
    """Keras compiles models for XLA where all layers allow it; this one must not under TensorFlow."""
    waveform = keras.Input((None,))
    model = keras.Model(waveform, Scalogram(**SMALL)(waveform))
    batch = np.stack([noise(9000), np.zeros(9000, "float32")])
    np.testing.assert_allclose(model.predict(batch, verbose=0), model(batch), atol=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wavelet": "morlett"}, r"wavelet must be a continuous one of PyWavelets .*morl.*, got 'morlett'"),
        ({"wavelet": "haar"}, "wavelet must be a continuous one"),
        ({"wavelet": None}, "wavelet must be a continuous one of .*got None"),
        ({"wavelet": "cmor"}, "wavelet 'cmor' needs parameters in its name, such as 'cmor1.5-1.0'"),
        ({"wavelet": "cmor1.5-0"}, "wavelet must be a continuous one .* parameters above 0"),
        ({"wavelet": "cmor1.5-0.1"}, "wavelet 'cmor1.5-0.1' has no usable centre frequency"),
        ({"fmax": 8001}, "at most half the sample rate, 8000 Hz, got fmin=64 and fmax=8001"),
        ({"fmin": 0}, "fmin and fmax must rise from above 0"),
        ({"fmin": 500, "fmax": 400}, "got fmin=500 and fmax=400"),
        ({"fmin": 1.0}, r"fmin=1 Hz makes the wavelet morl 208\d\d\d samples long, more than the 128000"),
        ({"n_bins": 256, "duration_seconds": 0.01}, "n_bins must be at most the 160 samples of duration_seconds=0.01"),
        ({"n_bins": 0}, "n_bins must be a whole number above 0, got 0"),
        ({"n_scales": 12.0}, "n_scales must be a whole number above 0, got 12.0"),
        ({"precision": 30}, "precision must lie between 8 and 20, got 30"),
        ({"top_db": 0}, "top_db must be above 0, got 0"),
        ({"top_db": "80"}, "top_db must be above 0, got '80'"),
        ({"fmin": None}, "fmin must be a finite number, got None"),
        ({"wavelet": ["morl"]}, "wavelet must be a continuous one of PyWavelets"),
        ({"factor": "a"}, r"factor must be one of 1/sqrt\(a\), 1/a, got 'a'"),
        ({"colour": "gray"}, "colour must be one of power, rgb, got 'gray'"),
        ({"colour": "rgb", "colour_map": "jets"}, "colour_map must be one of matplotlib's, such as jet, got 'jets'"),
    ],
    ids=str,
)
def test_bad_parameters(arguments, message):
    with pytest.raises(SertfError, match=message):
        Scalogram(**arguments)
