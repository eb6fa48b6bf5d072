import json

import keras_tuner
import numpy as np
import pytest

from sertf.corpora import CORPORA
from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.protocols.splits import protocol
from sertf.tuning.spaces import SPACES


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


def test_a_space_on_another_corpus():
    space = SPACES["reslstm_sa"].on("emodb", protocol="speaker-independent-5", epochs=7)
    assert space.experiment.corpus == "emodb" and space.experiment.setting("search").folds == "speaker-independent-5"
    assert space.experiment.recipe("search", "search").epochs == 7
    assert np.isclose(SPACES["reslstm_sa"].experiment.recipe("search", "search").epochs, 100)
    with pytest.raises(ValueError, match="epochs must be a whole number of 1 or more, but is 0"):
        SPACES["reslstm_sa"].on(epochs=0)
