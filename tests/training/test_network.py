import keras
import numpy as np
import pytest

from sertf.models import MODELS
from sertf.training.fit import RunError
from sertf.training.network import build_network, in_float32
from sertf.training.recipe import Recipe

STEPS = (20, 6)
SMALL = {
    "reslstm_sa": ((None, 6), {"units": 8}),
    "lstm_sa": ((None, 6), {"units": 8}),
    "speechnet": ((20, 6), {"refinement_filters": 8}),
    "cnn_transformer": ((128, 128), {"size": "small"}),
    "wavelet_cnn_lstm": ((64, 96), {"colours": 3, "pooled_blocks": 3, "filters": 8}),
    "serct": ((16_000, 1), {"size": "narrow"}),
    "whisper_blocks": ((None, 384), {"last": 2}),
    "waveform_mlp": ((800, 1), {}),
    "waveform_lstm": ((800, 1), {}),
    "waveform_cnn": ((800, 1), {"size": "narrow"}),
    "waveform_cnn_bilstm": ((800, 1), {"size": "narrow"}),
}
HALF = Recipe(precision="bfloat16")


@pytest.mark.parametrize("name", MODELS)
def test_half_precision_trains_scores_and_weights_in_float32(name):
    """And the same network computes in float32 what one that was built so does from its weights."""
    shape, options = SMALL.get(name, (STEPS, {}))
    half = build_network(MODELS[name], options, HALF, shape, 3)
    assert keras.config.dtype_policy().name == "float32"
    assert "bfloat16" in {layer.compute_dtype for layer in half.layers}
    assert {weight.dtype for weight in half.weights if "int" not in weight.dtype} == {"float32"}
    x = np.random.default_rng(0).normal(size=(2, *(50 if n is None else n for n in shape))).astype("float32")
    half.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", jit_compile=False)
    assert np.isfinite(half.train_on_batch(x, np.array([0, 2])))
    scores = np.asarray(half(x))
    assert scores.dtype == np.float32
    whole = build_network(MODELS[name], options, Recipe(), shape, 3)
    whole.set_weights(half.get_weights())
    expected = np.asarray(whole(x))
    assert np.abs(scores - expected).max() < 0.05
    restored = in_float32(keras.models.clone_model(half))
    restored.set_weights(half.get_weights())
    np.testing.assert_allclose(np.asarray(restored(x)), expected, atol=1e-6)


def test_the_recipes_dropout_goes_over_the_options():
    model = build_network(MODELS["lstm"], {"dropout": 0.1}, Recipe(dropout=0.4), STEPS, 3)
    assert model.get_layer("embedding_dropout").rate == 0.4
    assert (
        build_network(MODELS["lstm"], {"dropout": 0.1}, Recipe(), STEPS, 3).get_layer("embedding_dropout").rate == 0.1
    )


@pytest.mark.parametrize("batch_size", [1, 2])
def test_no_batch_under_a_batch_norm_can_be_of_one_utterance(batch_size):
    build_network(MODELS["lstm"], {}, Recipe(batch_size=batch_size), STEPS, 3)
    with pytest.raises(RunError, match=f"unet has a batch norm .* but the recipe has {batch_size}.* Use a larger"):
        build_network(MODELS["unet"], {}, Recipe(batch_size=batch_size), STEPS, 3)
    build_network(MODELS["unet"], {}, Recipe(batch_size=3), STEPS, 3)
