import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.losses import BalancedMarginLoss, class_weights


def literal(truth, scores, weights, margins):
    """Equation 15, sum by sum, with β as printed."""
    a1, a2, a3 = margins
    total, (rows, classes) = 0.0, scores.shape
    for i in range(rows):
        y = [1.0 if j == truth[i] else 0.0 for j in range(classes)]
        beta = 0.0
        for c in range(classes):
            beta += (1 - y[c] + y[c] * (classes - 1) / (1 - 1 / classes)) / (1 - 1 / classes) / classes
        for j in range(classes):
            hit = y[j] * max(0.0, a1 - scores[i, j]) ** 2
            miss = a2 * (1 - y[j]) * max(0.0, scores[i, j] - a3) ** 2
            total += weights[j] * (hit + miss) * max(beta, 1.0)
    return total / rows


@pytest.mark.parametrize("classes", [2, 4, 7])
@pytest.mark.parametrize("margins", [(0.5, 0.5, 0.5), (0.9, 0.5, 0.1)])
def test_as_the_equation_written_out(classes, margins):
    rng = np.random.default_rng(0)
    truth, scores = rng.integers(0, classes, 9), rng.uniform(0, 1, (9, classes)).astype("float32")
    weights = rng.uniform(0.5, 2, classes)
    loss = BalancedMarginLoss(weights, margins)
    assert float(loss(truth, scores)) == pytest.approx(literal(truth, scores, weights, margins), rel=1e-5)
    assert float(loss(truth[:, None], scores)) == pytest.approx(float(loss(truth, scores)), rel=1e-6)


def test_zero_where_every_margin_is_kept_and_where_all_scores_are_a_half():
    loss = BalancedMarginLoss([1, 1, 1])
    assert float(loss([1], np.array([[0.2, 0.8, 0.5]], "float32"))) == 0
    assert float(loss([0], np.full((1, 3), 0.5, "float32"))) == 0
    assert float(BalancedMarginLoss([1, 1, 1], (0.9, 0.5, 0.1))([0], np.full((1, 3), 0.5, "float32"))) > 0


def test_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(1)
    truth, scores = np.array([0, 2, 1]), rng.uniform(0, 1, (3, 3)).astype("float32")
    weights, margins = [0.5, 1.0, 1.5], (0.9, 0.5, 0.1)
    loss = BalancedMarginLoss(weights, margins)
    # One step of gradient descent from these scores, held as a layer's weights.
    model = keras.Sequential([keras.Input((1,), dtype="int32"), keras.layers.Embedding(3, 3)])
    model.layers[0].set_weights([scores])
    flat = keras.Sequential([model, keras.layers.Flatten()])
    flat.compile(keras.optimizers.SGD(1.0), loss, jit_compile=False)
    flat.train_on_batch(np.array([[0], [1], [2]]), truth)
    gradient = scores - np.asarray(model.layers[0].get_weights()[0])
    step = 1e-4
    for i, j in np.ndindex(3, 3):
        up, down = scores.astype("float64"), scores.astype("float64")
        up[i, j] += step
        down[i, j] -= step
        slope = (literal(truth, up, weights, margins) - literal(truth, down, weights, margins)) / (2 * step)
        assert gradient[i, j] == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_config_round_trip():
    loss = BalancedMarginLoss([0.5, 1.5], (0.9, 0.5, 0.1))
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    scores = np.array([[0.3, 0.6]], "float32")
    assert float(again([0], scores)) == float(loss([0], scores))


def test_class_weights_are_inverse_frequencies_of_mean_one():
    weights = class_weights([0] * 6 + [1] * 3 + [2] * 2, 3)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights * [6, 3, 2], weights[0] * 6, rtol=1e-6)


def test_a_class_without_training_utterances_is_named():
    with pytest.raises(SertfError, match="no utterance of anger; its weight in a balanced loss would be infinite"):
        class_weights([0, 0, 2], 3, names=["neutral", "anger", "fear"])
    for labels in ([0, 1, 3], [-1, 0, 1]):
        with pytest.raises(SertfError, match="labels must be from 0 to 2, got"):
            class_weights(labels, 3)
    for labels in ([0.0, 1.0], ["a", "b"], [[0, 1]], 1):
        with pytest.raises(SertfError, match="labels must be a list of class indices, whole numbers, got"):
            class_weights(labels, 2)


@pytest.mark.parametrize("weights", [[1.0], [1.0, float("inf")], [1.0, 0.0], 3, [[1.0, 1.0]], ["a", "b"]])
def test_bad_weights(weights):
    with pytest.raises(SertfError, match="weights must be 2 or more finite numbers above 0"):
        BalancedMarginLoss(weights)


@pytest.mark.parametrize(
    "margins",
    [(0.5,), (float("nan"), 0.5, 0.1), (0.5, 0.5, float("inf")), 0.5, (None, 0.5, 0.1), (-1, 0, 0), (0.9, 0.5, 1.1)],
)
def test_bad_margins(margins):
    with pytest.raises(SertfError, match="margins must be three numbers from 0 to 1"):
        BalancedMarginLoss([1, 1], margins)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([[0, 1, 0]], [[0.2, 0.8, 0.5]]), ([1], [[0.2, 0.8]]), ([1], [[0.2, 0.8, 0.5]] * 2), ([1, 0], [[0.2, 0.8, 0.5]])],
)
def test_labels_and_scores_of_other_shapes(labels, scores):
    """One-hot labels would be taken for three labels; two scores fit no three weights."""
    with pytest.raises(
        SertfError, match=r"labels must be class indices \(batch,\) and scores \(batch, 3\), one a weight"
    ):
        BalancedMarginLoss([1, 1, 1])(np.array(labels), np.array(scores, "float32"))
    assert float(BalancedMarginLoss([1, 1, 1])(np.array([[1]]), np.array([[0.2, 0.8, 0.5]], "float32"))) == 0
