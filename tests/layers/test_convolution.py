import keras
import numpy as np
import pytest
import scipy.special

from sertf.errors import SertfError
from sertf.layers import Gelu, NormedConvolution


def waveforms(rows=3, samples=63):
    clips = np.random.default_rng(0).normal(1, 2, (rows, samples, 1)).astype("float32")
    clips[:, samples // 2 :] = 0.5  # padding is constant
    return clips


def moved(layer, shape):
    """The layer with gains and shifts of its own for each filter."""
    layer.build(shape)
    rng = np.random.default_rng(1)
    layer.gamma.assign(rng.normal(1, 0.3, layer.gamma.shape))
    layer.beta.assign(rng.normal(0, 0.3, layer.beta.shape))
    return layer


@pytest.mark.parametrize(("kernel_size", "strides"), [(10, 5), (4, 4), (3, 5), (7, 2)])
def test_as_a_convolution_and_a_norm_of_each_filter_over_time(kernel_size, strides):
    keras.utils.set_random_seed(0)
    clips = waveforms()
    layer = moved(NormedConvolution(6, kernel_size, strides=strides), clips.shape)
    kernel, gamma, beta = (np.asarray(weight, "float64") for weight in layer.weights)
    starts = range(0, clips.shape[1] - kernel_size + 1, strides)
    outputs = np.stack([clips[:, start : start + kernel_size, 0] @ kernel[:, 0] for start in starts], axis=1)
    mean, variance = outputs.mean(axis=1, keepdims=True), outputs.var(axis=1, keepdims=True)
    expected = (outputs - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    found = np.asarray(layer(clips))
    assert found.shape == layer.compute_output_shape(clips.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_it_starts_and_trains_as_kerass_two_layers():
    """One step of plain descent from the same seed, on the same loss."""

    def trained(layers):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((63, 1))
        x = inputs
        for layer in layers():
            x = layer(x)
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Activation("relu")(x)))
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.train_on_batch(waveforms(), np.ones((3, 11, 1), "float32"))
        return model.get_weights()

    def plain():
        convolution = keras.layers.Conv1D(6, 10, strides=5, use_bias=False, kernel_initializer="he_normal")
        return convolution, keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)

    for ours, theirs in zip(trained(lambda: [NormedConvolution(6, 10, strides=5)]), trained(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_silence_is_the_shift():
    layer = moved(NormedConvolution(4, 10), (1, 40, 1))
    np.testing.assert_allclose(layer(np.zeros((1, 40, 1), "float32")), np.tile(layer.beta, (1, 7, 1)), atol=1e-6)


def test_statistics_are_whole_in_half_precision():
    exact = moved(NormedConvolution(4, 10), (1, 63, 1))
    half = moved(NormedConvolution(4, 10, dtype="mixed_bfloat16"), (1, 63, 1))
    half.kernel.assign(exact.kernel)
    output = half(waveforms() + 100)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    np.testing.assert_allclose(np.asarray(output, "float32"), exact(waveforms() + 100), atol=0.1)


def test_bad_arguments():
    with pytest.raises(SertfError, match="NormedConvolution: strides must be a whole number above 0, got 0"):
        NormedConvolution(4, 10, strides=0)


def test_gelu_is_x_times_the_normal_distribution():
    x = np.linspace(-6, 6, 101, dtype="float32")
    np.testing.assert_allclose(Gelu()(x), x * scipy.special.ndtr(x.astype("float64")), atol=1e-6)


def test_gelus_gradient():
    """By one step of descent on a bias in front of it."""
    model = keras.Sequential([keras.layers.Dense(41, kernel_initializer="zeros"), Gelu()])
    model.build((None, 1))
    x = np.linspace(-4, 4, 41).astype("float32")
    model.layers[0].bias.assign(x)
    model.compile(keras.optimizers.SGD(1.0), loss=lambda target, output: keras.ops.sum(output, axis=-1))
    model.train_on_batch(np.zeros((1, 1), "float32"), np.zeros((1, 41), "float32"))
    gradient = x - np.asarray(model.layers[0].bias)
    density = np.exp(-(x.astype("float64") ** 2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(gradient, scipy.special.ndtr(x.astype("float64")) + x * density, atol=1e-5)
