"""Linear and scikit-learn models: validation chooses a penalty, options are checked, and networks alone are exported."""

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.evaluation.calibration import fit_temperature
from sertf.evaluation.scores import uar
from sertf.models import linear
from sertf.training.fit import RunError
from sertf.training.fitted_at_once import LinearModel, of_penalty
from sertf.training.trainers import find
from tests.models.test_linear import fitted, parts


@pytest.mark.parametrize("name", linear.LINEAR)
def test_validation_chooses_the_penalty(name):
    made = fitted(name, parts())
    history = made.history.set_index("epoch")
    assert tuple(history["penalty"]) == linear.PENALTIES[name]
    assert history["val_uar"].max() == history.loc[made.best_epoch, "val_uar"] > 0.5
    ties = history[history["val_uar"] == history["val_uar"].max()]
    assert history.loc[made.best_epoch, "val_loss"] == ties["val_loss"].min()
    again = fitted(name, parts(), {"penalty": history.loc[made.best_epoch, "penalty"]})
    assert len(again.history) == 1
    np.testing.assert_allclose(again.model.get_weights()[0], made.model.get_weights()[0], atol=1e-6)


@pytest.mark.parametrize("name", linear.LINEAR)
def test_without_validation_inner_folds_of_speakers_choose_the_penalty(name):
    given = parts(validation=0)
    speakers = {u: f"s{i % 4}" for i, u in enumerate(given["train"].utterances)}
    made = fitted(name, given, speakers=speakers)
    history = made.history.set_index("epoch")
    chosen = history.loc[made.best_epoch]
    assert chosen["val_uar"] == uar(given["train"].labels, made.out_of_fold.argmax(axis=1))
    assert history["val_loss"].min() == chosen["val_loss"] == of_penalty(given["train"].labels, made.out_of_fold)[0]
    # What is kept was fitted on all of the training part.
    again = fitted(name, given, {"penalty": chosen["penalty"]})
    np.testing.assert_allclose(again.model.get_weights()[0], made.model.get_weights()[0], atol=1e-6)
    assert again.out_of_fold is None


@pytest.mark.parametrize("name", linear.LINEAR)
def test_of_several_corpora_each_is_an_inner_fold_and_counts_the_same(name):
    given = parts(validation=0)
    train = given["train"]
    speakers = {u: f"s{i % 4}" for i, u in enumerate(train.utterances)}
    corpora = {u: "large" if i % 4 else "small" for i, u in enumerate(train.utterances)}
    plain = LinearModel(name, by_leverage=False)
    arguments = {"input_shape": train.arrays[0].shape, "emotions": tuple("abc"), "seed": 0}
    made = plain.fit(given, {}, None, **arguments, speakers=speakers, corpora=corpora)
    chosen = made.history.set_index("epoch").loc[made.best_epoch]
    # Folds of speakers and folds of corpora count the same.
    losses = [of_penalty(train.labels, scores)[0] for scores in (made.out_of_fold, made.out_of_corpus)]
    assert chosen["val_loss"] == made.history["val_loss"].min() == pytest.approx(np.mean(losses))
    # Repeating the smaller corpus thrice changes nothing of a model in which corpora count the same.
    repeated = [i for i, u in enumerate(train.utterances) for _ in range(3 if corpora[u] == "small" else 1)]
    names = [f"{train.utterances[i]}-{place}" for place, i in enumerate(repeated)]
    thrice = {**given, "train": type(train)(tuple(names), [train.arrays[i] for i in repeated], train.labels[repeated])}
    kept = {name: corpora[train.utterances[i]] for name, i in zip(names, repeated)}
    count = len(names) / len(train.utterances)  # the loss is a sum over rows
    same = fitted(name, thrice, {"penalty": count * chosen["penalty"]}, corpora=kept)
    # The machines of one class against the rest count the rest by clips.
    atol = 0.02 if name == "linear_svm" else 1e-3
    np.testing.assert_allclose(same.model.get_weights()[0], made.model.get_weights()[0], atol=atol)


