"""Contracts of every entry of MODELS; an entry without a row here fails."""

import keras
import numpy as np
import pytest

from sertf.models import MODELS

# Input shape (None where any length is taken) and small options of each model.
ROWS = {
    "reslstm_sa": ((None, 6), {"units": 5}),
    "lstm_sa": ((None, 6), {"units": 5}),
}


def test_every_model_has_a_row():
    assert set(ROWS) == set(MODELS)


@pytest.fixture(params=sorted(ROWS))
def built(request):
    shape, options = ROWS[request.param]
    keras.utils.set_random_seed(1)
    model = MODELS[request.param](shape, 3, **options)
    inputs = np.random.default_rng(0).normal(size=(4, *[n or 7 for n in shape])).astype("float32")
    return model, inputs


def test_scores_are_probabilities(built):
    model, inputs = built
    scores = np.asarray(model(inputs))
    assert scores.shape == (4, 3)
    assert np.all(scores >= 0)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_every_weight_gets_a_gradient(built):
    model, inputs = built
    labels = np.array([0, 1, 2, 0])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    before = [np.array(weight) for weight in model.trainable_variables]
    model.train_on_batch(inputs, labels)
    unchanged = [w.path for w, b in zip(model.trainable_variables, before) if np.array_equal(np.array(w), b)]
    assert unchanged == []


def test_saved_and_loaded_gives_the_same(built, tmp_path):
    model, inputs = built
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(model(inputs)), np.asarray(loaded(inputs)))


def test_uncompiled(built):
    assert not built[0].compiled
