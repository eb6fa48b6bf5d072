import keras
import numpy as np
import pytest

from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.training.batches import predict
from sertf.training.network import build_network
from sertf.training.recipe import Recipe
from sertf.training.representations import representations
from sertf.training.scaling import Part
from tests.training.test_fit import fit, make_part


def test_what_is_kept_of_attention():
    fitted = fit()
    part = make_part(10, seed=2)
    arrays = representations(fitted.model, part, predict, FEATURES["mfcc_chroma"](n_mfcc=2, n_chroma=1))
    assert arrays["embeddings"].shape == (10, 4) and arrays["means"].shape == (10, 3)
    assert arrays["clip_attention"].sum() == pytest.approx(1, rel=1e-5)
    assert arrays["utterances"].tolist() == list(part.utterances)
    assert list(zip(arrays["dimension_labels"], arrays["dimension_sizes"])) == [
        ("MFCC 1 to 2", 2),
        ("chroma 1 to 1", 1),
    ]
    assert arrays["clip_step_seconds"] == pytest.approx(2048 / 48000)


@pytest.mark.parametrize("layers", [1, 2])
def test_what_is_kept_of_deformable_attention(layers):
    """Both ends of every window of the first clip, as the layers give them, and what each step gets of the attention."""
    options = {"convolutions": ((4, 6, 3), (6, 2, 2)), "width": 8, "feed_forward": 6, "layers": layers, "heads": 2}
    model = MODELS["serct"]((60, 1), 3, **options)
    clips = [np.random.default_rng(seed).normal(size=(60, 1)).astype("float32") for seed in range(3)]
    arrays = representations(model, Part(("a", "b", "c"), clips, np.arange(3)), predict, FEATURES["waveform"](16000))
    assert len(arrays["clip_windows"]) == len(arrays["clip_received"]) == layers
    for i in range(layers):
        inside = keras.Model(model.input, model.get_layer(f"attention_{i + 1}").output)
        _, weights, windows = inside(clips[0][None])
        np.testing.assert_allclose(arrays["clip_windows"][i], np.asarray(windows)[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(arrays["clip_received"][i].sum(axis=-1), 1, rtol=1e-5)
        np.testing.assert_allclose(arrays["clip_received"][i], np.asarray(weights)[0].mean(axis=1), rtol=1e-4)
    assert str(arrays["clip_utterance"]) == "a" and "clip_attention" not in arrays
    np.testing.assert_array_equal(arrays["clip_features"], clips[0])
    vanilla = MODELS["serct"]((60, 1), 3, **options, attention="vanilla")
    arrays = representations(vanilla, Part(("a", "b", "c"), clips, np.arange(3)), predict, FEATURES["waveform"](16000))
    assert set(arrays) == {"utterances", "labels", "embeddings", "means"}


@pytest.mark.parametrize(
    ("model", "shape", "options"),
    [
        ("attentive_cnn", (None, 16), {"width": 2, "attention_units": 4}),
        ("serct", (60, 1), {"convolutions": ((4, 6, 3), (6, 2, 2)), "width": 8, "feed_forward": 6, "heads": 2}),
    ],
)
def test_what_is_kept_of_a_network_in_half_precision_can_be_stored(tmp_path, model, shape, options):
    network = build_network(MODELS[model], options, Recipe(precision="bfloat16"), shape, 3)
    clips = [np.random.default_rng(seed).normal(size=(60, shape[1])).astype("float32") for seed in range(3)]
    arrays = representations(network, Part(("a", "b", "c"), clips, np.arange(3)), predict, FEATURES["waveform"](16000))
    np.savez(tmp_path / "kept.npz", **arrays)
    with np.load(tmp_path / "kept.npz") as kept:
        assert {"clip_states", "clip_windows"} & set(kept.files)
        for name in kept.files:
            assert kept[name].dtype.kind in "fiU", name
