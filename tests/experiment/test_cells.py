"""What the names of an experiment are resolved to."""

from dataclasses import replace

import pytest

from sertf.audio.augmentation import Augmentation, WhiteNoise
from sertf.errors import SertfError
from sertf.experiment.cells import resolve
from sertf.protocols.splits import protocol
from sertf.training.fitted_at_once import ScikitLearn, TrainerError
from sertf.training.trainers import CustomNetwork, Network
from tests.protocols.test_splits import make_table
from tests.toy import EXPERIMENT, RECIPE, changed

SMALL = EXPERIMENT.variants["small"]
SEVERAL = replace(
    EXPERIMENT,
    variants={
        "small": SMALL,
        "large": replace(SMALL, options={"units": 8}),
        "few": replace(SMALL, front_end_options={"n_mfcc": 5}),
        "noisy": replace(SMALL, augmentation=Augmentation((WhiteNoise((10.0, 20.0)),), copies=1)),
    },
)


def test_every_variant_meets_every_protocol_in_order():
    cells = resolve(SEVERAL)
    names = [(variant, name) for variant in ("small", "large", "few", "noisy") for name in ("strict", "paper")]
    assert [cell.names for cell in cells] == names
    assert [cell.names for cell in resolve(SEVERAL, ["few", "small"], ["paper"])] == [
        ("few", "paper"),
        ("small", "paper"),
    ]


def test_names_become_objects():
    (cell,) = resolve(EXPERIMENT, ["small"], ["paper"])
    assert cell.experiment is EXPERIMENT and cell.variant is SMALL and cell.recipe is RECIPE
    assert cell.setting is EXPERIMENT.protocols["paper"] and cell.protocol.name == "speaker-independent-3"
    assert cell.trainer == Network("lstm_sa")
    assert cell.input_shape == tuple(cell.front_end.feature_shape) == (None, 8 + 12)


def test_a_custom_network_is_pinned_to_its_source():
    (cell,) = resolve(changed(model="tests.own_network:build"), None, ["strict"])
    assert isinstance(cell.trainer, CustomNetwork)
    assert cell.trainer.source == cell.trainer.described({})["source"]


def test_a_scikit_learn_model_has_no_recipe():
    (cell,) = resolve(changed(model="svm", options={}, recipes=None), None, ["strict"])
    assert cell.trainer == ScikitLearn("svm") and cell.recipe is None


def test_equal_options_share_one_front_end():
    cells = {cell.names: cell for cell in resolve(SEVERAL)}
    shared = cells["small", "strict"].front_end
    for names in (("small", "paper"), ("large", "strict"), ("noisy", "paper")):
        assert cells[names].front_end is shared
    assert cells["few", "strict"].front_end is cells["few", "paper"].front_end is not shared
    assert shared.n_mfcc == 8 and cells["few", "strict"].front_end.n_mfcc == 5


def test_the_data_digest_tells_features_and_copies_apart():
    digests = {cell.names: cell.data_digest for cell in resolve(SEVERAL)}
    assert digests["small", "strict"] == digests["small", "paper"] == digests["large", "strict"]
    assert len({digests[name, "strict"] for name in ("small", "few", "noisy")}) == 3


def test_folds_come_from_the_experiments_seed():
    table = make_table(speakers=9)
    (cell,) = resolve(EXPERIMENT, None, ["strict"])
    folds = cell.cut(table)
    assert cell.cut(table.sample(frac=1, random_state=1)) == folds
    assert folds == protocol("speaker-independent-3")(table, seed=EXPERIMENT.seed)
    (other,) = resolve(replace(EXPERIMENT, seed=EXPERIMENT.seed + 1), None, ["strict"])
    assert other.cut(table) != folds


def test_a_cell_can_build_its_network_once():
    (cell,) = resolve(EXPERIMENT, None, ["strict"])
    cell.try_out(4)
    (cell,) = resolve(changed(model="tests.own_network:one_too_many", options={}), None, ["strict"])
    with pytest.raises(SertfError, match="tests.own_network:one_too_many"):
        cell.try_out(4)


@pytest.mark.parametrize(
    ("experiment", "variants", "protocols", "message"),
    [
        (EXPERIMENT, ["smal"], None, "Unknown variant 'smal'; did you mean small"),
        (EXPERIMENT, None, ["strikt"], "Unknown protocol 'strikt'; did you mean strict"),
        (changed(model="lstm_as"), None, None, "Unknown model 'lstm_as'; did you mean lstm_sa"),
        (changed(options={"unit": 4}), None, None, "Unknown option of lstm_sa 'unit'; did you mean units"),
        (changed(options={"units": 0}), None, None, "units must be a whole number above 0, got 0"),
        (changed(front_end_options={"n_mffc": 5}), None, None, "n_mffc"),
        (changed(recipes={"paper": RECIPE}), None, ["strict"], "Unknown protocol with a recipe for small 'strict'"),
        (replace(EXPERIMENT, front_end="log_mle"), None, None, "Unknown front end 'log_mle'; did you mean log_mel"),
    ],
)
def test_what_cannot_be_resolved(experiment, variants, protocols, message):
    with pytest.raises(SertfError, match=message):
        resolve(experiment, variants, protocols)


def test_a_network_without_a_recipe():
    with pytest.raises(TrainerError, match="small trains lstm_sa, a network, but has no recipes"):
        resolve(changed(recipes=None))
