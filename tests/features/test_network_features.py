"""A trained network's values of a clip as features."""

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features.network_features import NetworkFeatures
from sertf.features.speech_log_mel import SpeechLogMel
from sertf.models import MODELS
from sertf.models.clip_features import clip_features


def test_they_are_those_of_the_network_on_the_features_of_a_clip():
    front_end = SpeechLogMel()
    network = clip_features(MODELS["attentive_cnn"]((None, 64), 4, width=4), np.zeros(64), np.ones(64))
    layer = NetworkFeatures(front_end, network)
    layer.build((None, None))
    clips = np.random.default_rng(0).normal(scale=0.1, size=(2, 16_000)).astype("float32")
    lengths = np.array([16_000, 9_000], "int32")
    found = np.asarray(layer(clips, lengths))
    assert found.shape == (2, *layer.feature_shape) and layer.sample_rate == front_end.sample_rate
    np.testing.assert_allclose(found, np.asarray(network(front_end(clips, lengths))), rtol=1e-4, atol=1e-4)
    alone = np.asarray(layer(clips[1:, :9_000], lengths[1:]))
    np.testing.assert_allclose(found[1:], alone, rtol=1e-3, atol=1e-3)
    with pytest.raises(SertfError, match="export the run"):
        layer.get_config()


def test_other_features_of_one_shape_follow_them():
    from sertf.features.functionals import Functionals

    network = clip_features(MODELS["attentive_cnn"]((None, 64), 4, width=4), np.zeros(64), np.ones(64))
    beside = Functionals()
    layer = NetworkFeatures(SpeechLogMel(), network, beside=beside)
    layer.build((None, None))
    clips = np.random.default_rng(1).normal(scale=0.1, size=(2, 16_000)).astype("float32")
    found = np.asarray(layer(clips, np.array([16_000, 12_000], "int32")))
    others = np.asarray(beside(clips, np.array([16_000, 12_000], "int32")))[:, 0]
    assert found.shape == (2, *layer.feature_shape)
    np.testing.assert_allclose(found[:, 0, -others.shape[1] :], others, rtol=1e-5)
    with pytest.raises(SertfError, match="one sample rate"):
        NetworkFeatures(SpeechLogMel(), network, beside=Functionals(sample_rate=22_050, win_length=1408))
