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


def test_a_small_corpus_counts_as_much_as_a_large_one():
    """Two corpora tell the emotions by different values; the larger one alone decides where each clip counts the same."""
    rng = np.random.default_rng(0)
    labels = (np.arange(60) % 3).astype("int32")
    of_small = np.arange(60) >= 48
    arrays = rng.normal(0, 1, (60, 4, 6)).astype("float32")
    told = 2 * np.eye(3, dtype="float32")[labels][:, None]
    arrays[~of_small, :, :3] += told[~of_small]
    arrays[of_small, :, 3:] += told[of_small]
    part = Part(tuple(f"u{i}" for i in range(60)), list(arrays), labels)
    heard = []
    for corpora in (None, {u: str(small) for u, small in zip(part.utterances, of_small)}):
        model = network()
        speakers = {u: f"{small}{i % 4}" for i, (u, small) in enumerate(zip(part.utterances, of_small))}
        start_linearly(model, part, emotions=("a", "b", "c"), seed=0, speakers=speakers, corpora=corpora)
        kernel, _ = model.get_layer("scores").get_weights()  # (values, emotions)
        heard.append(np.abs(kernel[3:]).sum() / np.abs(kernel).sum())
    assert heard[1] > 1.2 * heard[0]
