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