def test_ridge_regression_on_several_corpora_is_less_sure_of_clips_unlike_them():
    given = parts(validation=0, dims=12)
    train = given["train"]
    speakers = {u: f"s{i % 4}" for i, u in enumerate(train.utterances)}
    corpora = {u: "one" if i % 8 < 4 else "other" for i, u in enumerate(train.utterances)}
    for i, u in enumerate(train.utterances):
        train.arrays[i][:, 6:] += 2.0 if corpora[u] == "one" else -2.0  # each has a sound of its own
    made = fitted("ridge", given, speakers=speakers, corpora=corpora)
    alike = np.stack(train.arrays)
    unlike = alike.copy()
    unlike[:, :, 6:] += np.array([6.0, -6.0] * 3, "float32")  # along which nothing of training varies
    values, temperatures = (
        keras.Model(made.model.input, made.model.get_layer(name).output) for name in ("decision_values", "temperature")
    )
    near, far = (np.asarray(temperatures.predict_on_batch(rows)) for rows in (alike, unlike))
    assert far.min() > near.max()
    powers = np.exp(np.asarray(values.predict_on_batch(unlike)) / far)
    np.testing.assert_allclose(
        made.model.predict_on_batch(unlike), powers / powers.sum(axis=1, keepdims=True), atol=1e-5
    )
    # The kept values of inner folds are by the same curve: they need no temperature any more.
    both = np.concatenate([made.out_of_fold, made.out_of_corpus])
    assert fit_temperature(np.tile(train.labels, 2), both) == pytest.approx(1, abs=0.15)


def test_a_corpus_that_lacks_an_emotion_leaves_folds_by_speaker():
    given = parts(validation=0)
    train = given["train"]
    speakers = {u: f"s{i % 4}" for i, u in enumerate(train.utterances)}
    corpora = {u: "one" if label else "other" for u, label in zip(train.utterances, train.labels)}
    made = fitted("ridge", given, speakers=speakers, corpora=corpora)
    np.testing.assert_allclose(made.out_of_fold, fitted("ridge", given, speakers=speakers).out_of_fold)
    assert made.out_of_corpus is None and "temperature" not in [layer.name for layer in made.model.layers]


def test_inner_folds_keep_speakers_apart():
    labels = np.arange(30) % 3
    speakers = np.array([f"s{i % 7}" for i in range(30)])
    folds = linear.inner_folds(labels, speakers)
    assert len(folds) == linear.INNER_FOLDS
    assert all(not set(speakers[one]) & set(speakers[other]) for one, other in folds)
    assert sorted(np.concatenate([scored for _, scored in folds])) == list(range(30))
    for alone in (None, np.full(30, "s")):  # nobody to keep apart
        assert all(set(labels[scored]) == {0, 1, 2} for _, scored in linear.inner_folds(labels, alone))


def test_an_emotion_of_one_utterance_leaves_no_inner_fold():
    given = parts(validation=0)
    given["train"] = given["train"].taken([0, 3, 6, 1, 2, 4, 7], "abcdefg")
    with pytest.raises(RunError, match="one of its emotions has a single utterance; give the option penalty"):
        fitted("ridge", given)
    assert fitted("ridge", given, {"penalty": 100.0}).best_epoch == 1


def test_a_saved_model_answers_the_same(tmp_path):
    given = parts()
    model = fitted("ridge", given).model
    model.save(tmp_path / "weights.keras")
    loaded = find("ridge").load(tmp_path)
    np.testing.assert_array_equal(
        loaded.predict_on_batch(np.stack(given["test"].arrays)), model.predict_on_batch(np.stack(given["test"].arrays))
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"penalty": 0}, "ridge: penalty must be a number above 0, or None to choose it, got 0"),
        ({"penalty": "much"}, "penalty must be a number above 0"),
        ({"group_scales": (1.0, 0.0)}, "ridge: group_scales must be numbers above 0, one a group of values"),
        ({"group_scales": 0.5}, "ridge: group_scales must be numbers above 0"),
        ({"C": 1.0}, "Unknown option of ridge 'C'; known are penalty, group_scales"),
    ],
)
def test_options_that_no_linear_model_takes(options, message):
    with pytest.raises(SertfError, match=message):
        find("ridge").check_options(options)


@pytest.mark.parametrize("name", ["svm", "gradient_boosting"])
def test_other_models_of_scikit_learn_say_that_they_cannot_be_exported(name, tmp_path):
    assert not find(name).exportable and find("ridge").exportable
    with pytest.raises(SertfError, match=rf"scikit-learn model \({name}\), which no SavedModel can hold"):
        find(name).load(tmp_path)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("svm", {"C": -1.0}, "Options of svm: The 'C' parameter of SVC must be a float"),
        ("svm", {"gamma": "x"}, "Options of svm: The 'gamma' parameter"),
        ("gradient_boosting", {"trees": 0}, "Options of gradient_boosting: The 'n_estimators' parameter"),
        ("gradient_boosting", {"subsample": 2.0}, "The 'subsample' parameter"),
        ("svm", {"seed": 3}, "Unknown option of svm 'seed'; known are C, gamma"),
    ],
)
def test_options_that_no_estimator_takes(model, options, message):
    with pytest.raises(SertfError, match=message):
        find(model).check_options(options)
    find("gradient_boosting").check_options({"trees": 5, "subsample": 0.5, "max_features": None})
