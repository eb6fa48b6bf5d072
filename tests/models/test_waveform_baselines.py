import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.waveform_baselines import WAVEFORM_BASELINES

# Small arguments of each, for 120 samples.
SMALL = {
    "waveform_mlp": {"units": 16},
    "waveform_lstm": {"step_samples": 8, "units": 12, "hidden_units": 8},
    "waveform_cnn": {"blocks": ((6, 5, 2), (6, 5, 2)), "hidden_units": 8},
    "waveform_cnn_bilstm": {"blocks": ((8, 5, 2), (8, 5, 3)), "units": 8},
}


def count(name, samples, **options):
    return WAVEFORM_BASELINES[name]((samples, 1), 7, **options).count_params()


def test_parameters_by_hand():
    """At 4,800 samples: a dense layer on the paper's 144,000 has 147 million weights, which a test need not make."""
    samples = 4800
    assert count("waveform_mlp", samples) == (samples + 1) * 100 + 101 * 7
    assert count("waveform_lstm", samples) == 4 * 128 * (320 + 128 + 1) + 129 * 32 + 33 * 7
    convolutions = 5 * 32 + 4 * 32 + 5 * 32 * 32 + 4 * 32
    assert count("waveform_cnn", samples) == convolutions + 32 * samples * 32 + 4 * 32 + 33 * 7
    assert count("waveform_cnn", samples, size="narrow") == convolutions + 32 * (samples // 64) * 32 + 4 * 32 + 33 * 7
    recurrent = 6 * 32 + (5 * 32 + 1) * 64 + 2 * 4 * 60 * (64 + 60 + 1) + 121 * 7
    assert count("waveform_cnn_bilstm", samples) == recurrent
    assert count("waveform_cnn_bilstm", samples, size="narrow") == recurrent


@pytest.mark.parametrize("name", sorted(WAVEFORM_BASELINES))
def test_learns(name):
    """Tones of two loudnesses and a pulse, always at the same place, so that even the MLP can tell them apart."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    clean = np.stack([np.sin(0.3 * np.arange(120)), 0.2 * np.sin(0.3 * np.arange(120)), np.arange(120) // 30 == 2])
    inputs = (clean[labels] + rng.normal(0, 0.1, (60, 120)))[..., None].astype("float32")
    keras.utils.set_random_seed(0)
    model = WAVEFORM_BASELINES[name]((120, 1), 3, dropout=0.1, **SMALL[name])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=25, batch_size=20, verbose=0)
    assert (np.asarray(model(inputs)).argmax(axis=1) == labels).mean() > 0.8  # chance is a third
    assert len(model.get_layer("embedding").output.shape) == 2


def test_lstm_reads_steps_of_samples_in_order():
    model = WAVEFORM_BASELINES["waveform_lstm"]((23, 1), 3, step_samples=5, units=4)
    steps = next(layer for layer in model.layers if isinstance(layer, keras.layers.Reshape))
    read = np.asarray(keras.Model(model.input, steps.output)(np.arange(23.0).reshape(1, 23, 1)))
    np.testing.assert_array_equal(read[0], np.arange(20).reshape(4, 5))  # the last three fill no step


def test_the_convolutions_in_front_of_the_bilstm_as_a_literal_loop():
    """Valid convolutions with biases, ReLU and pooling, twice."""
    keras.utils.set_random_seed(0)
    blocks = ((3, 5, 2), (4, 3, 3))
    model = WAVEFORM_BASELINES["waveform_cnn_bilstm"]((40, 1), 3, blocks=blocks, units=2)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]
    waveform = np.random.default_rng(0).normal(size=(40, 1)).astype("float32")
    expected = waveform
    for layer, (filters, kernel, pool) in zip(convolutions, blocks, strict=True):
        weights = np.asarray(layer.kernel)  # (kernel, inputs, filters)
        steps = [np.einsum("ki,kif->f", expected[t : t + kernel], weights) for t in range(len(expected) - kernel + 1)]
        steps = np.maximum(np.array(steps) + np.asarray(layer.bias), 0)
        expected = steps[: len(steps) // pool * pool].reshape(-1, pool, filters).max(axis=1)
    (recurrent,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional))
    found = np.asarray(keras.Model(model.input, recurrent.input)(waveform[None]))[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_bilstm_sees_both_directions_whole():
    model = WAVEFORM_BASELINES["waveform_cnn_bilstm"]((120, 1), 3, **SMALL["waveform_cnn_bilstm"])
    states = keras.Model(model.input, model.get_layer("embedding").output)
    silence = np.zeros((1, 120, 1), "float32")
    for place in (3, 110):  # a click at either end reaches the states of both directions
        click = silence.copy()
        click[0, place] = 5
        moved = np.abs(np.asarray(states(click)) - np.asarray(states(silence)))[0]
        assert moved[:8].max() > 1e-7 and moved[8:].max() > 1e-7


@pytest.mark.parametrize(("name", "shortest"), [("waveform_lstm", 8), ("waveform_cnn", 4), ("waveform_cnn_bilstm", 18)])
def test_too_short_a_waveform(name, shortest):
    WAVEFORM_BASELINES[name]((shortest, 1), 3, **SMALL[name])
    with pytest.raises(
        SertfError, match=f"{name}: input_shape must hold at least {shortest} samples, got {shortest - 1}"
    ):
        WAVEFORM_BASELINES[name]((shortest - 1, 1), 3, **SMALL[name])


@pytest.mark.parametrize("name", sorted(WAVEFORM_BASELINES))
def test_bad_input_shape(name):
    with pytest.raises(SertfError, match=rf"{name}: input_shape must be \(samples, 1\) of a fixed number of samples"):
        WAVEFORM_BASELINES[name]((None, 1), 3)


@pytest.mark.parametrize("name", ["waveform_cnn", "waveform_cnn_bilstm"])
def test_unknown_size(name):
    with pytest.raises(SertfError, match=f"{name}: size must be one of paper, narrow, got 'wide'"):
        WAVEFORM_BASELINES[name]((4800, 1), 3, size="wide")


@pytest.mark.parametrize("name", ["waveform_lstm", "waveform_cnn"])
def test_a_second_softmax_flattens_the_scores_of_the_first(name):
    model = WAVEFORM_BASELINES[name]((120, 1), 7, softmax_twice=True, **SMALL[name])
    clips = np.random.default_rng(0).normal(size=(4, 120, 1)).astype("float32")
    first, second = (
        np.asarray(out) for out in keras.Model(model.input, [model.get_layer("scores").output, model.output])(clips)
    )
    np.testing.assert_allclose(second, np.exp(first) / np.exp(first).sum(axis=1, keepdims=True), rtol=1e-5)
    assert second.max() <= np.e / (np.e + 6)  # so its cross-entropy stays above 1.16
