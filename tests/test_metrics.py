"""Streaming metrics against scikit-learn, over batches, weights, a compiled model and both backends."""

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from sertf.errors import SertfError
from sertf.metrics import UnweightedAverageRecall


def one_hot(labels, num_classes):
    return np.eye(num_classes, dtype="float32")[labels]


def value(metric):
    return float(keras.ops.convert_to_numpy(metric.result()))


def test_hand_worked():
    metric = UnweightedAverageRecall(3)
    metric.update_state(np.array([0, 0, 0, 0, 1, 2]), one_hot([0, 0, 0, 1, 1, 0], 3))
    assert value(metric) == pytest.approx((3 / 4 + 1 + 0) / 3)


def test_a_class_without_utterances_is_left_out():
    metric = UnweightedAverageRecall(4)
    metric.update_state(np.array([0, 0, 2]), one_hot([0, 3, 2], 4))
    assert value(metric) == pytest.approx((1 / 2 + 1) / 2)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_batches_of_any_size_equal_one_pass(shape):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 203)
    scores = rng.normal(size=(203, 5)).astype("float32")
    metric = UnweightedAverageRecall(5)
    for start in range(0, 203, 32):  # the last batch is shorter
        metric.update_state(truth[start : start + 32].reshape(shape), scores[start : start + 32])
    assert value(metric) == pytest.approx(balanced_accuracy_score(truth, scores.argmax(axis=1)), abs=1e-6)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_sample_weight(shape):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 60)
    scores = rng.normal(size=(60, 4)).astype("float32")
    weights = rng.integers(0, 3, 60).astype("float32")
    metric = UnweightedAverageRecall(4)
    metric.update_state(truth.reshape(-1, 1), scores, sample_weight=weights.reshape(shape))
    expected = balanced_accuracy_score(truth, scores.argmax(axis=1), sample_weight=weights)
    assert value(metric) == pytest.approx(expected, abs=1e-6)


def test_weight_zero_hides_a_class():
    metric = UnweightedAverageRecall(2)
    metric.update_state(np.array([0, 1]), one_hot([0, 0], 2), sample_weight=np.array([1.0, 0.0]))
    assert value(metric) == 1.0


def test_no_rows_and_reset():
    metric = UnweightedAverageRecall(2)
    assert value(metric) == 0.0
    metric.update_state(np.array([0, 1]), one_hot([0, 1], 2))
    assert value(metric) == 1.0
    metric.reset_state()
    assert value(metric) == 0.0


def test_config_rebuilds_it():
    metric = UnweightedAverageRecall(7, name="recall")
    assert metric.get_config() == {"num_classes": 7, "name": "recall", "dtype": "float32"}
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert isinstance(again, UnweightedAverageRecall)
    assert again.get_config() == metric.get_config()


def test_in_a_compiled_model(tmp_path):
    rng = np.random.default_rng(2)
    features = rng.normal(size=(50, 6)).astype("float32")
    truth = rng.integers(0, 3, 50)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[UnweightedAverageRecall(3)])
    model.fit(features, truth, batch_size=16, epochs=1, verbose=0)
    expected = balanced_accuracy_score(truth, model.predict(features, verbose=0).argmax(axis=1))
    assert model.evaluate(features, truth, batch_size=16, verbose=0, return_dict=True)["uar"] == pytest.approx(
        expected, abs=1e-6
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(features, truth, verbose=0, return_dict=True)["uar"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("num_classes", [1, 0, -3, 2.5, "8", True, None])
def test_refuses_a_senseless_number_of_classes(num_classes):
    with pytest.raises(SertfError, match="num_classes must be an integer of 2 or more"):
        UnweightedAverageRecall(num_classes)
