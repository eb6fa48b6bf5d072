import math

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import DeformableAttention

STEPS, UNITS, HEADS, HEAD_UNITS = 9, 6, 3, 2


@pytest.fixture
def states():
    return np.random.default_rng(0).normal(size=(2, STEPS, UNITS)).astype("float32")


@pytest.fixture
def layer():
    return built()


def built(*, moved=1.0, **options):
    """A layer whose queries choose windows of their own, of all kinds for a deviation of 1."""
    keras.utils.set_random_seed(0)
    layer = DeformableAttention(HEADS, HEAD_UNITS, **{"initial_half_widths": (0.5, 4.0), **options})
    layer.build((None, STEPS, UNITS))
    rng = np.random.default_rng(1)
    for network in (layer.offset, layer.half_width):
        network.kernel.assign(rng.normal(0, moved, size=network.kernel.shape))
    return layer


def arrays(results):
    return [np.asarray(result) for result in results]


def literal(layer, states):
    """Equations 4, 7 and 8 with the windows of the docstring: one utterance, head and query at a time."""
    kernels = [np.asarray(dense.kernel, "float64") for dense in (layer.query, layer.key, layer.value)]
    outputs, all_weights, windows = [], [], []
    for x in states.astype("float64"):
        q, k, v = (x @ kernel for kernel in kernels)
        joined = np.zeros((STEPS, HEADS * HEAD_UNITS))
        weights = np.zeros((HEADS, STEPS, STEPS))
        ends = np.zeros((HEADS, STEPS, 2))
        for i in range(HEADS):
            own = slice(HEAD_UNITS * i, HEAD_UNITS * (i + 1))
            for j in range(STEPS):
                offset, half_width = (
                    q[j] @ np.asarray(network.kernel, "float64")[:, i] + float(network.bias[i])
                    for network in (layer.offset, layer.half_width)
                )
                anchor = j + STEPS * math.tanh(offset)
                half = STEPS / (1 + math.exp(-half_width))
                left, right = anchor - half, anchor + half
                first, last, before = math.floor(left), math.ceil(right), math.floor(anchor)
                scores = {}
                for step in range(STEPS):
                    factor = 1.0
                    if step == before:
                        factor += layer.anchor_gain * (1 - (anchor - before))
                    if step == before + 1:
                        factor += layer.anchor_gain * (anchor - before)
                    if step == first:
                        factor -= left - first
                    if step == last:
                        factor -= last - right
                    if first <= step <= last:
                        scores[step] = factor * (q[j, own] @ k[step, own]) / math.sqrt(HEAD_UNITS)
                if not scores:
                    scores = dict.fromkeys(range(STEPS), 0.0)
                total = sum(math.exp(score) for score in scores.values())
                for step, score in scores.items():
                    weights[i, j, step] = math.exp(score) / total
                ends[i, j] = left, right
                joined[j, own] = weights[i, j] @ v[:, own]
        outputs.append(joined @ np.asarray(layer.output_projection.kernel, "float64"))
        all_weights.append(weights)
        windows.append(ends)
    return np.array(outputs), np.array(all_weights), np.array(windows)


@pytest.mark.parametrize("moved", [0.05, 1.0])
def test_as_the_literal_loop(states, moved):
    layer = built(moved=moved)
    for ours, expected in zip(arrays(layer(states)), literal(layer, states), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=2e-5)


def test_the_literal_loop_sees_windows_of_every_kind(states, layer):
    """Inside the sequence, over its ends, beyond them, and open to all of it."""
    _, weights, windows = literal(layer, states)
    seen = (weights > 0).sum(axis=-1)
    left, right = windows[..., 0], windows[..., 1]
    assert ((left >= 0) & (right <= STEPS - 1)).any() and ((left < 0) & (right > 0)).any()
    outside = (np.ceil(right) < 0) | (np.floor(left) > STEPS - 1)
    assert outside.any() and (seen[outside] == STEPS).all()
    assert (seen[~outside] < STEPS).any() and (seen[~outside] == STEPS).any()


