"""A linear start: the untrained network answers as ridge regression on its pooled values does."""

import keras
import numpy as np

from sertf.models.linear import PENALTIES
from sertf.models.ridge import balanced_weights, class_targets, fit_ridge
from sertf.training.linear_start import start_linearly
from sertf.training.scaling import Part


def network():
    values = keras.Input((4, 6), name="features")
    pooled = keras.layers.GlobalAveragePooling1D(name="pooled")(values)
    x = keras.layers.Normalization(name="embedding")(pooled)
    return keras.Model(values, keras.layers.Dense(3, activation="softmax", name="scores")(x))


def test_the_network_starts_as_ridge_regression(tmp_path):
    rng = np.random.default_rng(0)
    labels = (np.arange(48) % 3).astype("int32")
    arrays = rng.normal(5, 2, (48, 4, 6)).astype("float32")
    arrays[:, :, :3] += 2 * np.eye(3, dtype="float32")[labels][:, None]
    part = Part(tuple(f"u{i}" for i in range(48)), list(arrays), labels)
    model = network()
    start_linearly(model, part, emotions=("a", "b", "c"), seed=0, speakers={u: u[-1] for u in part.utterances})
    kernel, _ = model.get_layer("scores").get_weights()
    pooled = arrays.mean(axis=1)
    rows = (pooled - pooled.mean(axis=0)) / pooled.std(axis=0)
    # The penalty is one of the grid; the kernel is its solution up to the temperature.
    found = fit_ridge(rows, class_targets(labels, 3), PENALTIES["ridge"], balanced_weights(labels, 3))
    likeness = [np.corrcoef(one.kernel.ravel(), kernel.ravel())[0, 1] for one in found]
    assert max(likeness) > 0.99999
    scores = keras.ops.convert_to_numpy(model(arrays))
    assert (scores.argmax(axis=1) == labels).mean() > 0.8
    model.save(tmp_path / "started.keras")
    again = keras.saving.load_model(tmp_path / "started.keras")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(arrays)), scores)
