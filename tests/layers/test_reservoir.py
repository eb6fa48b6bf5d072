import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import LiquidReservoir


def test_as_the_literal_loop():
    keras.utils.set_random_seed(3)
    layer = LiquidReservoir(6, leak=0.8, input_gain=2.0, recurrent_gain=1.0)
    steps = np.random.default_rng(0).normal(size=(2, 9, 3)).astype("float32")
    counts = np.asarray(layer(steps))
    inputs, recurrent = np.asarray(layer.input_weights), np.asarray(layer.recurrent_weights)
    for row, found in zip(steps, counts):
        potential, spikes, total = np.zeros(6, "float32"), np.zeros(6, "float32"), np.zeros(6)
        for step in row:
            potential = np.float32(0.8) * potential + step @ inputs + spikes @ recurrent
            spikes = (potential >= 1).astype("float32")
            potential = potential * (1 - spikes)
            total += spikes
        np.testing.assert_allclose(found, total, atol=1e-6)
    assert 0 < counts.mean() < 9


def test_nothing_is_trained_and_the_seed_decides():
    weights = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        layer = LiquidReservoir(4)
        layer.build((None, 5, 2))
        weights.append(np.asarray(layer.recurrent_weights))
    assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 2
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_gains_are_the_weights_deviations_for_one_neuron():
    keras.utils.set_random_seed(0)
    layer = LiquidReservoir(400, input_gain=2.0, recurrent_gain=0.5)
    layer.build((None, 5, 50))
    assert np.asarray(layer.input_weights).std() == pytest.approx(2.0 / 50**0.5, rel=0.03)
    assert np.asarray(layer.recurrent_weights).std() == pytest.approx(0.5 / 400**0.5, rel=0.03)


def test_impossible_sizes():
    with pytest.raises(SertfError, match="LiquidReservoir: neurons must be a whole number above 0, got 2.5"):
        LiquidReservoir(2.5)


@pytest.mark.parametrize("name", ["leak", "input_gain", "recurrent_gain"])
def test_impossible_gains(name):
    with pytest.raises(SertfError, match=f"LiquidReservoir: {name} must be a finite number, got nan"):
        LiquidReservoir(4, **{name: float("nan")})