def test_weights_sum_to_one_and_are_zero_outside_the_windows(states, layer):
    _, weights, windows = arrays(layer(states))
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    step = np.arange(STEPS)
    inside = (step >= np.floor(windows[..., :1])) & (step <= np.ceil(windows[..., 1:]))
    some = inside.any(axis=-1)
    assert (weights[some][~inside[some]] == 0).all()
    np.testing.assert_allclose(weights[~some], 1 / STEPS, rtol=1e-5)


def test_first_windows_lie_around_their_queries_and_widen_from_head_to_head(states):
    layer = DeformableAttention(3, 2, initial_half_widths=(1.0, 3.0))
    windows = np.asarray(layer(states)[2])
    np.testing.assert_allclose(windows.mean(axis=-1), np.broadcast_to(np.arange(STEPS), (2, 3, STEPS)), atol=1e-5)
    half = (windows[..., 1] - windows[..., 0]) / 2
    np.testing.assert_allclose(half, np.broadcast_to([[1], [2], [3]], (2, 3, STEPS)), rtol=1e-5)


def test_first_windows_are_narrower_than_the_sequence(states):
    windows = np.asarray(DeformableAttention(1, 2, initial_half_widths=(25.0, 25.0))(states)[2])
    np.testing.assert_allclose(windows[..., 1] - windows[..., 0], 2 * 0.9 * STEPS, rtol=1e-5)


def test_wide_open_without_the_anchors_gain_it_is_multi_head_attention(states):
    ours = DeformableAttention(HEADS, HEAD_UNITS, anchor_gain=0.0, use_bias=True)
    theirs = keras.layers.MultiHeadAttention(HEADS, HEAD_UNITS)
    ours.build(states.shape)
    theirs.build(states.shape, states.shape)
    rng = np.random.default_rng(2)
    for name in ("query", "key", "value"):
        kernel, bias = rng.normal(size=(UNITS, HEADS * HEAD_UNITS)), rng.normal(size=HEADS * HEAD_UNITS)
        getattr(ours, name).set_weights([kernel, bias])
        getattr(theirs, f"{name}_dense").set_weights(
            [kernel.reshape(UNITS, HEADS, HEAD_UNITS), bias.reshape(HEADS, HEAD_UNITS)]
        )
    kernel, bias = rng.normal(size=(HEADS * HEAD_UNITS, UNITS)), rng.normal(size=UNITS)
    ours.output_projection.set_weights([kernel, bias])
    theirs.output_dense.set_weights([kernel.reshape(HEADS, HEAD_UNITS, UNITS), bias])
    expected, expected_weights = theirs(states, states, return_attention_scores=True)

    ours.half_width.bias.assign(np.full(HEADS, 1e3))
    output, weights, windows = arrays(ours(states))
    assert windows[..., 0].max() <= -1 and windows[..., 1].min() >= STEPS
    np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-3, atol=1e-6)

    ours.half_width.bias.assign(np.full(HEADS, -2.0))
    assert np.abs(np.asarray(ours(states)[0]) - np.asarray(expected)).max() > 0.1


