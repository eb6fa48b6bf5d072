import json

import keras
import numpy as np
import pytest

from sertf.audio.files import read_audio
from sertf.export import saved_model
from sertf.export.litert import LiteRTError, write_litert
from sertf.features import FEATURES, FrontEnd
from sertf.inference.card import ModelError
from sertf.inference.litert import litert_runner
from sertf.models import MODELS

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def lite(done, tmp_path_factory):
    return saved_model.save(done[1], tmp_path_factory.mktemp("lite") / "toy", repeat=1, fold="fold-2", litert="float32")


def test_scores_as_the_savedmodel_on_clips_of_any_length(lite, recognizer, corpus):
    run = litert_runner(lite / "model.tflite")
    for path in corpus["path"].iloc[:6]:
        samples, rate = read_audio(path)
        ours = run(waveform=samples[None])
        expected = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)
        assert sorted(ours) == ["attention", "embedding", "scores"]
        for name in ours:
            np.testing.assert_allclose(ours[name], expected[name], atol=1e-5)


def test_the_card_says_what_is_in_the_file(lite):
    card = json.loads((lite / "model_card.json").read_text())
    assert card["litert"]["input"] == "waveform" and card["litert"]["difference"] < 1e-5
    assert card["litert"]["weights"] == "float32"
    page = (lite / "README.md").read_text()
    assert "at exactly 16000 Hz. It holds the front end, but does not resample" in page


def saved(folder, network, front_end, scaling):
    import tensorflow as tf

    from sertf.export.graph import ServingModule

    labels = folder / "labels.txt"
    labels.write_text("anger\nfear\n")
    module = ServingModule(
        network, front_end, **scaling, emotions=["anger", "fear"], labels=labels, minimum_seconds=0.1
    )
    tf.saved_model.save(module, str(folder / "model"), signatures=module.signatures())
    return folder / "model"


@pytest.fixture(scope="module")
def cnn(tmp_path_factory):
    """A CNN that reads speech without its quiet ends, untrained, and its SavedModel."""
    keras.utils.set_random_seed(0)
    front_end = FEATURES["speech_log_mel"](sample_rate=16000)
    network = MODELS["attentive_cnn"](front_end.feature_shape, 2, width=12)
    scaling = {"mean": np.float32(-40), "std": np.float32(20)}
    folder = tmp_path_factory.mktemp("cnn")
    return saved(folder, network, front_end, scaling), network, front_end, scaling


@pytest.mark.parametrize(
    ("weights", "difference", "smaller"), [("float32", 1e-5, 1), ("float16", 5e-3, 0.6), ("int8", 0.05, 0.45)]
)
def test_smaller_weights_score_as_the_savedmodel(cnn, weights, difference, smaller):
    import tensorflow as tf

    folder, network, front_end, scaling = cnn
    written = write_litert(folder, network, front_end, **scaling, weights=weights)
    assert written["input"] == "waveform" and written["weights"] == weights
    assert written["difference"] < difference and written["bytes"] < 500_000 * smaller
    run, model = litert_runner(folder / "model.tflite"), tf.saved_model.load(str(folder))
    speech = np.random.default_rng(1).normal(scale=0.1, size=24000) * np.linspace(0.2, 1, 24000)
    clip = np.concatenate([np.zeros(8000), speech, np.zeros(16000)]).astype("float32")[None]
    expected = model.signatures["waveform"](waveform=clip, sample_rate=16000)["scores"]
    np.testing.assert_allclose(run(waveform=clip)["scores"], expected, atol=difference)


def test_a_front_end_in_float64_is_left_out(tmp_path):
    """The fused statistics: what is converted takes their features, and scores as the whole SavedModel."""
    front_end = FEATURES["fused_statistics"](sample_rate=16000)
    network = MODELS["autoencoder"](front_end.feature_shape, 2, units=(8, 4))
    scaling = {"mean": np.float32(0.5), "std": np.float32(100)}
    written = write_litert(saved(tmp_path, network, front_end, scaling), network, front_end, **scaling)
    assert written["input"] == "features" and written["difference"] < 1e-5


def test_a_model_that_scores_differently_is_not_written(tmp_path):
    front_end = FEATURES["waveform"](sample_rate=16000, samples=1600)
    network = MODELS["autoencoder"](front_end.feature_shape, 2, units=(8, 4))
    scaling = {"mean": np.float32(0), "std": np.float32(0.01)}
    folder = saved(tmp_path, network, front_end, scaling)
    other = MODELS["autoencoder"](front_end.feature_shape, 2, units=(8, 4))
    with pytest.raises(LiteRTError, match="The LiteRT scores of .* differ by .* use the SavedModel"):
        write_litert(folder, other, front_end, **scaling)
    assert not (folder / "model.tflite").exists()


