"""How each model trains on other data: every model has its place, fits its front end, and declares what it was tuned on."""

import pytest

from sertf.errors import SertfError
from sertf.features import FEATURES, whisper_weights
from sertf.models import MODELS
from sertf.models.classical import CLASSICAL
from sertf.models.linear import LINEAR
from sertf.papers import own_data


def test_every_model_and_front_end_has_its_place():
    assert own_data.SYSTEMS.keys() == MODELS.keys() | LINEAR.keys() | CLASSICAL.keys() | {"whisper"}
    assert set(own_data.FRONT_ENDS) == set(FEATURES)


@pytest.mark.parametrize(
    ("model", "corpus", "leaks"),
    [
        ("reslstm_sa", "ravdess", ["tuning"]),
        ("reslstm_sa", "table", []),
        ("speechnet", "emodb", ["tuning"]),
        ("serct", "emodb", ["tuning"]),
        ("gru", "emodb", []),
        ("ridge", "emodb", ["tuning"]),
        ("whisper", "ravdess", ["tuning"]),
        ("whisper", "table", []),
    ],
)
def test_a_recipe_that_was_chosen_on_the_corpus_is_declared(model, corpus, leaks):
    made = own_data.experiment("mine", model, "speaker-independent-5", corpus=corpus)
    assert [name for name, _ in made.declared_leaks(model, "speaker-independent-5")] == leaks


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_network_takes_its_front_end(model):
    system = own_data.system(model)
    front_end = FEATURES[system.front_end](**system.front_end_options)
    assert MODELS[model](front_end.feature_shape, 5, **system.variant.options).output_shape == (None, 5)


def test_an_experiment_on_own_data():
    made = own_data.experiment("mine", "speechnet", "random-80-20")
    recipe = made.recipe("speechnet", "random-80-20")
    assert recipe.epochs == 200 and recipe.monitor is None  # nothing is held out to choose by
    assert made.setting("random-80-20").scaling == "training"
    other = own_data.experiment("mine", "cnn_transformer", "speaker-independent-5", front_end="mfcc_chroma")
    assert (other.front_end, other.front_end_options) == ("mfcc_chroma", {})
    assert other.variant("cnn_transformer").augmentation is None
    assert own_data.experiment("mine", "svm", "random-80-20").recipe("svm", "random-80-20") is None


def test_the_default_is_a_linear_model_on_whispers_blocks_that_ship_with_sertf(monkeypatch):
    monkeypatch.delenv("SERTF_WHISPER", raising=False)
    made = own_data.experiment("mine", own_data.DEFAULT, "leave-one-of-two-out")
    variant = made.variant("whisper")
    assert (variant.model, made.front_end) == ("ridge", "whisper") and variant.options == {}
    assert whisper_weights.shipped(made.front_end_options["size"], max(made.front_end_options["blocks"])) is not None


def test_spectrograms_are_augmented_behind_the_models_own_front_end_alone():
    altered = {}
    for front_end in (None, "log_mel"):
        made = own_data.experiment("mine", "attentive_cnn", "random-80-20", front_end=front_end)
        altered[front_end] = made.recipe("attentive_cnn", "random-80-20").spectrogram_augmentation
    assert altered[None].frames == 192 and altered["log_mel"] is None


def test_a_front_end_by_name_has_the_options_of_its_experiments():
    assert own_data.front_end_of("ridge", "whisper") == ("whisper", own_data.whisper.FRONT_END_OPTIONS)
    assert own_data.front_end_of(name="waveform")[1]["sample_rate"] == 16000
    assert own_data.front_end_of("ridge", "functionals") == ("functionals", {})


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("mine", "reslstm", "random-80-20"), {}, "did you mean reslstm_sa"),
        (
            ("mine", "my_models:build", "random-80-20"),
            {},
            "is a custom model without a known front end and recipe",
        ),
        (("mine", "reslstm_sa", "speaker-independant-5"), {}, "did you mean speaker-independent-5"),
        (("mine", "reslstm_sa", "random-80-20"), {"front_end": "log-mel"}, "did you mean log_mel"),
    ],
)
def test_mistakes_offer_the_nearest_names(arguments, options, message):
    with pytest.raises(SertfError, match=message):
        own_data.experiment(*arguments, **options)
