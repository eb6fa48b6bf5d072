import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import CapsuleLength, CapsulePartition, CapsuleRouting


def softmax(values):
    exponentials = np.exp(values - max(values))
    return exponentials / exponentials.sum()


def squashed(vector):
    square = float(vector @ vector)
    return square / (1 + square) * vector / np.sqrt(square)


def literal(capsules, kernel, *, classes, iterations, mode):
    """Routing of one utterance, loop by loop: equations 12 to 14, or procedure 1 of Sabour et al."""
    count, dimension = len(capsules), kernel.shape[-1] // classes
    a = np.zeros((count, classes, dimension))
    for i in range(count):
        for j in range(classes):
            a[i, j] = capsules[i] @ kernel[i][:, j * dimension : (j + 1) * dimension]
    b = np.zeros((count, classes))
    for _ in range(iterations):
        c = [softmax(b[i]) for i in range(count)]
        v = [sum(c[i][j] * a[i, j] for i in range(count)) for j in range(classes)]
        if mode == "classic":
            v = [squashed(vector) for vector in v]
        for i in range(count):
            for j in range(classes):
                u = a[i, j] @ v[j]
                b[i, j] = u if mode == "modified" else b[i, j] + u
    return np.array(v if mode == "classic" else [squashed(vector) for vector in v])


@pytest.mark.parametrize("mode", ["modified", "classic"])
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_as_the_literal_loop(mode, iterations):
    rng = np.random.default_rng(iterations)
    batch = rng.normal(size=(2, 5, 3)).astype("float32")
    layer = CapsuleRouting(4, dimension=6, iterations=iterations, mode=mode)
    layer.build(batch.shape)
    layer.kernel.assign(rng.normal(0, 0.5, layer.kernel.shape))
    expected = [
        literal(row, np.asarray(layer.kernel), classes=4, iterations=iterations, mode=mode)
        for row in batch.astype("float64")
    ]
    np.testing.assert_allclose(np.asarray(layer(batch)), expected, rtol=1e-4, atol=1e-5)


def test_the_modes_part_from_the_second_iteration_on():
    capsules = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("float32")
    outputs = {}
    for mode in ("modified", "classic"):
        for iterations in (1, 2):
            layer = CapsuleRouting(3, dimension=3, iterations=iterations, mode=mode)
            layer.build(capsules.shape)
            layer.kernel.assign(np.random.default_rng(1).normal(size=layer.kernel.shape))
            outputs[mode, iterations] = np.asarray(layer(capsules))
    np.testing.assert_allclose(outputs["modified", 1], outputs["classic", 1], rtol=1e-6)
    assert not np.allclose(outputs["modified", 2], outputs["classic", 2], rtol=1e-3)


def test_at_two_iterations_the_modes_differ_in_the_first_squash_alone(monkeypatch):
    layers = {}
    for mode in ("modified", "classic"):
        layers[mode] = CapsuleRouting(3, dimension=3, iterations=2, mode=mode)
        layers[mode].build((1, 5, 3))
        layers[mode].kernel.assign(np.random.default_rng(1).normal(size=layers[mode].kernel.shape))
    capsules = np.random.default_rng(0).normal(size=(1, 5, 3)).astype("float32")
    monkeypatch.setattr("sertf.layers.capsules.squash", lambda vectors: vectors)
    np.testing.assert_allclose(layers["modified"](capsules), layers["classic"](capsules), rtol=1e-6)


def test_partition_keeps_the_order_and_every_value():
    values = np.arange(24, dtype="float32").reshape(1, 3, 8)
    np.testing.assert_array_equal(np.asarray(CapsulePartition(4)(values)), values.reshape(1, 6, 4))


def test_lengths():
    capsules = np.array([[[3.0, 4.0], [0.0, 0.0]]], "float32")
    np.testing.assert_allclose(np.asarray(CapsuleLength()(capsules)), [[5, 0]], atol=1e-5)


def test_capsules_of_zeros_give_finite_gradients():
    inputs = keras.Input((4, 4))
    classes = CapsuleRouting(2, dimension=4)(CapsulePartition(4)(keras.layers.Dense(4)(inputs)))
    model = keras.Model(inputs, CapsuleLength()(classes))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(np.zeros((2, 4, 4), "float32"), np.ones((2, 2), "float32"))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_block_size_that_does_not_divide():
    with pytest.raises(SertfError, match="dimension must divide the 3 x 5 = 15 values, got 4"):
        CapsulePartition(4)(np.zeros((1, 3, 5), "float32"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CapsulePartition(0), "CapsulePartition: dimension must be a whole number above 0, got 0"),
        (lambda: CapsuleRouting(3, iterations=0), "CapsuleRouting: iterations must be a whole number above 0, got 0"),
        (
            lambda: CapsulePartition(4)(keras.Input((None, 4))),
            r"inputs must be \(batch, steps, filters\), of fixed size",
        ),
        (lambda: CapsulePartition(4)(np.zeros((2, 4), "float32")), r"of fixed size but for the batch, got \(2, 4\)"),
        (lambda: CapsuleRouting(3)(keras.Input((None, 4))), r"capsules must be \(batch, capsules, values\), of fixed"),
        (lambda: CapsuleRouting(3, mode="fast"), "mode must be one of modified, classic, got 'fast'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(SertfError, match=message):
        make()


def test_saved_and_loaded_gives_the_same(tmp_path):
    inputs = keras.Input((6, 8))
    classes = CapsuleRouting(3, dimension=5, iterations=3, mode="classic")(CapsulePartition(4)(inputs))
    model = keras.Model(inputs, CapsuleLength()(classes))
    model.save(tmp_path / "model.keras")
    values = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(values)), np.asarray(model(values)))
