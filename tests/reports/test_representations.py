import warnings

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features import FEATURES, make
from sertf.reports.representations import dimensions_of, principal_components


@pytest.mark.parametrize("name", FEATURES)
def test_labels_name_every_dimension_of_a_front_end(name):
    front_end = make(name, {})
    dims = front_end.feature_shape[-1]
    found = dimensions_of({"name": name, "config": front_end.get_config()}, dims)
    assert sum(size for _, size in found) == dims
    assert "dimension" not in found[0][0]
    groups = [feature.rpartition("_")[0] for feature in front_end.feature_names]
    if name in ("mfcc_chroma", "log_mel"):
        assert [size for _, size in found] == [groups.count(group) for group in dict.fromkeys(groups)]
    if name == "fused_statistics":
        sizes = [groups.count(group) for group in list(dict.fromkeys(groups))[:6]]
        assert [size for _, size in found] == [*sizes, 4]


def test_labels_of_colours_and_of_a_custom_front_end():
    config = make("scalogram", {"colour": "rgb", "n_scales": 16}).get_config()
    assert dimensions_of({"name": "scalogram", "config": config}, 48) == [("scale 1 to 16, red to blue", 48)]
    assert dimensions_of({"name": "mine:Energy", "config": {}}, 3) == [("dimension 1 to 3", 3)]
    assert dimensions_of(None, 3) == [("dimension 1 to 3", 3)]


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
