import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import WeightedBlockSum


def test_begins_as_the_mean_of_the_blocks():
    blocks = np.random.default_rng(0).normal(size=(2, 5, 3, 4)).astype("float32")
    side_by_side = blocks.reshape(2, 5, 12)
    np.testing.assert_allclose(WeightedBlockSum(3)(side_by_side), blocks.mean(axis=2), rtol=1e-5, atol=1e-6)


def test_learns_which_block_tells():
    rng = np.random.default_rng(0)
    side_by_side = rng.normal(size=(256, 12)).astype("float32")
    model = keras.Sequential([keras.Input((12,)), WeightedBlockSum(3, name="sum")])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(side_by_side, side_by_side[:, 4:8], epochs=20, verbose=0)
    shares = keras.ops.convert_to_numpy(keras.ops.softmax(model.get_layer("sum").logits))
    assert shares.argmax() == 1 and shares[1] > 0.9


def test_blocks_must_divide_the_values():
    with pytest.raises(SertfError, match="12 values are not 5 blocks of one width"):
        WeightedBlockSum(5)(np.zeros((1, 12), "float32"))
