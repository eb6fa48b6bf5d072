import warnings

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.reports.representations import principal_components


def test_components_tell_the_explained_variance():
    values = np.random.default_rng(0).normal(size=(50, 3)) * [10, 1, 0]
    points, shares = principal_components("embeddings", values)
    variances = values.var(axis=0)
    assert points.shape == (50, 2) and shares[0] == pytest.approx(variances[0] / variances.sum(), abs=0.01)


def test_components_of_a_collapsed_model():
    """Every utterance embedded alike: there is nothing to explain, and no nan and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points, shares = principal_components("embeddings", np.zeros((6, 3)))
    assert not points.any() and shares.tolist() == [0, 0]


def test_components_of_one_utterance():
    with pytest.raises(SertfError, match="two or more utterances and dimensions"):
        principal_components("embeddings", np.ones((1, 3)))
