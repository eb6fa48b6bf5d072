import re

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.baselines import BASELINES

# Parameters on one vector of 107 values and on 64 segments of them, 7 classes: what the docstrings call sensible sizes.
COUNTS = {
    "autoencoder": (88_690, 3_546_823),
    "cnn": (125_383, 159_303),
    "gru": (38_279, 58_631),
    "lsm": (67_591, 94_727),
    "lstm": (50_375, 77_511),
    "rbm": (29_447, 1_755_143),
    "tcn": (112_007, 139_143),
    "transformer": (107_399, 111_431),
    "unet": (78_407, 88_583),
}


@pytest.mark.parametrize("name", sorted(BASELINES))
@pytest.mark.parametrize("input_shape", [(1, 107), (64, 107)])
def test_both_readings(name, input_shape):
    model = BASELINES[name](input_shape, 7)
    assert model.output_shape == (None, 7)
    assert model.count_params() == COUNTS[name][input_shape[0] > 1]
    assert len(model.get_layer("embedding").output.shape) == 2


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_learns(name):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    inputs = rng.normal(size=(90, 1, 12)).astype("float32")
    inputs[:, 0, :3] += 3 * np.eye(3)[labels]
    keras.utils.set_random_seed(0)
    model = BASELINES[name]((1, 12), 3, dropout=0.1)
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=25, batch_size=30, verbose=0)
    assert (np.asarray(model(inputs)).argmax(axis=1) == labels).mean() > 0.6  # chance is a third


@pytest.mark.parametrize(("name", "steps"), [("lstm", 107), ("transformer", 107), ("rbm", 1)])
def test_one_vector_is_read_as_steps_of_one_value(name, steps):
    shapes = [layer.output.shape for layer in BASELINES[name]((1, 107), 7).layers]
    assert (None, 107, 1) in shapes if steps == 107 else (None, 107, 1) not in shapes


def test_unet_pads_what_does_not_halve():
    model = BASELINES["unet"]((1, 107), 7)
    assert (None, 108, 1) in [layer.output.shape for layer in model.layers]


@pytest.mark.parametrize("shape", [(None, 46), (46,), (4, None)])
@pytest.mark.parametrize("name", sorted(BASELINES))
def test_features_of_any_length_are_refused(name, shape):
    """They take no mask, so that padding would change the scores."""
    message = f"{name}: input_shape must be (1, dims) or (steps, dims) of a fixed number of steps, got {shape}"
    with pytest.raises(SertfError, match=re.escape(message)):
        BASELINES[name](shape, 4)


def test_tcn_hears_the_dilated_past_of_its_last_step():
    """Two convolutions of 3 taps a block, 1 and 2 steps apart: 1 + 2·2·1 + 2·2·2 = 13 steps, none of them to come."""
    model = BASELINES["tcn"]((20, 4), 3, filters=6, dilations=(1, 2), kernel=3)
    steps = np.random.default_rng(0).normal(size=(1, 20, 4)).astype("float32")

    def moved(step):
        other = steps.copy()
        other[0, step] += 3
        return np.abs(np.asarray(model(other)) - np.asarray(model(steps))).max() > 1e-7

    assert [step for step in range(20) if moved(step)] == list(range(7, 20))


def test_transformer_heads_divide_the_width():
    with pytest.raises(SertfError, match="transformer: heads must divide the width of 10, got 4"):
        BASELINES["transformer"]((4, 6), 3, width=10)
