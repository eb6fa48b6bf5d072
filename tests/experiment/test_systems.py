"""The systems agree with the experiments that they are from, and fit their front ends."""

import importlib
import sys
from pathlib import Path

import pytest

from sertf.errors import SertfError
from sertf.experiment import systems
from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.models.classical import CLASSICAL

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
# model: script, variant
SOURCES = {
    "reslstm_sa": ("reslstm_sa_ravdess", "reslstm_sa_h64"),
    "lstm_sa": ("reslstm_sa_ravdess", "lstm_sa_h64"),
    "speechnet": ("speechnet_emodb", "small_segments_sabour_margins"),
    "cnn_transformer": ("cnn_transformer_ravdess", "cpu_masks_160_epochs"),
    "wavelet_cnn_lstm": ("wavelet_cnn_lstm_emodb", "cpu_masks"),
    "serct": ("serct_emodb", "narrow_rate_3e-4"),
    "lsm": ("speechnet_baselines", "lsm"),
    "svm": ("speechnet_baselines", "svm"),
}


def test_every_model_and_front_end_has_its_place():
    assert systems.SYSTEMS.keys() == MODELS.keys() | CLASSICAL.keys()
    assert set(systems.FRONT_ENDS) == set(FEATURES)


@pytest.mark.parametrize("model", SOURCES)
def test_a_system_is_that_of_its_experiment(model, monkeypatch):
    script, name = SOURCES[model]
    monkeypatch.setattr(sys, "path", [str(EXPERIMENTS), *sys.path])
    theirs = importlib.import_module(script).EXPERIMENT
    variant, ours = theirs.variant(name), systems.system(model)
    assert variant.model == model and ours.front_end == theirs.front_end
    front_end = FEATURES[ours.front_end]
    expected = front_end(**theirs.front_end_options_of(name), name="same").get_config()
    assert front_end(**ours.front_end_options, name="same").get_config() == expected
    assert ours.recipe == theirs.recipe(name, "strict")
    assert (ours.options, ours.augmentation, ours.scaled_each) == (
        variant.options,
        variant.augmentation,
        variant.scaled_each,
    )
    assert set(variant.tuned_on) <= set(ours.tuned_on)


@pytest.mark.parametrize(
    ("model", "corpus", "leaks"),
    [
        ("reslstm_sa", "ravdess", ["tuning"]),
        ("reslstm_sa", "table", []),
        ("speechnet", "emodb", ["tuning"]),
        ("serct", "emodb", ["tuning"]),
        ("gru", "emodb", []),
    ],
)
def test_a_recipe_that_was_chosen_on_the_corpus_is_declared(model, corpus, leaks):
    made = systems.experiment("mine", model, "speaker-independent-5", corpus=corpus)
    assert [name for name, _ in made.declared_leaks(model, "speaker-independent-5")] == leaks


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_network_takes_its_front_end(model):
    system = systems.system(model)
    front_end = FEATURES[system.front_end](**system.front_end_options)
    assert MODELS[model](front_end.feature_shape, 5, **system.options).output_shape == (None, 5)


def test_an_experiment_on_own_data():
    made = systems.experiment("mine", "speechnet", "random-80-20", epochs=3)
    recipe = made.recipe("speechnet", "random-80-20")
    assert recipe.epochs == 3 and recipe.monitor is None  # nothing is held out to choose by
    assert made.setting("random-80-20").scaling == "training"
    other = systems.experiment("mine", "cnn_transformer", "speaker-independent-5", front_end="mfcc_chroma")
    assert (other.front_end, other.front_end_options) == ("mfcc_chroma", {})
    assert other.variant("cnn_transformer").augmentation is None
    assert systems.experiment("mine", "svm", "random-80-20").recipe("svm", "random-80-20") is None


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("mine", "reslstm", "random-80-20"), {}, "did you mean reslstm_sa"),
        (
            ("mine", "my_models:build", "random-80-20"),
            {},
            "is a model of your own, for which no front end and recipe are known",
        ),
        (("mine", "reslstm_sa", "speaker-independant-5"), {}, "did you mean speaker-independent-5"),
        (("mine", "reslstm_sa", "random-80-20"), {"front_end": "log-mel"}, "did you mean log_mel"),
        (("mine", "svm", "random-80-20"), {"epochs": 3}, "has no epochs"),
    ],
)
def test_mistakes_offer_the_nearest_names(arguments, options, message):
    with pytest.raises(SertfError, match=message):
        systems.experiment(*arguments, **options)
