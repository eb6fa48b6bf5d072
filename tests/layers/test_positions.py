import math

import keras
import numpy as np

from sertf.layers import LearnedPositions, NoisePositions, SinusoidalPositions


def test_positions_are_added_to_each_step():
    layer = LearnedPositions()
    steps = np.zeros((2, 4, 3), "float32")
    added = np.asarray(layer(steps))
    np.testing.assert_array_equal(added[0], np.asarray(layer.positions))
    np.testing.assert_array_equal(added[0], added[1])


def test_sines_and_cosines_by_turns(tmp_path):
    inputs = keras.Input((4, 5))
    model = keras.Model(inputs, SinusoidalPositions()(inputs))
    model.save(tmp_path / "positions.keras")
    steps = np.ones((2, 4, 5), "float32")
    for place in (model, keras.models.load_model(tmp_path / "positions.keras")):
        added = np.asarray(place(steps)) - 1
        for t in range(4):
            a, b, c = (t / 10000 ** (2 * i / 5) for i in range(3))
            expected = [math.sin(a), math.cos(a), math.sin(b), math.cos(b), math.sin(c)]
            np.testing.assert_allclose(added, np.broadcast_to(added[:1], added.shape))
            np.testing.assert_allclose(added[0, t], expected, atol=1e-6)
    assert model.count_params() == 0


def test_noise_is_drawn_once_kept_with_the_model_and_not_trained(tmp_path):
    inputs = keras.Input((450, 1024))
    model = keras.Model(inputs, NoisePositions()(inputs))
    steps = np.zeros((1, 450, 1024), "float32")
    added = np.asarray(model(steps))
    assert 0.0443 < np.abs(added).max() <= 0.0446 and abs(added.mean()) < 1e-3  # the code's ±√(6 / (2000 + 1024))
    model.save(tmp_path / "positions.keras")
    np.testing.assert_array_equal(added, np.asarray(keras.models.load_model(tmp_path / "positions.keras")(steps)))
    assert not model.trainable_weights
