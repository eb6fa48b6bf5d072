import joblib
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.classical import CLASSICAL, ClassicalModel


def make_data(classes=3, count=45, shape=(1, 8)):
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes
    arrays = rng.normal(size=(count, *shape)).astype("float32")
    arrays[:, 0, :classes] += 3 * np.eye(classes)[labels]
    return list(arrays), labels


@pytest.mark.parametrize("name", sorted(CLASSICAL))
@pytest.mark.parametrize("classes", [2, 3])
def test_learns_and_gives_scores_that_sum_to_one(name, classes, tmp_path):
    arrays, labels = make_data(classes)
    model = ClassicalModel(CLASSICAL[name](seed=1), classes=classes).fit(arrays[:30], labels[:30])
    scores = model.predict_on_batch(np.stack(arrays[30:]))
    assert scores.shape == (15, classes) and scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    assert (scores.argmax(axis=1) == labels[30:]).mean() > 0.75
    model.save(tmp_path / "weights.joblib")
    again = ClassicalModel(joblib.load(tmp_path / "weights.joblib"), classes=classes)
    np.testing.assert_array_equal(again.predict_on_batch(np.stack(arrays[30:])), scores)


def test_the_largest_score_is_the_machines_own_prediction():
    arrays, labels = make_data(classes=4, count=80)
    model = ClassicalModel(CLASSICAL["svm"](seed=0), classes=4).fit(arrays, labels)
    flat = np.stack(arrays).reshape(80, -1)
    assert (model.predict_on_batch(np.stack(arrays)).argmax(axis=1) == model.estimator.predict(flat)).all()


def test_the_seed_decides_the_boosting():
    arrays, labels = make_data()
    scores = [
        ClassicalModel(CLASSICAL["gradient_boosting"](seed=seed), classes=3)
        .fit(arrays, labels)
        .predict_on_batch(arrays)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_options_reach_the_estimators():
    svm = CLASSICAL["svm"](seed=0, C=1.0, gamma="auto").get_params()
    assert (svm["C"], svm["gamma"], svm["kernel"]) == (1.0, "auto", "rbf")
    svm = CLASSICAL["svm"](seed=0).get_params()
    assert (svm["C"], svm["gamma"]) == (10.0, "scale")
    boosting = CLASSICAL["gradient_boosting"](seed=7, trees=20, subsample=0.5, max_features=None).get_params()
    assert boosting["n_estimators"] == 20 and boosting["subsample"] == 0.5 and boosting["max_features"] is None
    boosting = CLASSICAL["gradient_boosting"](seed=7).get_params()
    assert (boosting["n_estimators"], boosting["subsample"], boosting["max_features"]) == (200, 0.8, "sqrt")
    assert (boosting["max_depth"], boosting["random_state"]) == (3, 7)


def test_arrays_of_different_shapes():
    with pytest.raises(SertfError, match=r"features of one shape, got 2, such as \(3, 8\) and \(4, 8\)"):
        ClassicalModel(CLASSICAL["svm"](seed=0), classes=2).fit([np.zeros((4, 8)), np.zeros((3, 8))], [0, 1])


@pytest.mark.parametrize("labels", [[0, 1, 2] * 15, [0, 1] * 20, [[0, 1, 0]] * 15])
def test_labels_that_are_no_class_indices_of_the_utterances(labels):
    with pytest.raises(
        SertfError, match=r"needs labels of shape \(45,\), one an utterance, from 0 to 1, got the shape"
    ):
        ClassicalModel(CLASSICAL["svm"](seed=0), classes=2).fit(make_data(2)[0], labels)


def test_a_class_without_utterances():
    arrays, labels = make_data(2)
    with pytest.raises(SertfError, match=r"no utterance of the classes \[2\]"):
        ClassicalModel(CLASSICAL["svm"](seed=0), classes=3).fit(arrays, labels)
