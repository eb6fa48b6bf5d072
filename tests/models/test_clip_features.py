"""What a linear model reads of a trained network."""

import numpy as np
import pytest

from sertf.models import MODELS
from sertf.models.clip_features import clip_features, side_by_side

rng = np.random.default_rng(3)


@pytest.fixture(scope="module")
def network():
    import keras

    keras.utils.set_random_seed(1)
    return MODELS["attentive_cnn"]((None, 64), 4, width=4)


def read(network, features, mean=0.0, std=1.0):
    made = clip_features(network, np.full(64, mean, np.float32), np.full(64, std, np.float32))
    return np.asarray(made(features.astype("float32"), training=False))


def test_values_are_the_embedding_and_statistics_of_inner_states(network):
    import keras

    features = rng.normal(size=(2, 40, 64)).astype("float32")
    found = read(network, features)
    layers = [network.get_layer(name).output for name in ("embedding", "pool_2")]
    embedding, inner = map(np.asarray, keras.Model(network.input, layers)(features, training=False))
    inner = inner.reshape(2, 5, -1)  # every 8th frame
    expected = np.concatenate([embedding, inner.mean(axis=1), inner.std(axis=1)], axis=1)
    assert found.shape == (2, 1, 32 + 2 * 8 * 8)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-3, atol=2e-3)


def test_the_scaling_is_part_of_it_and_padding_changes_nothing(network):
    features = rng.normal(size=(1, 40, 64))
    found = read(network, 3 * features + 5, mean=5, std=3)
    np.testing.assert_allclose(found, read(network, features), rtol=1e-4, atol=1e-4)
    padded = np.concatenate([3 * features + 5, np.zeros((1, 24, 64))], axis=1)
    np.testing.assert_allclose(read(network, padded, mean=5, std=3), found, rtol=1e-4, atol=1e-4)


def test_several_networks_follow_each_other(network, tmp_path):
    import keras

    keras.utils.set_random_seed(2)
    other = MODELS["attentive_cnn"]((None, 64), 4, width=4)
    scaling = np.zeros(64, np.float32), np.ones(64, np.float32)
    both = [clip_features(one, *scaling, name=f"read_{number}") for number, one in enumerate((network, other))]
    features = rng.normal(size=(2, 24, 64)).astype("float32")
    expected = np.concatenate([read(network, features), read(other, features)], axis=2)
    side_by_side(both).save(tmp_path / "read.keras")
    for made in (side_by_side(both), keras.saving.load_model(tmp_path / "read.keras", compile=False)):
        np.testing.assert_allclose(np.asarray(made(features, training=False)), expected, rtol=1e-5, atol=1e-5)
    assert side_by_side(both[:1]) is both[0]


def test_of_other_networks_it_is_the_embedding():
    network = MODELS["lstm_sa"]((6, 5), 4, units=4)
    made = clip_features(network, np.zeros(5), np.ones(5))
    assert made.output_shape == (None, 1, network.get_layer("embedding").output.shape[-1])


def test_it_is_loaded_as_it_was_saved(network, tmp_path):
    import keras

    made = clip_features(network, np.full(64, 0.5, np.float32), np.full(64, 2.0, np.float32))
    made.save(tmp_path / "read.keras")
    features = rng.normal(size=(2, 24, 64)).astype("float32")
    again = keras.saving.load_model(tmp_path / "read.keras", compile=False)
    np.testing.assert_array_equal(np.asarray(again(features)), np.asarray(made(features)))
