import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils import estimator_checks

import sertf
from sertf.errors import SertfError

# scikit-learn's other checks fit arrays of numbers, which are no paths of recordings.
CHECKS = """
cloneable tags_renamed valid_tag_types repr no_attributes_set_in_init get_params_invariance set_params
do_not_raise_errors_in_init_or_set_params parameters_default_constructible mixin_order estimators_unfitted
""".split()
SMALL = {"front_end": "fused_statistics", "front_end_options": {"segments": 4}}


@pytest.fixture
def classifier(cache):
    return sertf.SpeechEmotionClassifier(**SMALL, cache=cache)


@pytest.fixture
def data(corpus):
    return corpus["path"].to_numpy(), corpus["emotion"].to_numpy(), corpus["speaker"].to_numpy()


@pytest.mark.parametrize("check", CHECKS)
def test_scikit_learns_own_checks(classifier, check):
    name = f"check_estimator_{check}" if check in ("cloneable", "tags_renamed", "repr") else f"check_{check}"
    getattr(estimator_checks, name)("SpeechEmotionClassifier", classifier)


def test_learns_the_clips_and_gives_probabilities(classifier, data):
    paths, emotions, speakers = data
    assert classifier.fit(paths, emotions, groups=speakers) is classifier
    assert classifier.score(paths, emotions) > 0.8
    shares = classifier.predict_proba(paths)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(classifier.classes_[shares.argmax(axis=1)], classifier.predict(paths))
    np.testing.assert_array_equal(classifier.decision_function(paths).argmax(axis=1), shares.argmax(axis=1))
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(list(paths)), shares)
    np.testing.assert_array_equal(clone(classifier).fit(paths, emotions, speakers).predict_proba(paths), shares)


def test_groups_choose_another_penalty_or_temperature_than_none(classifier, data):
    paths, emotions, speakers = data
    known = clone(classifier).fit(paths, emotions)
    unknown = classifier.fit(paths, emotions, groups=speakers)
    assert (known.penalty_, known.temperature_) != (unknown.penalty_, unknown.temperature_)


def test_cross_validation_and_grid_search(classifier, data):
    paths, emotions, speakers = data
    scores = cross_val_score(classifier, paths, emotions, groups=speakers, cv=GroupKFold(4), scoring="recall_macro")
    assert scores.shape == (4,) and scores.mean() > 0.3  # chance is 0.25
    search = GridSearchCV(classifier, {"penalty": [1.0, 1e6]}, cv=GroupKFold(2)).fit(paths, emotions, groups=speakers)
    assert search.best_params_["penalty"] in (1.0, 1e6) and search.predict(paths[:1]).shape == (1,)


def test_any_labels_and_two_of_them(classifier, data):
    paths, emotions, _ = data
    labels = np.where(emotions == emotions[0], 1, 0)
    fitted = classifier.fit(paths, labels)
    assert fitted.classes_.tolist() == [0, 1] and fitted.predict_proba(paths).shape == (len(paths), 2)
    values = fitted.decision_function(paths)
    assert values.shape == (len(paths),)
    np.testing.assert_array_equal(values > 0, fitted.predict(paths) == 1)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda c, p, y: c.fit(p[0], y), "put a single path into a list"),
        (lambda c, p, y: c.fit([], []), "is empty"),
        (lambda c, p, y: c.fit([1.5] * len(y), y), "holds 1.5"),
        (lambda c, p, y: c.fit(p, y[:3]), r"y must hold one value a path, shape \(32,\)"),
        (lambda c, p, y: c.fit(p, y, groups=["a"]), "groups must hold one value a path"),
        (lambda c, p, y: c.fit(p, [0] * len(p)), "two labels or more"),
        (lambda c, p, y: c.set_params(penalty=0).fit(p, y), "penalty must be a number above 0"),
        (lambda c, p, y: c.set_params(front_end="mfcc_chroma", front_end_options=None).fit(p, y), "other shapes"),
        (lambda c, p, y: c.set_params(front_end=None).fit(p, y), "front_end_options need a front_end"),
        (lambda c, p, y: c.fit(["nowhere.wav", *p[1:]], y), "nowhere.wav"),
    ],
)
def test_mistakes_are_one_sentence(classifier, data, change, fault):
    with pytest.raises(SertfError, match=fault):
        change(classifier, data[0], data[1])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="once is enough")
def test_the_default_reads_the_recognizers_front_end(data, cache, monkeypatch):
    monkeypatch.delenv("SERTF_WHISPER", raising=False)

    def offline(size):
        raise AssertionError(f"{size} ships with sertf")

    monkeypatch.setattr("sertf.features.whisper_weights.load", offline)
    paths, emotions, speakers = data
    fitted = sertf.SpeechEmotionClassifier(cache=cache).fit(paths, emotions, groups=speakers)
    assert fitted.linear_.kernel.shape[0] == sertf.load().card["front_end"]["shape"][1]
    assert fitted.score(paths, emotions) > 0.9
