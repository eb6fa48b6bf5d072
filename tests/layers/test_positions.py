import numpy as np

from sertf.layers import LearnedPositions


def test_positions_are_added_to_each_step():
    layer = LearnedPositions()
    steps = np.zeros((2, 4, 3), "float32")
    added = np.asarray(layer(steps))
    np.testing.assert_array_equal(added[0], np.asarray(layer.positions))
    np.testing.assert_array_equal(added[0], added[1])
