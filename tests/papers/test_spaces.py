import json
from types import SimpleNamespace

import keras_tuner
import pytest

from sertf.corpora import CORPORA
from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.papers import SPACES, serct
from sertf.protocols.splits import protocol


@pytest.mark.parametrize("name", SPACES)
def test_every_space_asks_for_values_that_its_model_takes(name):
    """Of the smallest and the largest values; builds the model on a few frames."""
    space = SPACES[name]
    experiment = space.experiment
    assert experiment.corpus in CORPORA and "no validation" not in protocol(experiment.setting("search").folds).allows
    hp = keras_tuner.HyperParameters()
    default = space.tuned(hp)
    assert hp.space and default.model == space.variant.model
    for probability in (0.0, 0.999):
        hp.values = {entry.name: entry.prob_to_value(probability) for entry in hp.space}
        tuned = space.tuned(hp)
        assert json.loads(json.dumps(tuned.options)) == tuned.options
        assert tuned != default or probability == 0
    front_end = FEATURES[experiment.front_end](**experiment.front_end_options_of("search"))
    dropout = {} if default.recipe.dropout is None else {"dropout": default.recipe.dropout}
    model = MODELS[default.model](
        tuple(front_end.feature_shape), 4, **space.variant.options, **default.options, **dropout
    )
    assert model.output_shape == (None, 4)


def test_the_space_of_rates_trains_what_the_stored_runs_train():
    def ask(rate):
        return SimpleNamespace(Choice=lambda name, values: values[values.index(rate)])

    space, whole = SPACES["serct_rates"], serct.experiment("emodb")
    for rate, variant in ((1e-3, "narrow"), (3e-4, "narrow_rate_3e-4")):
        tuned = space.tuned(ask(rate))
        kept = whole.identity(variant, "strict")
        assert tuned.recipe.to_dict() == kept["recipe"] and tuned.options == {}
        searched = space.experiment.identity("search", "search")
        same = ("front_end", "model", "folds", "scaling", "seed")
        assert {key: searched[key] for key in same} == {key: kept[key] for key in same}
