from dataclasses import replace

import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.experiment import changes
from sertf.experiment.description import Setting, Variant, digest
from sertf.training.recipe import Recipe, Tuned
from tests.protocols.test_splits import make_table
from tests.toy import EXPERIMENT, on_network


def test_a_few_of_two_speakers_are_ten_of_each_emotion():
    """Enough for the 90/10 split of TESS, and of each corpus in a table of several."""
    two, many = make_table(2, per_emotion=20, corpus="two"), make_table(24, per_emotion=20, corpus="many")
    table = changes.few(pd.concat([two, many], ignore_index=True))
    counts = table.groupby(["corpus", "emotion"]).size()
    assert counts["two"].tolist() == [10] * 3 and counts["many"].tolist() == [48] * 3
    # Of 24 speakers, an emotion that two of them have.
    rare = many[(many["emotion"] != "anger") | many["speaker"].isin(many["speaker"].unique()[:2])]
    assert changes.few(rare).groupby("emotion").size()["anger"] == 10


def test_smoke_shrinks_but_keeps_speakers_and_emotions(corpus):
    table = changes.few(corpus)
    assert table["speaker"].nunique() == 4 and table["emotion"].nunique() == 4
    assert changes.shrink(EXPERIMENT).recipe("small", "paper").epochs == 2


def test_precision_and_accumulation_change_the_recipe_and_its_identity():
    as_is = changes.with_options(EXPERIMENT, None, None)
    assert as_is == EXPERIMENT
    changed = changes.with_options(EXPERIMENT, "bfloat16", 4)
    recipe = changed.recipe("small", "strict")
    assert (recipe.precision, recipe.batch_size, recipe.accumulation) == ("bfloat16", 2, 4)
    assert changes.with_options(changed, None, 2).recipe("small", "strict").batch_size == 4
    assert digest(changed.identity("small", "strict")) != digest(EXPERIMENT.identity("small", "strict"))
    with pytest.raises(SertfError, match="--accumulation must divide the batches of 8, but is 3"):
        changes.with_options(EXPERIMENT, None, 3)
    classical = replace(EXPERIMENT, variants={"svm": Variant("svm", recipes=None)})
    assert changes.with_options(classical, "bfloat16", 4) == classical


def test_a_recipe_file_where_nothing_is_held_out_to_choose_an_epoch_by():
    experiment = replace(EXPERIMENT, protocols={**EXPERIMENT.protocols, "paper": Setting("random-80-20")})
    changed = changes.with_recipe(experiment, Tuned("lstm_sa", Recipe(patience=3)), ["small"])
    assert (changed.recipe("small", "paper").monitor, changed.recipe("small", "strict").monitor) == (None, "uar")


@pytest.mark.parametrize(("corpus", "leaks"), [("embedded", ["tuning"]), ("ravdess", []), (None, [])])
def test_a_recipe_searched_on_the_corpus_has_seen_its_speakers(corpus, leaks):
    tuned = Tuned("lstm_sa", Recipe(), corpus=corpus)
    changed = changes.with_recipe(EXPERIMENT, tuned, ["small"])
    assert [name for name, _ in changed.declared_leaks("small", "strict")] == leaks


@pytest.mark.parametrize(
    ("model", "variants", "message"),
    [
        ("lstm_sa", None, "--recipe needs named variants; give --variant, one of small"),
        ("serct", ["small"], "The recipe is for the model serct, but variant small trains lstm_sa"),
        ("lstm_sa", ["big"], "Unknown variant 'big'"),
    ],
)
def test_recipes_that_do_not_fit(model, variants, message):
    with pytest.raises(SertfError, match=message):
        changes.with_recipe(EXPERIMENT, Tuned(model, Recipe()), variants)


def test_epochs_are_of_networks_alone():
    svm = Variant("svm", recipes=None)
    both = replace(EXPERIMENT, variants={**EXPERIMENT.variants, "svm": svm})
    longer = changes.with_epochs(both, 7, ["small", "svm"])
    assert longer.recipe("small", "strict").epochs == 7 and longer.recipe("svm", "strict") is None
    with pytest.raises(SertfError, match="svm trains without epochs; leave --epochs out"):
        changes.with_epochs(both, 7, ["svm"])


def test_a_network_that_a_linear_model_reads_takes_the_epochs():
    assert changes.with_epochs(on_network(), 7, ["ridge"]).variant("ridge").network.recipe.epochs == 7
    assert changes.shrink(on_network()).variant("ridge").network.recipe.epochs == 2
