import keras
import numpy as np
import pytest

from sertf.audio.files import read_audio, resample

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def rising_noise(seconds, rate=16_000):
    """Noise (samples,) whose level rises, so that it is not steady."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=seconds * rate)
    return (noise * np.linspace(0, 1, len(noise))).astype("float32")


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """The graph of a dense layer on samples at 16 kHz, as an export has it."""
    from sertf.export.graph import ServingModule
    from sertf.features import Waveform

    front_end = Waveform(16_000, samples=16_000)
    inputs = keras.Input(front_end.feature_shape)
    network = keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(inputs)))
    labels = tmp_path_factory.mktemp("graph") / "labels.txt"
    labels.write_text("a\nb\nc\nd\n")
    return ServingModule(network, front_end, mean=0.0, std=0.1, emotions="abcd", labels=labels, minimum_seconds=0.1)


def test_padded_rows_score_as_alone(recognizer, corpus):
    clips = [read_audio(path)[0] for path in corpus["path"].iloc[:3]]
    padded = np.zeros((3, max(map(len, clips))), np.float32)
    for row, samples in zip(padded, clips):
        row[: len(samples)] = samples
    signature = recognizer.model.signatures["waveform_with_lengths"]
    lengths = np.array([len(samples) for samples in clips], np.int32)
    together = signature(waveform=padded, lengths=lengths, sample_rate=16_000)["scores"]
    for row, samples in zip(together, clips):
        alone = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=16_000)["scores"][0]
        np.testing.assert_allclose(row, alone, atol=1e-5)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_what_stands_behind_a_rows_samples_does_not_count(recognizer, clip, rate):
    signature = recognizer.model.signatures["waveform_with_lengths"]
    samples = resample(*clip, rate) if rate != clip[1] else clip[0]
    scores = []
    for filler in (0.0, 0.9):
        padded = np.full((1, len(samples) + rate // 2), filler, np.float32)
        padded[0, : len(samples)] = samples
        found = signature(waveform=padded, lengths=np.array([len(samples)], np.int32), sample_rate=rate)
        scores.append(found["scores"][0])
    np.testing.assert_array_equal(*scores)


def test_from_a_tenth_of_a_second_on(recognizer):
    noise = np.random.default_rng(0).normal(size=(2, 1600)).astype("float32")
    scores = recognizer.model.signatures["waveform"](waveform=noise, sample_rate=16_000)["scores"].numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("waveform", "rate", "message"),
    [
        (np.zeros((1, 0), "float32"), 16_000, "The waveform is empty"),
        (np.ones((1, 1500), "float32"), 16_000, "too short: 1500 samples at 16000 Hz"),
        (np.ones((1, 1600), "float32"), 0, "sample_rate must lie between"),
        (np.full((1, 1600), np.nan, "float32"), 16_000, "NaN or infinite"),
        (np.full((1, 1600), 18_520, "float32"), 16_000, "must have full scale at 1, but its largest sample is 18520"),
        (np.full((1, 1600), -1e30, "float32"), 16_000, "must have full scale at 1"),
    ],
)
def test_bad_waveforms_are_refused_in_the_graph(recognizer, waveform, rate, message):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        recognizer.model.signatures["waveform"](waveform=waveform, sample_rate=rate)


def test_pretrained_front_end_is_in_the_saved_model(whisper_weights, tmp_path):
    import tensorflow as tf

    from sertf.export.graph import ServingModule
    from sertf.features import Whisper

    front_end = Whisper()
    inputs = keras.Input(front_end.feature_shape)
    network = keras.Model(inputs, keras.layers.Dense(6, activation="softmax")(keras.layers.Flatten()(inputs)))
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\ne\nf\n")
    module = ServingModule(network, front_end, mean=0.0, std=3.0, emotions="abcdef", labels=labels, minimum_seconds=0.1)
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.signatures())
    size = sum(path.stat().st_size for path in (tmp_path / "saved").rglob("*") if path.is_file())
    assert size < 16e6  # the encoder's weights in float16
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    for seconds in (1, 4, 10):
        clip = rising_noise(seconds)[None]
        expected = network(front_end(clip) / 3.0)
        np.testing.assert_allclose(saved.waveform(clip, 16_000)["scores"], expected, atol=1e-3)


def test_digital_silence_has_equal_scores(recognizer, clip):
    """Also a constant offset, and silence in front of padding; a row of speech beside it keeps its scores."""
    samples, rate = clip
    rows = np.stack([samples, np.zeros_like(samples), np.full_like(samples, 0.25)])
    scores = recognizer.model.signatures["waveform"](waveform=rows, sample_rate=rate)["scores"].numpy()
    np.testing.assert_allclose(scores[1:], 1 / len(recognizer.emotions))
    alone = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)["scores"][0]
    np.testing.assert_allclose(scores[0], alone, atol=1e-5)
    padded = np.zeros((1, 2 * len(samples)), np.float32)
    padded[0, len(samples) :] = 0.9
    found = recognizer.model.signatures["waveform_with_lengths"](
        waveform=padded, lengths=np.array([len(samples)], np.int32), sample_rate=rate
    )
    np.testing.assert_allclose(found["scores"][0], 1 / len(recognizer.emotions))


def test_steady_sound_has_equal_scores(module):
    """Noise, hum and a tone, as outside the graph; rising noise in the same batch keeps its scores."""
    rate, time = 16_000, np.arange(32_000) / 16_000
    noise = np.random.default_rng(0).normal(scale=0.1, size=len(time))
    hum = 0.2 * sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3)) + 0.01 * noise
    speech = rising_noise(2)
    rows = np.stack([noise, hum, 0.3 * np.sin(2 * np.pi * 440 * time), speech]).astype("float32")
    scores = module.waveform(rows, rate)["scores"].numpy()
    np.testing.assert_allclose(scores[:3], 1 / 4)
    assert np.ptp(scores[3]) > 0.1
    np.testing.assert_allclose(module.serving_default(rows[3:])["scores"][0], scores[3], atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100])
def test_rows_are_steady_in_the_graph_where_they_are_outside(rate):
    """Of several lengths, padded with loud samples; the levels change more and more."""
    from sertf.audio.steadiness import is_steady
    from sertf.export import graph

    generator = np.random.default_rng(rate)
    rows = []
    for depth in np.linspace(0, 1, 24):
        samples = generator.normal(scale=0.1, size=generator.integers(rate // 2, 3 * rate))
        samples *= 1 - depth + depth * np.sin(np.arange(len(samples)) / rate * 2 * np.pi) ** 2
        rows.append(samples.astype("float32"))
    padded = np.full((len(rows), max(map(len, rows)) + 999), 0.9, np.float32)
    for row, samples in zip(padded, rows):
        row[: len(samples)] = samples
    found = graph.is_steady(padded, np.array([len(samples) for samples in rows], np.int32), rate)
    expected = [is_steady(samples, rate) for samples in rows]
    assert found.numpy().tolist() == expected and 0 < sum(expected) < len(rows)
