import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import AttentiveStatistics, CrossAttention, MultiHeadAttention, SoftAttention


def literal_attention(states, mask, kernel):
    """Equations 3 and 4 of ResLSTM-SA, one utterance and one step at a time."""
    contexts, all_weights = [], []
    for row, valid in zip(states, mask):
        scores = [float(kernel[:, 0] @ h) if v else -np.inf for h, v in zip(row, valid)]
        exponentials = [np.exp(e - max(scores)) for e in scores]
        weights = [e / sum(exponentials) for e in exponentials]
        contexts.append(sum(w * h for w, h in zip(weights, row)))
        all_weights.append(weights)
    return np.array(contexts), np.array(all_weights)


@pytest.fixture
def states():
    return np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


@pytest.fixture
def mask():
    return np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool)


def test_equals_the_equations(states, mask):
    layer = SoftAttention()
    context, weights = layer(states, mask=mask)
    expected_context, expected_weights = literal_attention(states, mask, np.asarray(layer.kernel))
    np.testing.assert_allclose(context, expected_context, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-5, atol=1e-6)


def test_weights_sum_to_one_and_masked_steps_get_none(states, mask):
    _, weights = SoftAttention()(states, mask=mask)
    np.testing.assert_allclose(np.sum(weights, axis=1), 1, rtol=1e-5)
    assert np.all(np.asarray(weights)[~mask] == 0)


def test_fully_masked_row_gives_zeros(states):
    context, weights = SoftAttention()(states, mask=np.zeros((3, 5), bool))
    assert np.all(np.asarray(context) == 0) and np.all(np.asarray(weights) == 0)


def test_saved_and_loaded_gives_the_same(states, tmp_path):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, SoftAttention(kernel_initializer="ones", name="attention")(inputs))
    model.save(tmp_path / "attention.keras")
    loaded = keras.models.load_model(tmp_path / "attention.keras")
    for ours, theirs in zip(model(states), loaded(states)):
        np.testing.assert_array_equal(ours, theirs)
    config = loaded.get_layer("attention").get_config()
    assert SoftAttention.from_config(config).get_config() == config


def test_multi_head_attention_as_the_literal_loop():
    rng = np.random.default_rng(0)
    query, key, value = rng.normal(size=(3, 2, 5, 4)).astype("float32")
    layer = MultiHeadAttention(heads=3, head_units=2)
    output, weights = (np.asarray(result) for result in layer(query, key, value))
    kernels = [np.asarray(kernel, "float64") for kernel in layer.kernels]
    assert output.shape == (2, 5, 6) and weights.shape == (2, 3, 5, 5)
    for row in range(2):
        for head in range(3):
            own = slice(2 * head, 2 * head + 2)
            q, k, v = (x[row] @ kernel[:, own] for x, kernel in zip((query, key, value), kernels))
            for step in range(5):
                scores = np.exp([q[step] @ k[other] / np.sqrt(2) for other in range(5)])
                expected = scores / scores.sum()
                np.testing.assert_allclose(weights[row, head, step], expected, rtol=1e-4)
                np.testing.assert_allclose(output[row, step, own], expected @ v, rtol=1e-3, atol=1e-5)


def test_cross_attention_as_the_literal_loop():
    rng = np.random.default_rng(1)
    query, steps = rng.normal(size=(2, 3)).astype("float32"), rng.normal(size=(2, 5, 4)).astype("float32")
    layer = CrossAttention(6)
    context, weights = (np.asarray(result) for result in layer(query, steps))
    w_q, w_k, w_v = (np.asarray(weight, "float64") for weight in layer.trainable_variables)
    assert context.shape == (2, 6) and weights.shape == (2, 5)
    for row in range(2):
        scores = np.exp([(query[row] @ w_q) @ (steps[row, t] @ w_k) / np.sqrt(6) for t in range(5)])
        np.testing.assert_allclose(weights[row], scores / scores.sum(), rtol=1e-4)
        expected = sum(weight * (steps[row, t] @ w_v) for t, weight in enumerate(weights[row]))
        np.testing.assert_allclose(context[row], expected, rtol=1e-3, atol=1e-5)


def test_cross_attention_saved_and_loaded_gives_the_same(tmp_path):
    inputs = keras.Input((3,)), keras.Input((5, 4))
    model = keras.Model(inputs, CrossAttention(6, name="attention")(*inputs))
    model.save(tmp_path / "cross.keras")
    data = [np.ones((2, 3), "float32"), np.arange(40, dtype="float32").reshape(2, 5, 4)]
    for ours, again in zip(model(data), keras.models.load_model(tmp_path / "cross.keras")(data)):
        np.testing.assert_array_equal(ours, again)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MultiHeadAttention(heads=0), "MultiHeadAttention: heads must be a whole number above 0, got 0"),
        (lambda: MultiHeadAttention(head_units=2.5), "MultiHeadAttention: head_units must be .* got 2.5"),
        (lambda: CrossAttention(0), "CrossAttention: units must be a whole number above 0, got 0"),
    ],
)
def test_impossible_sizes(make, message):
    with pytest.raises(SertfError, match=message):
        make()


def test_deviations_of_states_far_from_zero():
    states = np.random.default_rng(0).normal(300, 0.1, (2, 12, 3)).astype("float32")
    layer = AttentiveStatistics(4)
    own = np.ones((2, 12), bool)
    layer.build(states.shape, states.shape, own.shape)
    layer.channels.kernel.assign(np.zeros((4, 3)))  # all steps weigh the same
    statistics = keras.ops.convert_to_numpy(layer(states, states, own)[0])
    np.testing.assert_allclose(statistics[:, 3:], states.astype("float64").std(axis=1), rtol=1e-2)
