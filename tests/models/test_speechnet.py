import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.losses import BalancedMarginLoss
from sertf.models import speechnet


def layer_shapes(model):
    return {layer.name: layer.output.shape for layer in model.layers if not isinstance(layer.output, (list, tuple))}


@pytest.mark.parametrize("input_shape", [(1, 107), (64, 107)])
def test_shapes_of_the_paper(input_shape):
    model = speechnet.build(input_shape, 7)
    shapes = layer_shapes(model)
    assert shapes["recall"] == (None, 64, 64)
    assert model.get_layer("heads").output[0].shape == (None, 64, 256)
    assert shapes["refinement"] == (None, 62, 1024)
    assert shapes["capsules"] == (None, 62 * 1024 // 16, 16)
    assert shapes["routing"] == (None, 7, 16)
    assert shapes["scores"] == (None, 7)


def count(input_shape=(1, 107), **options):
    return speechnet.build(input_shape, 7, **options).count_params()


def test_parameter_counts():
    encoding = 107 * 256 + 256 + 256 * 128 + 128
    recall = {2: 4 * 64 * (2 + 64 + 1), 128: 4 * 64 * (128 + 64 + 1)}
    attention = 3 * (64 * 64 + 64) + 3 * 64 * 256
    refinement, routing = 3 * 256 * 1024 + 1024, 62 * 1024 * 7 * 16
    assert count() == encoding + recall[2] + attention + refinement + routing == 8_037_440
    assert count((64, 107)) == encoding + recall[128] + attention + refinement + routing == 8_069_696
    assert count(refinement_filters=64) == 632_960
    assert count((64, 107), refinement_filters=64) == 665_216


def literal(model, features, *, iterations):
    """SpeechNet on one (steps, dims), from its weights: equations 7, 9 to 14 as read, Keras's own LSTM for equation 8."""
    weights = {layer.name: [np.asarray(w, "float64") for w in layer.weights] for layer in model.layers}
    names = [layer.name for layer in model.layers if layer.name.startswith("dense")]
    x = np.asarray(features, "float64")
    for name in names:
        x = x @ weights[name][0] + weights[name][1]
        x = np.where(x > 0, x, 0.3 * x)  # LeakyReLU
    steps = x.reshape(64, -1) if len(x) == 1 else x
    states = np.asarray(model.get_layer("recall")(steps[None].astype("float32")), "float64")[0]
    parts = [states @ weights[f"pre_{part}"][0] + weights[f"pre_{part}"][1] for part in ("query", "key", "value")]
    q, k, v = (part @ kernel for part, kernel in zip(parts, weights["heads"]))
    heads = []
    for head in range(8):
        own = slice(32 * head, 32 * (head + 1))
        scores = np.exp(q[:, own] @ k[:, own].T / np.sqrt(32))
        heads.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, own])
    attended = np.concatenate(heads, axis=1)
    kernel, bias = weights["refinement"]  # (3, 256, filters)
    refined = [
        np.maximum(np.einsum("kc,kcf->f", attended[t : t + 3], kernel) + bias, 0.0) for t in range(len(attended) - 2)
    ]
    capsules = np.concatenate(refined).reshape(-1, 16)
    (routing,) = weights["routing"]
    a = np.einsum("ie,ief->if", capsules, routing).reshape(len(capsules), -1, 16)  # (capsules, classes, 16)
    c = np.full(a.shape[:2], 1 / a.shape[1])
    for _ in range(iterations):
        v = np.einsum("ij,ijd->jd", c, a)
        u = np.exp(np.einsum("ijd,jd->ij", a, v))
        c = u / u.sum(axis=1, keepdims=True)
    if weights["scores"]:
        kernel, bias = weights["scores"]
        scores = np.exp(v.reshape(-1) @ kernel + bias)
        return scores / scores.sum()
    squares = (v**2).sum(axis=1)
    return squares / (1 + squares)  # the lengths of squashed vectors


