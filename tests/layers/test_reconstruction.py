import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import ReconstructionError


def test_the_error_joins_the_loss():
    inputs = keras.Input((3,))
    code = keras.layers.Dense(2, kernel_initializer="zeros", name="code")(inputs)
    reconstruction = keras.layers.Dense(3, kernel_initializer="zeros")(code)
    model = keras.Model(inputs, ReconstructionError(0.5)(code, inputs, reconstruction))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    values = np.array([[1.0, 2.0, 2.0]], "float32")
    # The code is 0 and so is its target; what is left is half of (1 + 4 + 4) / 3.
    assert model.train_on_batch(values, np.zeros((1, 2), "float32")) == pytest.approx(1.5, rel=1e-5)


def test_impossible_weight():
    with pytest.raises(SertfError, match="ReconstructionError: weight must be a finite number, got nan"):
        ReconstructionError(float("nan"))
    with pytest.raises(SertfError, match="ReconstructionError: weight must be 0 or more, got -1.0"):
        ReconstructionError(-1.0)
