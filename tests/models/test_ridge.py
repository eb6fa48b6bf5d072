"""Ridge regression against scikit-learn's, with rows or dimensions in the majority."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sertf.models import ridge


@pytest.mark.parametrize("dims", [5, 60, 300])
def test_every_penalty_is_scikit_learns(dims):
    rng = np.random.default_rng(0)
    features = rng.normal(2, 3, (60, dims)).astype("float32")
    targets, weights = rng.normal(size=(60, 3)), rng.uniform(0.5, 2, 60)
    for penalty, ours in zip((0.1, 10, 1e4), ridge.fit_ridge(features, targets, (0.1, 10, 1e4), weights)):
        theirs = Ridge(alpha=penalty).fit(features.astype("float64"), targets, sample_weight=weights)
        np.testing.assert_allclose(ours.kernel, theirs.coef_.T, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(ours.bias, theirs.intercept_, rtol=1e-6, atol=1e-6)


def test_targets_and_weights_of_classes():
    labels = np.array([0, 1, 1, 1, 2, 2])
    targets, weights = ridge.class_targets(labels, 3), ridge.balanced_weights(labels, 3)
    assert targets.tolist()[0] == [1, -1, -1] and targets.sum() == -6
    np.testing.assert_allclose([weights[labels == k].sum() for k in range(3)], 2)
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("count", [50, 12], ids=["more rows than dimensions", "fewer"])
def test_the_leverage_is_that_of_the_inverse(count):
    rng = np.random.default_rng(0)
    rows, weights, seen = rng.normal(2, 3, (count, 20)), rng.uniform(0.5, 2, count), rng.normal(2, 5, (9, 20))
    centre = weights @ rows / weights.sum()
    gram = ((rows - centre).T * weights) @ (rows - centre) + 7.0 * np.eye(20)
    expected = np.einsum("id,de,ie->i", seen - centre, np.linalg.inv(gram), seen - centre)
    leverage = ridge.fit_ridge(rows, rows[:, :2], [7.0], weights)[0].leverage
    np.testing.assert_allclose(leverage(seen), expected, rtol=0.01)  # float16 axes


def test_few_directions_keep_the_order_of_rows_near_and_far(monkeypatch):
    rng = np.random.default_rng(0)
    spread = np.geomspace(10, 0.1, 40)
    rows = rng.normal(size=(300, 40)) * spread
    near, far = rng.normal(size=(50, 40)) * spread, rng.normal(size=(50, 40)) * spread[::-1]
    monkeypatch.setattr(ridge, "DIRECTIONS", 8)
    made = ridge.fit_ridge(rows, rows[:, :2], [30.0], np.ones(300))[0].leverage
    assert made.axes.shape == (40, 8)
    assert np.quantile(made(near), 0.9) < np.quantile(made(far), 0.1)