def test_float16_takes_half_the_room_and_recurrences_keep_it(tmp_path):
    front_end = FEATURES["log_mel"](sample_rate=16000)
    network = MODELS["gru"](front_end.feature_shape, 2, units=256)
    scaling = {"mean": np.float32(0), "std": np.float32(40)}
    folder = saved(tmp_path, network, front_end, scaling)
    whole = write_litert(folder, network, front_end, **scaling)
    half = write_litert(folder, network, front_end, **scaling, weights="float16")
    assert whole["weights"] == "float32" and half["weights"] == "float16"
    assert half["bytes"] == (folder / "model.tflite").stat().st_size < 0.7 * whole["bytes"]
    assert 0 < half["difference"] < 1e-3
    eight = write_litert(folder, network, front_end, **scaling, weights="int8")  # all but the last layer is recurrent
    assert eight["bytes"] == pytest.approx(half["bytes"], rel=0.02) and eight["difference"] < 1e-3


class Spectrum(FrontEnd):
    """The logarithmic spectrum of the first 400 samples, by a product of matrices as in `whisper`."""

    minimum_samples = 400

    def __init__(self):
        super().__init__(16000)
        self.feature_shape = (1, 201)

    def features(self, waveform, lengths):
        turns = np.outer(np.arange(400), np.arange(201)) / 400 * 2 * np.pi
        transform = np.concatenate([np.cos(turns), np.sin(turns)], axis=1).astype("float32")
        real, imaginary = keras.ops.split(keras.ops.matmul(waveform[:, :400], transform), 2, axis=-1)
        return keras.ops.log10(real**2 + imaginary**2)[:, None]


def test_float16_keeps_the_front_ends_quiet_bands(tmp_path):
    """A tone 80 dB over the noise: a Fourier transform rounded to float16 would bury the noise."""
    front_end = Spectrum()
    network = MODELS["autoencoder"](front_end.feature_shape, 2, units=(8, 4))
    scaling = {"mean": np.float32(0), "std": np.float32(1)}
    folder = saved(tmp_path, network, front_end, scaling)
    noise = np.random.default_rng(0).normal(scale=1e-4, size=400)
    clip = (np.sin(np.arange(400) / 4 * 2 * np.pi) + noise)[None].astype("float32")
    scores = []
    for weights in ("float32", "float16", "int8"):
        write_litert(folder, network, front_end, **scaling, weights=weights)
        scores.append(litert_runner(folder / "model.tflite")(waveform=clip)["scores"])
    np.testing.assert_allclose(scores[1], scores[0], atol=2e-3)
    np.testing.assert_allclose(scores[2], scores[0], atol=0.05)


def test_shared_weights_stand_in_the_savedmodel_alone(tmp_path):
    front_end = FEATURES["waveform"](sample_rate=16000, samples=1600)
    network = MODELS["autoencoder"](front_end.feature_shape, 2, units=(256, 16))
    scaling = {"mean": np.float32(0), "std": np.float32(0.01)}
    folder = saved(tmp_path, network, front_end, scaling)
    whole = write_litert(folder, network, front_end, **scaling)
    shared = write_litert(folder, network, front_end, **scaling, weights="shared")
    assert shared["file"] == "litert.npz" and shared["bytes"] < 0.1 * whole["bytes"]
    clip = np.random.default_rng(0).normal(scale=0.1, size=(1, 1600)).astype("float32")
    scores = [litert_runner(folder / name)(waveform=clip)["scores"] for name in ("model.tflite", "litert.npz")]
    np.testing.assert_array_equal(*scores)


def test_shared_weights_of_another_savedmodel_are_refused(tmp_path):
    front_end = FEATURES["waveform"](sample_rate=16000, samples=1600)
    network = MODELS["autoencoder"](front_end.feature_shape, 2, units=(8, 4))
    scaling = {"mean": np.float32(0), "std": np.float32(0.01)}
    folder = saved(tmp_path, network, front_end, scaling)
    write_litert(folder, network, front_end, **scaling, weights="shared")
    variables = folder / "variables" / "variables.data-00000-of-00001"
    content = bytearray(variables.read_bytes())
    for place in range(0, len(content), 64):
        content[place] ^= 1
    variables.write_bytes(content)
    with pytest.raises(ModelError, match="it does not fit the SavedModel's variables.*export the model again"):
        litert_runner(folder / "litert.npz")
    variables.unlink()
    with pytest.raises(ModelError, match="export the model again with `--litert shared`"):
        litert_runner(folder / "litert.npz")


def test_unknown_weights_are_refused_before_the_work(done, tmp_path):
    with pytest.raises(LiteRTError, match="Unknown LiteRT weights 'float8'"):
        saved_model.save(done[1], tmp_path / "model", litert="float8")
    assert not (tmp_path / "model").exists()
