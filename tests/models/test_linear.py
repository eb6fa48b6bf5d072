"""Linear models as networks: they answer as scikit-learn's do, and so does the export."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from sertf.errors import SertfError
from sertf.models import linear
from sertf.models.confidence import Curve
from sertf.models.ridge import balanced_weights, class_targets, fit_ridge, softmax
from sertf.training.scaling import Part
from sertf.training.trainers import find


def drawn(count, classes=3, dims=20, seed=0):
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % classes).astype("int32")
    arrays = rng.normal(0, 1, (count, 1, dims)).astype("float32")
    arrays[:, 0, :classes] += 1.5 * np.eye(classes)[labels]
    return Part(tuple(f"u{i}" for i in range(count)), list(arrays), labels)


def parts(validation=30, **options):
    return {
        "train": drawn(40, seed=1, **options),
        "validation": drawn(validation, seed=2, **options),
        "test": drawn(30, seed=3, **options),
    }


def fitted(name, given, options=None, classes=3, **groups):
    dims = given["train"].arrays[0].shape
    emotions = tuple("abc"[:classes])
    return find(name).fit(given, options or {}, None, input_shape=dims, emotions=emotions, seed=0, **groups)


def one_against_rest(penalty):
    return OneVsRestClassifier(SVC(C=1 / penalty, kernel="linear", class_weight="balanced", tol=1e-8))


def decision_values(model, part):
    inner = keras.Model(model.input, model.get_layer("decision_values").output)
    return keras.ops.convert_to_numpy(inner(np.stack(part.arrays)))


@pytest.mark.parametrize("dims", [20, 90])
@pytest.mark.parametrize("classes", [2, 3])
def test_answers_are_scikit_learns(dims, classes):
    given = parts(classes=classes, dims=dims)
    train, test = given["train"], given["test"]
    rows, seen = linear.flat_rows(train.arrays).astype("float64"), linear.flat_rows(test.arrays)
    machines = {
        "ridge": Ridge(alpha=30.0).fit(
            rows, class_targets(train.labels, classes), sample_weight=balanced_weights(train.labels, classes)
        ),
        "logistic": LogisticRegression(C=1 / 30, class_weight="balanced", tol=1e-8, max_iter=5000).fit(
            rows, train.labels
        ),
        "linear_svm": one_against_rest(30.0).fit(rows, train.labels),
    }
    for name, machine in machines.items():
        values = decision_values(fitted(name, given, {"penalty": 30.0}, classes).model, test)
        expected = machine.predict(seen) if name == "ridge" else machine.decision_function(seen)
        if expected.ndim == 1:
            values = values[:, 1] - values[:, 0]
        np.testing.assert_allclose(values, expected, atol=2e-3 if name == "logistic" else 1e-5)


@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_a_group_of_a_lower_scale_has_a_higher_penalty(name):
    given, half = parts(), np.repeat([1.0, 0.5], 10).astype("float32")
    scaled = {part: replace(one, arrays=[array * half for array in one.arrays]) for part, one in given.items()}
    values = decision_values(fitted(name, given, {"penalty": 30.0, "group_scales": (1.0, 0.5)}).model, given["test"])
    expected = decision_values(fitted(name, scaled, {"penalty": 30.0}).model, scaled["test"])
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_groups_of_unlike_sizes():
    with pytest.raises(SertfError, match="ridge: 20 values cannot be cut into 3 groups of one size"):
        fitted("ridge", parts(), {"group_scales": (1.0, 0.5, 0.5)})


def test_values_beyond_the_clip_count_no_further():
    model = fitted("ridge", parts()).model
    far, further = (np.full((1, 1, 20), value, "float32") for value in (8.0, 1e6))
    np.testing.assert_array_equal(model.predict_on_batch(far), model.predict_on_batch(further))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="LiteRT and SavedModels are TensorFlow's")
def test_an_export_is_as_unsure_of_unlike_clips_as_the_network(tmp_path):
    import tensorflow as tf

    from sertf.export.graph import ServingModule
    from sertf.export.litert import write_litert
    from sertf.features import FusedStatistics

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 107)).astype("float32")
    scales = rng.uniform(0.3, 1.0, 107)
    made = fit_ridge(rows * scales, class_targets(np.arange(60) % 3, 3), [50.0], np.ones(60))[0]
    curve = Curve(0.2, 1.0, 2.0)
    network = linear.network(made, (1, 107), name="ridge", scales=scales, curve=curve)
    scaling = {"mean": np.zeros(107, "float32"), "std": np.ones(107, "float32")}
    text, front_end = tmp_path / "labels.txt", FusedStatistics()
    text.write_text("a\nb\nc\n")
    module = ServingModule(network, front_end, **scaling, emotions=tuple("abc"), labels=text, minimum_seconds=0.1)
    folder = tmp_path / "saved"
    tf.saved_model.save(module, str(folder), signatures=module.signatures())
    seen = (4 * rng.normal(size=(9, 1, 107))).astype("float32")
    scores = tf.saved_model.load(str(folder)).signatures["features"](features=seen)["scores"].numpy()
    clipped = np.clip(seen[:, 0], -8, 8).astype("float64") * scales
    values = made.values(clipped) / curve(made.leverage(clipped))[:, None]
    np.testing.assert_allclose(scores, softmax(values), atol=1e-4)
    assert write_litert(folder, network, front_end, **scaling)["difference"] < 1e-3


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a SavedModel is TensorFlow's")
@pytest.mark.parametrize("name", ["ridge", "linear_svm"])
def test_an_exported_model_answers_as_scikit_learns(name, tmp_path):
    import tensorflow as tf

    from sertf.export.graph import ServingModule
    from sertf.features import FusedStatistics

    front_end = FusedStatistics()
    rng = np.random.default_rng(0)
    raw = rng.normal(3, 2, (40, 1, 107)).astype("float32")
    labels = (np.arange(40) % 3).astype("int32")
    mean, std = raw.mean(axis=0)[0], raw.std(axis=0)[0]
    given = {part: Part(tuple(map(str, range(40))), list((raw - mean) / std), labels) for part in ("train", "test")}
    given["validation"] = Part((), [], np.zeros(0, "int32"))
    network = fitted(name, given, {"penalty": 50.0}).model
    text = tmp_path / "labels.txt"
    text.write_text("a\nb\nc\n")
    module = ServingModule(
        network, front_end, mean=mean, std=std, emotions=("a", "b", "c"), labels=text, minimum_seconds=0.1
    )
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.signatures())
    scores = tf.saved_model.load(str(tmp_path / "saved")).signatures["features"](features=raw)["scores"].numpy()
    rows = np.clip(((raw - mean) / std)[:, 0], -8, 8).astype("float64")
    if name == "ridge":
        targets, weights = class_targets(labels, 3), balanced_weights(labels, 3)
        values = Ridge(alpha=50.0).fit(rows, targets, sample_weight=weights).predict(rows)
    else:
        values = one_against_rest(50.0).fit(rows, labels).decision_function(rows)
    exponentials = np.exp(values)
    np.testing.assert_allclose(scores, exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-5)
