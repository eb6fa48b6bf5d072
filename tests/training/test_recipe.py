import math

import pytest

from sertf.errors import SertfError
from sertf.training.recipe import Recipe, Tuned, read_recipe, write_recipe
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation


def test_annealing_restarts_and_falls_to_one_percent():
    recipe = Recipe(learning_rate=1.0, restart_epochs=4)
    assert recipe.learning_rate_at(0) == 1
    assert recipe.learning_rate_at(2) == pytest.approx(0.01 + 0.99 / 2)
    assert recipe.learning_rate_at(3.999) == pytest.approx(0.01, abs=1e-4)
    assert recipe.learning_rate_at(4) == 1


def test_annealing_once_an_epoch_is_that_of_pytorchs_warm_restarts():
    """CosineAnnealingWarmRestarts(optimizer, T0, eta_min=0.01), stepped at the end of each epoch."""
    recipe = Recipe(learning_rate=1.0, restart_epochs=4, annealing="epoch")
    rates = [0.01 + 0.99 * (1 + math.cos(math.pi * (epoch % 4) / 4)) / 2 for epoch in range(8)]
    assert [recipe.learning_rate_at(epoch) for epoch in range(8)] == pytest.approx(rates)
    assert recipe.learning_rate_at(2.9) == recipe.learning_rate_at(2)
    with pytest.raises(SertfError, match="Recipe annealing must be batch without restart_epochs, but is 'epoch'"):
        Recipe(annealing="epoch")


def test_without_restarts_the_rate_stays():
    assert Recipe(learning_rate=0.5).learning_rate_at(17) == 0.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0),
        ("optimizer", "rmsprop"),
        ("momentum", 1),
        ("l2", -1),
        ("dropout", 1.0),
        ("batch_size", 0),
        ("epochs", 0),
        ("restart_epochs", 0),
        ("loss", "hinge"),
        ("margins", (0.9, 0.5, -0.1)),
        ("margins", (0.9, 0.5)),
        ("margins", 0.5),
        ("learning_rate", "fast"),
        ("dropout", "half"),
        ("monitor", "accuracy"),
        ("patience", 0),
        ("decay_epochs", 0),
        ("decay_factor", 0),
        ("decay_factor", 1.5),
        ("accumulation", 0),
        ("precision", "float16"),
        ("learning_rate", float("inf")),
        ("learning_rate", float("nan")),
        ("momentum", 0.9),  # of adam
        ("l2", float("nan")),
        ("batch_size", 2.5),
        ("epochs", True),
        ("patience", 1.5),
        ("accumulation", float("nan")),
        ("weight_decay", 0.1),  # of adam
        ("warmup_epochs", 100),
        ("warmup_epochs", -1),
        ("label_smoothing", 1.0),
        ("mixup", -0.1),
        ("ema", 1.0),
        ("class_weights", "inverse"),
        ("spectrogram_augmentation", {"frames": 3}),
        ("annealing", "step"),
        ("batching", "sorted"),
    ],
)
def test_bad_values_are_named(name, value):
    with pytest.raises(SertfError, match=f"Recipe {name} must be"):
        Recipe(**{name: value})


def test_patience_needs_something_to_wait_for():
    with pytest.raises(SertfError, match="Recipe patience must be None without a monitor, but is 5"):
        Recipe(monitor=None, patience=5)


def test_steps_of_the_rate():
    recipe = Recipe(learning_rate=1e-3, decay_epochs=10)
    rates = [recipe.learning_rate_at(epoch) for epoch in (0, 9, 9.99, 10, 19, 20)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5])
    assert Recipe(learning_rate=1.0, decay_epochs=2, decay_factor=0.5).learning_rate_at(5) == 0.25


def test_one_schedule_at_a_time():
    with pytest.raises(SertfError, match="Recipe decay_epochs must be None with restart_epochs, but is 10"):
        Recipe(decay_epochs=10, restart_epochs=2)


def test_one_cycle_rises_to_the_rate_and_falls_to_0():
    recipe = Recipe(learning_rate=1.0, warmup_epochs=10, epochs=60)
    rates = [recipe.learning_rate_at(epoch) for epoch in (0, 5, 10, 35, 60)]
    assert rates == pytest.approx([0.04, 0.52, 1, 0.5, 0])
    assert Recipe(learning_rate=1.0, warmup_epochs=0).learning_rate_at(0) == 1
    with pytest.raises(SertfError, match="warmup_epochs must be None with decay_epochs or restart_epochs"):
        Recipe(warmup_epochs=3, restart_epochs=2)


@pytest.mark.parametrize("name", ["label_smoothing", "mixup"])
def test_soft_targets_need_the_cross_entropy(name):
    assert Recipe(**{name: 0.1}).soft_targets and not Recipe().soft_targets
    with pytest.raises(SertfError, match=f"Recipe {name} must be 0 but for the loss cross_entropy"):
        Recipe(**{name: 0.1, "loss": "balanced_margin"})