@pytest.mark.parametrize("scores", speechnet.SCORES)
@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize("input_shape", [(1, 12), (6, 12)])
def test_as_the_equations(input_shape, iterations, scores):
    keras.utils.set_random_seed(0)
    model = speechnet.build(input_shape, 3, refinement_filters=16, iterations=iterations, scores=scores)
    features = np.random.default_rng(1).normal(size=(4, *input_shape)).astype("float32")
    expected = [literal(model, row, iterations=iterations) for row in features]
    np.testing.assert_allclose(np.asarray(model(features)), expected, rtol=1e-3, atol=1e-6)


def test_dropout_stands_before_the_routing():
    model = speechnet.build((1, 107), 7)
    assert model.get_layer("dropout").rate == 0.5 and model.get_layer("routing").iterations == 2
    assert model.get_layer("capsules").input is model.get_layer("dropout").output
    assert model.get_layer("dropout").input is model.get_layer("refinement").output


# What each ablation leaves and what it puts in the module's place.
ABSENT = {
    "encoding": {"dense"},
    "recall": {"recall"},
    "pre_attention": {"pre_query", "pre_key", "pre_value"},
    "attention": {"pre_query", "pre_key", "pre_value", "heads"},
    "refinement": {"refinement"},
    "routing": {"capsules", "routing"},
    "modified_routing": set(),
}


@pytest.mark.parametrize("without", speechnet.ABLATIONS)
@pytest.mark.parametrize("input_shape", [(1, 12), (8, 12)])
def test_ablations_leave_their_module_out_and_train(without, input_shape):
    keras.utils.set_random_seed(0)
    whole = speechnet.build(input_shape, 3, refinement_filters=16)
    model = speechnet.build(input_shape, 3, refinement_filters=16, without=without)
    names = {layer.name.rstrip("_0123456789") for layer in model.layers}
    assert {layer.name.rstrip("_0123456789") for layer in whole.layers} >= ABSENT[without]
    assert not names & ABSENT[without]
    if without == "modified_routing":
        assert model.get_layer("routing").mode == "classic" and whole.get_layer("routing").mode == "modified"
    inputs = np.random.default_rng(0).normal(size=(6, *input_shape)).astype("float32")
    model.compile(keras.optimizers.SGD(1.0), BalancedMarginLoss([1, 1, 1], (0.9, 0.5, 0.1)))
    before = model.get_weights()
    assert np.isfinite(model.train_on_batch(inputs, np.array([0, 1, 2, 0, 1, 2])))
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize("input_shape", [(1, 12), (6, 12)])
def test_learns(input_shape):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    inputs = rng.normal(size=(60, *input_shape)).astype("float32")
    inputs[..., :3] += 3 * np.eye(3)[labels][:, None]
    keras.utils.set_random_seed(0)
    model = speechnet.build(input_shape, 3, refinement_filters=16)
    model.compile(keras.optimizers.Adam(3e-3), BalancedMarginLoss([1, 1, 1], (0.9, 0.5, 0.1)), metrics=["accuracy"])
    losses = model.fit(inputs, labels, epochs=40, batch_size=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert (np.asarray(model(inputs)).argmax(axis=1) == labels).mean() > 0.9


def test_scores_start_away_from_0_and_1():
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(16, 1, 107)).astype("float32")
    for filters in (64, 1024):
        scores = np.asarray(speechnet.build((1, 107), 7, refinement_filters=filters)(inputs))
        assert 1e-3 < scores.mean() < 0.9


@pytest.mark.parametrize("input_shape", [(None, 107), (2, 107), (107,), (64, None)])
def test_bad_input_shape(input_shape):
    with pytest.raises(SertfError, match=r"input_shape must be \(1, dims\) or \(3 or more segments, dims\)"):
        speechnet.build(input_shape, 7)


def test_too_few_values_to_be_steps():
    with pytest.raises(SertfError, match=r"without encoding reads values as steps, 3 or more, got \(1, 2\)"):
        speechnet.build((1, 2), 7, without="encoding")


def test_unknown_module():
    with pytest.raises(SertfError, match="without must be one of encoding, .*got 'lstm'"):
        speechnet.build((1, 107), 7, without="lstm")


def test_block_size_that_does_not_divide():
    with pytest.raises(SertfError, match="dimension must divide the 62 x 10 = 620 values, got 16"):
        speechnet.build((1, 107), 7, refinement_filters=10)
