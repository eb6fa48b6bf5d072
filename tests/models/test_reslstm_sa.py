import keras
import numpy as np
import pytest

from sertf.models.reslstm_sa import build


# PAPERS.md section 1: the paper's Table I counts two bias vectors an LSTM, Keras keeps one.
@pytest.mark.parametrize(
    ("residual", "units", "parameters"),
    [
        (True, 32, 27_676),
        (True, 64, 46_332),
        (True, 128, 108_220),
        (False, 32, 10_472),
        (False, 64, 29_128),
        (False, 128, 91_016),
    ],
)
def test_parameters(residual, units, parameters):
    model = build((None, 46), 8, units=units, residual=residual)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == parameters


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return build((None, 6), 3, units=5)


@pytest.fixture
def utterances():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(frames, 6)).astype("float32") for frames in (4, 9, 6)]


def padded(arrays, frames):
    batch = np.zeros((len(arrays), frames, arrays[0].shape[1]), "float32")
    for row, array in enumerate(arrays):
        batch[row, : len(array)] = array
    return batch


def test_padding_changes_no_score(model, utterances):
    alone = np.concatenate([np.asarray(model(array[None])) for array in utterances])
    together = np.asarray(model(padded(utterances, 12)))
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


def test_padding_changes_no_training_step(utterances):
    """The first norm's statistics, the recurrences and the softmax see valid frames only."""
    weights = []
    for frames in (9, 20):
        keras.utils.set_random_seed(3)
        model = build((None, 6), 3, units=5, dropout=0.0)
        model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
        model.train_on_batch(padded(utterances, frames), np.array([0, 1, 2]))
        weights.append(model.get_weights())
    for short, long in zip(*weights):
        np.testing.assert_allclose(short, long, rtol=1e-4, atol=1e-5)


def test_counted_padding_changes_nothing_without_padding(model, utterances):
    counted = build((None, 6), 3, units=5, counted_padding=True)
    counted.set_weights(model.get_weights())
    np.testing.assert_allclose(
        np.asarray(counted(utterances[1][None])), np.asarray(model(utterances[1][None])), rtol=1e-5
    )


def test_counted_padding_takes_weight_in_the_attention(model, utterances):
    """A padded state is 0 and so is its score: the context shrinks by the share that padding takes."""
    counted = build((None, 6), 3, units=5, counted_padding=True)
    counted.set_weights(model.get_weights())
    attended = keras.Model(counted.input, [counted.get_layer("attention").output, counted.get_layer("states").output])
    (context, weights), states = attended(padded(utterances, 12))
    (alone, own), _ = attended(utterances[0][None])
    scores = np.asarray(states)[0, :4] @ counted.get_layer("attention").get_weights()[0][:, 0]
    share = np.exp(scores).sum() / (np.exp(scores).sum() + 8)
    np.testing.assert_allclose(np.asarray(weights)[0, :4], np.asarray(own)[0] * share, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(context)[0], np.asarray(alone)[0] * share, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("residual", [True, False])
def test_counted_padding_enters_the_norms_statistics(utterances, residual):
    """After one step the moving mean is a tenth of the batch's, over padded frames too."""
    keras.utils.set_random_seed(3)
    model = build((None, 6), 3, units=5, residual=residual, counted_padding=True)
    name = "residual" if residual else "attention"
    before = keras.Model(model.input, model.get_layer(name).output)
    batch = padded(utterances, 12)
    values = before(batch)
    if residual:
        own = (batch != 0).any(axis=-1)
        mean, norm = (np.asarray(values) * own[:, :, None]).mean(axis=(0, 1)), "residual_norm"
    else:
        mean, norm = np.asarray(values[0]).mean(axis=0), "embedding"
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    model.train_on_batch(batch, np.array([0, 1, 2]))
    np.testing.assert_allclose(np.asarray(model.get_layer(norm).moving_mean), 0.1 * mean, rtol=1e-4, atol=1e-6)


def test_counted_padding_survives_saving(tmp_path, utterances):
    model = build((None, 6), 3, units=5, counted_padding=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    batch = padded(utterances, 12)
    np.testing.assert_allclose(np.asarray(loaded(batch)), np.asarray(model(batch)), rtol=1e-5)


def test_equals_the_network_of_figure_2(model, utterances):
    """One utterance through the equations of sections III, step by step in NumPy."""
    x = utterances[1]

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def lstm(x, name):
        kernel, recurrent, bias = (np.array(w) for w in model.get_layer(name).get_weights())
        h = c = np.zeros(recurrent.shape[0])
        states = []
        for x_t in x:
            i, f, g, o = np.split(x_t @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return np.array(states)

    def norm(x, name):
        gamma, beta, mean, variance = model.get_layer(name).get_weights()
        return gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta

    states = lstm(norm(x + lstm(x, "residual_states"), "residual_norm"), "states")
    scores = states @ model.get_layer("attention").get_weights()[0][:, 0]
    attention = np.exp(scores) / np.exp(scores).sum()
    embedding = norm(attention @ states, "embedding")
    kernel, bias = model.get_layer("scores").get_weights()
    logits = embedding @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(np.asarray(model(x[None]))[0], expected, rtol=1e-4)


def test_initial_weights(model):
    kernel, recurrent, bias = model.get_layer("states").get_weights()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(5), atol=1e-5)
    np.testing.assert_array_equal(bias, [0] * 5 + [1] * 5 + [0] * 10)  # input, forget, cell, output
    assert abs(kernel).max() < 1
