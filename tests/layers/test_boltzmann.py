import itertools

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import ClassificationRBM


def test_softmax_of_the_energies_is_the_sum_over_all_hidden_states():
    rng = np.random.default_rng(0)
    layer = ClassificationRBM(4, 3)
    layer.build((None, 5))
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    W, U, c, d = (np.asarray(w, "float64") for w in (layer.visible, layer.classes, layer.hidden_bias, layer.class_bias))
    x = rng.normal(size=(2, 5)).astype("float32")
    ours = np.exp(np.asarray(layer(x), "float64"))
    ours /= ours.sum(axis=1, keepdims=True)
    for row, probabilities in zip(x, ours):
        joint = np.zeros(3)
        for y in range(3):
            for state in itertools.product((0, 1), repeat=4):
                h = np.array(state)
                joint[y] += np.exp(h @ (W.T @ row) + h @ c + d[y] + h @ U[:, y])
        np.testing.assert_allclose(probabilities, joint / joint.sum(), rtol=1e-4)


def test_impossible_sizes():
    with pytest.raises(SertfError, match="ClassificationRBM: hidden_units must be a whole number above 0, got 0"):
        ClassificationRBM(0, 3)
