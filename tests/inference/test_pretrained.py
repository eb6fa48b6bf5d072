import shutil

import keras
import numpy as np
import pytest

import sertf
from sertf.evaluation.calibration import probabilities
from sertf.inference import bundled
from sertf.inference.card import ModelError, read_card
from sertf.inference.card_page import write_card
from sertf.inference.pretrained import pretrained

if keras.backend.backend() != "tensorflow":
    pytest.skip("the comparison loads SavedModels", allow_module_level=True)


@pytest.mark.parametrize("name", bundled.names())
def test_scores_a_clip_as_the_bundled_model(name, monkeypatch):
    monkeypatch.setenv("SERTF_WHISPER", "/nowhere")  # the encoder's weights come from the model
    base, model = sertf.pretrained(name), sertf.load(name)
    rate = base.front_end.sample_rate
    noise = np.random.default_rng(0).normal(scale=0.1, size=(1, 2 * rate))
    clip = (noise * np.linspace(0, 1, 2 * rate)).astype("float32")  # the SavedModel does not score steady noise
    scores = np.asarray(base.network(base.scaling(np.asarray(base.front_end(clip)))))
    if "calibration" in base.card:
        scores = probabilities(scores, base.card["calibration"]["temperature"])
    expected = model.model.signatures["waveform"](waveform=clip, sample_rate=rate)["scores"].numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert list(base.emotions) == model.emotions


def test_an_export_of_ones_own_has_the_weights_of_its_run(exported, done):
    found = pretrained(exported)
    trained = keras.saving.load_model(done[1] / "repeat-01" / "fold-2" / "weights.keras", compile=False)
    for ours, theirs in zip(found.network.trainable_weights, trained.trainable_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with np.load(done[1] / "repeat-01" / "fold-2" / "scaling.npz") as scaling:
        np.testing.assert_array_equal(found.scaling.mean, scaling["mean"])
        np.testing.assert_array_equal(found.scaling.std, scaling["std"])


@pytest.mark.parametrize("name", bundled.names())
def test_layers_before_the_last_are_passed_on(name):
    base = pretrained(name)
    network = base.network_for(3)
    # Beside the new head of a linear model there is no temperature.
    pairs = list(zip(base.network.layers, network.layers, strict=base.card["model"]["name"] != "ridge"))
    trained = [(old, new) for old, new in pairs if new.weights]
    per_emotion = [old.name for old, _ in trained if old.name == "routing"]  # class capsules
    for old, new in trained[:-1]:
        if old.name in per_emotion:
            continue
        for one, other in zip(old.get_weights(), new.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert network.output_shape == (None, 3)
    kernel = network.trainable_weights[-2]
    before = kernel.numpy().copy()
    network.compile("sgd", "sparse_categorical_crossentropy")
    shape = [size or 20 for size in base.front_end.feature_shape]
    network.fit(np.random.default_rng(0).normal(size=(4, *shape)), np.array([0, 1, 2, 0]), verbose=0)
    assert not np.array_equal(before, kernel.numpy())


def test_weights_of_another_version_are_noticed(tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(bundled.ROOT / "reslstm_sa_h64_ravdess", folder)
    card = read_card(folder)
    card["calibration"]["temperature"] *= 2
    write_card(folder, card)
    with pytest.raises(ModelError, match="scores otherwise"):
        pretrained(folder)
    card["model"]["options"] = {"units": 32}
    write_card(folder, card)
    with pytest.raises(ModelError, match="cannot become a Keras model"):
        pretrained(folder)


def test_custom_code_is_named(tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(bundled.ROOT / "reslstm_sa_h64_ravdess", folder)
    card = read_card(folder)
    card["model"]["name"] = "my_models:build"
    write_card(folder, card)
    with pytest.raises(ModelError, match="my_models:build"):
        pretrained(folder)