def test_gradients_reach_offset_and_half_width_networks(states):
    """From the very start, when the kernels are 0 and anchors stand on whole steps."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((STEPS, UNITS))
    layer = DeformableAttention(HEADS, HEAD_UNITS, initial_half_widths=(1.3, 3.6))
    model = keras.Model(inputs, layer(inputs)[0])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = [np.array(weight) for weight in model.trainable_variables]
    model.train_on_batch(states, np.ones_like(states))
    changed = {weight.path.split("/", 1)[1]: np.array(weight) for weight in model.trainable_variables}
    assert {"offset/kernel", "offset/bias", "half_width/kernel", "half_width/bias"} < set(changed)
    for (name, after), old in zip(changed.items(), before, strict=True):
        assert np.abs(after - old).max() > 1e-6, name


def test_gradient_of_a_window_as_the_difference_quotient(states):
    """Between whole bounds the output is smooth in offset and half-width, with the gradient that training uses."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((STEPS, UNITS))
    layer = DeformableAttention(1, HEAD_UNITS, initial_half_widths=(1.4, 1.4))
    model = keras.Model(inputs, layer(inputs)[0])
    layer.offset.bias.assign([0.03])  # anchors 0.27 steps beyond their queries
    model.compile(keras.optimizers.SGD(1.0), "mse")
    for network in (layer.offset, layer.half_width):
        start = [np.array(weight) for weight in model.trainable_variables]
        bias, losses = float(network.bias[0]), []
        for change in (-1e-2, 1e-2):
            network.bias.assign([bias + change])
            losses.append(float(np.mean((np.asarray(model(states)) - 1) ** 2)))
        network.bias.assign([bias])
        model.train_on_batch(states, np.ones_like(states))
        gradient = bias - float(network.bias[0])
        for weight, value in zip(model.trainable_variables, start, strict=True):
            weight.assign(value)
        assert gradient == pytest.approx((losses[1] - losses[0]) / 2e-2, rel=0.05, abs=1e-5)
        assert abs(gradient) > 1e-4


def test_saved_and_loaded_gives_the_same(states, tmp_path):
    inputs = keras.Input((STEPS, UNITS))
    layer = DeformableAttention(HEADS, HEAD_UNITS, anchor_gain=0.5, dropout=0.1, use_bias=True, name="attention")
    model = keras.Model(inputs, layer(inputs))
    layer.offset.kernel.assign(np.random.default_rng(3).normal(size=layer.offset.kernel.shape))
    layer.half_width.bias.assign([-1.0, 0.0, 1.0])
    model.save(tmp_path / "deformable.keras")
    loaded = keras.models.load_model(tmp_path / "deformable.keras")
    for ours, again in zip(model(states), loaded(states), strict=True):
        np.testing.assert_array_equal(ours, again)
    config = loaded.get_layer("attention").get_config()
    assert DeformableAttention.from_config(config).get_config() == config
    assert (config["anchor_gain"], config["use_bias"], config["dropout"]) == (0.5, True, 0.1)


def test_windows_are_not_rounded_in_half_precision():
    steps = 450  # bfloat16 knows no whole numbers between 256 and 512 but even ones
    layer = DeformableAttention(2, 2, initial_half_widths=(1.3, 1.3), dtype="mixed_bfloat16")
    output, weights, windows = layer(np.ones((1, steps, 4), "float32"))
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    np.testing.assert_allclose(np.asarray(windows).mean(axis=-1), np.tile(np.arange(steps), (1, 2, 1)), atol=1e-3)
    assert (np.asarray(weights)[0, 0] > 0).sum(axis=-1).tolist() == [3, 4, *[5] * 446, 4, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 0}, "heads must be a whole number above 0, got 0"),
        ({"head_units": 2.5}, "head_units must be a whole number above 0, got 2.5"),
        ({"anchor_gain": float("nan")}, "anchor_gain must be a finite number, got nan"),
        ({"initial_half_widths": 1.3}, "initial_half_widths must be two numbers above 0, got 1.3"),
        ({"initial_half_widths": (1.3, "wide")}, "initial_half_widths must be two numbers above 0, got "),
        ({"initial_half_widths": (0.0, 3.0)}, r"initial_half_widths must be two numbers above 0, got \(0.0, 3.0\)"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(SertfError, match=message):
        DeformableAttention(**options)


def test_unknown_number_of_steps():
    with pytest.raises(SertfError, match="a fixed number of steps"):
        DeformableAttention(2, 2)(keras.Input((None, 4)))


def test_dropout_drops_attention_weights_in_training_alone(states):
    layer = DeformableAttention(HEADS, HEAD_UNITS, dropout=0.5)
    resting, weights, _ = layer(states)
    np.testing.assert_array_equal(np.asarray(layer(states, training=False)[0]), np.asarray(resting))
    trained, kept, _ = layer(states, training=True)
    assert np.abs(np.asarray(trained) - np.asarray(resting)).max() > 1e-3
    np.testing.assert_array_equal(np.asarray(kept), np.asarray(weights))  # given before dropout
