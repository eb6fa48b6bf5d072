"""What every trainer promises: a network of the zoo, a custom network, a linear and a scikit-learn model."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.training import batches
from sertf.training.fit import RunError
from sertf.training.fitted_at_once import LinearModel, ScikitLearn, TrainerError
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part
from sertf.training.trainers import CustomNetwork, Network, find

EMOTIONS = ("neutral", "anger", "sadness")
RECIPE = Recipe(learning_rate=0.01, epochs=2, batch_size=6)
SCORES = ["loss", "uar", "wa", "val_loss", "val_uar", "val_wa"]


@dataclass(frozen=True)
class Case:
    """A model with the options that it is tested with, and one that it does not take."""

    model: str
    kind: type
    options: dict
    misspelt: str
    nearest: str
    recipe: Recipe | None


CASES = {
    "zoo": Case("lstm_sa", Network, {"units": 4}, "unit", "units", RECIPE),
    "custom": Case("tests.own_network:build", CustomNetwork, {"units": 4}, "unit", "units", RECIPE),
    "linear": Case("ridge", LinearModel, {"penalty": 10.0}, "penaltie", "penalty", None),
    "scikit-learn": Case("gradient_boosting", ScikitLearn, {"trees": 3}, "tree", "trees", None),
}
NETWORKS = ["zoo", "custom"]


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


def made_part(count, seed):
    """Utterances of five frames whose first dimension tells their emotion."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % len(EMOTIONS)
    arrays = [rng.normal(size=(5, 3)).astype("float32") + 3 * label for label in labels]
    return Part(tuple(f"u{seed}-{i}" for i in range(count)), arrays, labels)


def fitted_of(case, *, seed=1, **options):
    parts = {name: made_part(count, i) for i, (name, count) in enumerate(PARTS.items())}
    trainer = find(case.model).pinned()
    shape = (5 if trainer.needs_one_length else None, 3)
    arguments = {"input_shape": shape, "emotions": EMOTIONS, "seed": seed, **options}
    return trainer.fit(parts, case.options, case.recipe, **arguments)


PARTS = {"train": 18, "validation": 6, "test": 7}


@pytest.fixture(scope="module")
def fitted(case):
    return fitted_of(case)


def test_a_name_is_found_once(case):
    trainer = find(case.model)
    assert type(trainer) is case.kind and trainer.name == case.model
    assert trainer == find(case.model) and hash(trainer) == hash(find(case.model))


def test_an_unknown_name_is_one_sentence_with_the_nearest():
    with pytest.raises(SertfError, match="Unknown model 'lstm_s'; did you mean lstm_sa"):
        find("lstm_s")
    with pytest.raises(SertfError, match="Unknown model 'swm'; did you mean svm"):
        find("swm")


def test_options_are_checked_by_name(case):
    trainer = find(case.model)
    trainer.check_options(case.options)
    with pytest.raises(
        SertfError, match=f"Unknown option of {case.model} '{case.misspelt}'; did you mean {case.nearest}"
    ):
        trainer.check_options({case.misspelt: 4})


def test_takes(case):
    trainer = find(case.model)
    assert all(trainer.takes(option) for option in case.options)
    assert not trainer.takes(case.misspelt)
    assert trainer.takes("dropout") == (case.recipe is not None)


def test_networks_need_a_recipe_and_scikit_learn_takes_none(case):
    trainer = find(case.model)
    trainer.check_recipe("mine", case.recipe)
    message = f"mine trains {case.model}, a network, but has no recipes" if case.recipe else "without a recipe"
    with pytest.raises(TrainerError, match=message):
        trainer.check_recipe("mine", None if case.recipe else RECIPE)


def test_dropout_in_a_recipe_needs_a_model_that_takes_it():
    recipe = replace(RECIPE, dropout=0.3)
    for name in NETWORKS:
        find(CASES[name].model).check_recipe("mine", recipe)
    with pytest.raises(TrainerError, match="dropout of 0.3, but tests.own_network:logits takes none"):
        find("tests.own_network:logits").check_recipe("mine", recipe)


def test_described_is_plain_json(case):
    described = find(case.model).described(case.options)
    assert json.loads(json.dumps(described)) == described
    assert described["name"] == case.model and described["options"] == case.options
    assert ("source" in described) == (case.kind is CustomNetwork)


def test_pinned_changes_nothing_but_a_custom_networks_source(case):
    trainer, pinned = find(case.model), find(case.model).pinned()
    assert (pinned == trainer) == (case.kind is not CustomNetwork)
    assert pinned == pinned.pinned() and pinned.described({}) == trainer.described({})


def test_another_version_of_a_pinned_module_is_not_trained():
    case = CASES["custom"]
    stale = replace(find(case.model), source="0123")
    with pytest.raises(RunError, match="tests.own_network:build is another version here"):
        stale.fit(
            {name: made_part(count, 0) for name, count in PARTS.items()},
            case.options,
            case.recipe,
            input_shape=(None, 3),
            emotions=EMOTIONS,
            seed=1,
        )


def test_fitted_model_gives_scores_that_sum_to_one(case, fitted):
    part = made_part(7, seed=2)
    scores = batches.predict(fitted.model, part)
    assert scores.shape == (7, len(EMOTIONS)) and (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_history_has_its_columns(case, fitted):
    epochs = case.recipe.epochs if case.recipe else 1
    more = ["learning_rate"] if case.recipe else ["penalty"] if case.kind is LinearModel else []
    assert next(iter(fitted.history)) == "epoch" and set(fitted.history) == {"epoch", *SCORES, *more}
    assert list(fitted.history["epoch"]) == list(range(1, epochs + 1)) and 1 <= fitted.best_epoch <= epochs
    assert fitted.history.notna().all(axis=None)


def test_same_seed_same_scores(case, fitted):
    part = made_part(7, seed=2)
    again = fitted_of(case)
    np.testing.assert_array_equal(batches.predict(again.model, part), batches.predict(fitted.model, part))


@pytest.mark.parametrize("name", NETWORKS)
def test_test_scores_are_logged_where_watched_and_decide_nothing(name):
    watched = fitted_of(CASES[name], watch_test=True)
    assert list(watched.history)[-3:] == ["test_loss", "test_uar", "test_wa"]
    plain = fitted_of(CASES[name])
    assert watched.best_epoch == plain.best_epoch
    assert watched.history[SCORES].equals(plain.history[SCORES])


def test_a_loaded_model_scores_the_same(case, fitted, tmp_path):
    trainer = find(case.model)
    fitted.model.save(tmp_path / fitted.weights_file)
    if not trainer.exportable:
        with pytest.raises(SertfError, match="holds a scikit-learn model .*, which no SavedModel can hold"):
            trainer.load(tmp_path)
        return
    part = made_part(7, seed=2)
    again = batches.predict(trainer.load(tmp_path), part)
    np.testing.assert_array_equal(again, batches.predict(fitted.model, part))


def test_parameters_are_those_that_are_trained(case, fitted):
    counted = find(case.model).parameters(fitted.model)
    if not find(case.model).exportable:
        assert counted is None
    else:
        model = fitted.model
        assert counted == model.count_params() - sum(np.size(weight) for weight in model.non_trainable_weights) > 0


def test_environment_names_its_library(case):
    environment = find(case.model).environment()
    assert json.loads(json.dumps(environment)) == environment
    assert ("scikit-learn" in json.dumps(environment)) == (case.recipe is None)
