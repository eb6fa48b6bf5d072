"""The variant of a paper that own data are trained with."""

from dataclasses import replace

import pytest

from sertf.errors import SertfError
from sertf.papers.system import System
from tests.toy import EXPERIMENT, RECIPE

SMALL = EXPERIMENT.variants["small"]


def test_a_system_takes_front_end_options_and_strict_recipe_along():
    strict = replace(RECIPE, epochs=9)
    small = replace(SMALL, front_end_options={"n_mfcc": 5}, recipes={"paper": RECIPE, "strict": strict})
    system = System(replace(EXPERIMENT, variants={"small": small}), "small")
    assert system.variant is small and system.recipe is strict
    assert system.front_end == "mfcc_chroma"
    assert system.front_end_options == {**EXPERIMENT.front_end_options, "n_mfcc": 5}


def test_a_scikit_learn_model_has_no_recipe():
    svm = replace(SMALL, model="svm", options={}, recipes=None)
    assert System(replace(EXPERIMENT, variants={"svm": svm}), "svm").recipe is None


def test_corpora_that_chose_recipe_or_variant_are_named_once():
    small = replace(SMALL, tuned_on=("ravdess", "emodb"))
    system = System(replace(EXPERIMENT, variants={"small": small}), "small", chosen_on=("emodb", "tess"))
    assert system.tuned_on == ("ravdess", "emodb", "tess")


def test_an_unknown_variant_is_refused():
    with pytest.raises(SertfError, match="Unknown variant 'smal'; did you mean small"):
        _ = System(EXPERIMENT, "smal").variant
