"""The scores that every model ends in."""

import keras
import numpy as np
import pytest

from sertf.models.output import softmax_scores


@pytest.fixture(params=["float32", "mixed_bfloat16", "mixed_float16"])
def model(request):
    keras.config.set_dtype_policy(request.param)
    try:
        inputs = keras.Input((5,))
        x = keras.layers.Dense(4, name="hidden")(inputs)
        yield keras.Model(inputs, softmax_scores(x, 3, kernel_regularizer=keras.regularizers.L2(0.5)))
    finally:
        keras.config.set_dtype_policy("float32")


def test_scores_are_float32_and_sum_to_one_under_any_policy(model):
    inputs = np.random.default_rng(0).normal(scale=20, size=(6, 5)).astype("float32")
    scores = keras.ops.convert_to_numpy(model(inputs))
    assert model.output.dtype == "float32" and scores.dtype == np.float32
    assert scores.shape == (6, 3) and (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_scores_are_the_softmax_of_a_dense_layer(model):
    inputs = np.random.default_rng(1).normal(size=(2, 5)).astype("float32")
    hidden = keras.Model(model.input, model.get_layer("hidden").output)(inputs)
    kernel, bias = (keras.ops.convert_to_numpy(weight) for weight in model.get_layer("scores").weights)
    exponents = np.exp(keras.ops.convert_to_numpy(keras.ops.cast(hidden, "float32")) @ kernel + bias)
    expected = exponents / exponents.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(inputs)), expected, rtol=1e-4)


def test_options_reach_the_layer(model):
    layer = model.get_layer("scores")
    assert float(layer.kernel_regularizer.l2) == 0.5
    assert layer.variable_dtype == "float32"
