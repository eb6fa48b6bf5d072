import pytest

from sertf.errors import SertfError
from sertf.recipes import Recipe


def test_annealing_restarts_and_falls_to_one_percent():
    recipe = Recipe(learning_rate=1.0, restart_epochs=4)
    assert recipe.learning_rate_at(0) == 1
    assert recipe.learning_rate_at(2) == pytest.approx(0.01 + 0.99 / 2)
    assert recipe.learning_rate_at(3.999) == pytest.approx(0.01, abs=1e-4)
    assert recipe.learning_rate_at(4) == 1


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
        ("monitor", "accuracy"),
        ("patience", 0),
    ],
)
def test_bad_values_are_named(name, value):
    with pytest.raises(SertfError, match=f"Recipe {name} must be"):
        Recipe(**{name: value})


def test_patience_needs_something_to_wait_for():
    with pytest.raises(SertfError, match="Recipe patience must be None without a monitor, but is 5"):
        Recipe(monitor=None, patience=5)


def test_round_trip():
    recipe = Recipe(l2=0.1, dropout=0.2)
    assert Recipe(**recipe.to_dict()) == recipe
