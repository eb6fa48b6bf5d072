import pytest

from sertf.errors import SertfError
from sertf.experiment import Experiment, Setting, Variant, digest
from sertf.recipes import Recipe


@pytest.fixture
def experiment():
    recipe = Recipe(epochs=2)
    return Experiment(
        name="toy",
        paper="none",
        corpus="embedded",
        front_end="mfcc_chroma",
        variants={"small": Variant("reslstm_sa", options={"units": 4}, recipes={"strict": recipe})},
        protocols={
            "strict": Setting("speaker-independent-4"),
            "paper": Setting("speaker-independent-4", "corpus", True),
        },
    )


def test_identity_changes_with_what_decides_a_run(experiment):
    identity = experiment.identity("small", "strict")
    assert identity["model"] == {"name": "reslstm_sa", "options": {"units": 4}}
    changed = {**identity, "recipe": {**identity["recipe"], "epochs": 3}}
    assert digest(identity) != digest(changed)
    assert digest(identity) == digest(dict(reversed(identity.items())))


def test_declared_leaks():
    assert Setting("x").declared_leaks == []
    assert [name for name, _ in Setting("x", scaling="corpus", tuned_on_test=True).declared_leaks] == [
        "scaling",
        "tuning",
    ]


def test_unknown_names_list_the_known(experiment):
    with pytest.raises(SertfError, match="Unknown variant 'big'; known are small"):
        experiment.identity("big", "strict")
    with pytest.raises(SertfError, match="Unknown protocol 'loose'; known are strict, paper"):
        experiment.setting("loose")
    with pytest.raises(SertfError, match="protocol with a recipe for small 'paper'"):
        experiment.identity("small", "paper")


def test_bad_scaling():
    with pytest.raises(SertfError, match="Setting scaling must be one of training, corpus"):
        Setting("x", scaling="test")


def test_frozen(experiment):
    with pytest.raises(AttributeError):
        experiment.seed = 3