def test_class_weights_exclude_the_l2_penalty():
    with pytest.raises(SertfError, match=r"Recipe class_weights must be None with l2 \(use adamw's weight_decay\)"):
        Recipe(class_weights="balanced", l2=1e-4)
    Recipe(class_weights="balanced", optimizer="adamw", weight_decay=0.01)


def test_digests_of_earlier_recipes_hold():
    """Runs carry the digest of these very values: a new field must not enter it until it is used."""
    assert Recipe(learning_rate=0.01, l2=0.1).to_dict() == {
        "learning_rate": 0.01,
        "optimizer": "adam",
        "momentum": 0.0,
        "l2": 0.1,
        "dropout": None,
        "batch_size": 32,
        "loss": "cross_entropy",
        "margins": (0.5, 0.5, 0.5),
        "epochs": 100,
        "restart_epochs": None,
        "monitor": "uar",
        "patience": None,
    }
    used = {"decay_epochs": 10, "decay_factor": 0.5, "accumulation": 4, "precision": "bfloat16"}
    assert Recipe(**used).to_dict() == {**Recipe().to_dict(), **used}
    used = {"optimizer": "adamw", "weight_decay": 0.02, "warmup_epochs": 6, "label_smoothing": 0.1, "mixup": 0.3}
    used |= {"ema": 0.99, "class_weights": "balanced"}
    assert Recipe(**used).to_dict() == {**Recipe().to_dict(), **used}
    used = {"restart_epochs": 3, "annealing": "epoch", "batching": "random"}
    assert Recipe(**used).to_dict() == {**Recipe().to_dict(), **used}


def test_round_trip():
    for recipe in (Recipe(l2=0.1, dropout=0.2), Recipe(decay_epochs=10, accumulation=2)):
        assert Recipe(**recipe.to_dict()) == recipe


def test_recipe_files_round_trip(tmp_path):
    for tuned in (
        Tuned("reslstm_sa", Recipe(l2=1e-4, dropout=0.2, restart_epochs=3)),
        Tuned("lstm_sa", Recipe(restart_epochs=3, annealing="epoch", batching="random")),
        Tuned("serct", Recipe(monitor=None, margins=(0.9, 0.5, 0.1), precision="bfloat16"), {"layers": 3}),
        Tuned("attentive_cnn", Recipe(ema=0.99, mixup=0.3, spectrogram_augmentation=SpectrogramAugmentation(192))),
        Tuned("wavelet_cnn_lstm", Recipe(), {"kernels": (3, 5), "pooling": "max"}, corpus="emodb"),
    ):
        write_recipe(tmp_path / "recipe.json", tuned)
        assert read_recipe(tmp_path / "recipe.json") == tuned


def test_what_a_recipe_file_leaves_out_has_its_default(tmp_path):
    (tmp_path / "recipe.json").write_text('{"model": "svm", "recipe": {"epochs": 3, "l2": 1}}')
    assert read_recipe(tmp_path / "recipe.json") == Tuned("svm", Recipe(epochs=3, l2=1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("learning_rate = 1", "is not a recipe file: it is not JSON"),
        ("[]", "the file must be a table"),
        ('{"model": "serct"}', "the file lacks recipe"),
        ('{"model": 3, "recipe": {}}', "model must be a name, but is 3"),
        ('{"model": "serct", "recipe": {}, "corpus": 3}', "corpus must be a name, but is 3"),
        ('{"model": "serct", "recipe": {}, "rate": 1}', "the file has the unknown key 'rate'"),
        ('{"model": "serct", "recipe": {}, "options": [1]}', "options must be a table"),
        ('{"model": "serct", "recipe": {"rate": 1}}', "recipe has the unknown key 'rate'; known are .*learning_rate"),
        ('{"model": "serct", "recipe": {"epochs": 2.5}}', "recipe epochs must be of type int, but is 2.5"),
        ('{"model": "serct", "recipe": {"epochs": true}}', "recipe epochs must be of type int, but is True"),
        ('{"model": "serct", "recipe": {"patience": "3"}}', r"patience must be of type int \| None, but is '3'"),
        ('{"model": "serct", "recipe": {"l2": null}}', "recipe l2 must be of type float, but is None"),
        ('{"model": "serct", "recipe": {"spectrogram_augmentation": {}}}', "spectrogram_augmentation lacks frames"),
        ('{"model": "serct", "recipe": {"spectrogram_augmentation": {"frames": 0}}}', "frames must be a whole number"),
        ('{"model": "serct", "recipe": {"margins": [0.5, 0.5]}}', "recipe margins must be of type tuple"),
        ('{"model": "serct", "recipe": {"l2": -1}}', "recipe.json: Recipe l2 must be finite, 0 or more, but is -1"),
    ],
)
def test_bad_recipe_files(tmp_path, content, message):
    (tmp_path / "recipe.json").write_text(content)
    with pytest.raises(SertfError, match=message):
        read_recipe(tmp_path / "recipe.json")


def test_no_recipe_file(tmp_path):
    with pytest.raises(SertfError, match="nothing.json: cannot be read"):
        read_recipe(tmp_path / "nothing.json")
