"""Contracts of every entry of MODELS; an entry without a row here fails."""

import collections

import keras
import numpy as np
import pytest

from sertf.models import MODELS

# Input shape (None where any length is taken) and small options of each model.
ROWS = {
    "reslstm_sa": ((None, 6), {"units": 5}),
    "lstm_sa": ((None, 6), {"units": 5}),
    "speechnet": ((5, 6), {"refinement_filters": 16}),
    "cnn_transformer": ((9, 16), {"channels": (3, 4), "pools": (2, 4), "layers": 1, "feed_forward": 6}),
    "wavelet_cnn_lstm": (
        (9, 8),
        {"filters": 3, "kernels": (3, 5), "pooled_blocks": 1, "lstm_units": 6, "dense_units": 16},
    ),
    "serct": (
        (60, 1),
        {"convolutions": ((4, 6, 3), (4, 2, 2)), "width": 8, "layers": 1, "heads": 2, "feed_forward": 6},
    ),
    "attentive_cnn": ((20, 16), {"width": 2, "attention_units": 4}),
    "attentive_pooling": ((20, 6), {"units": 4, "attention_units": 3}),
    "whisper_blocks": ((None, 384), {"first": 2, "last": 2}),
    "lstm": ((5, 6), {"units": 4}),
    "gru": ((5, 6), {"units": 4}),
    "cnn": ((9, 6), {"filters": (4, 8)}),
    "transformer": ((5, 6), {"width": 8, "heads": 2}),
    "unet": ((5, 6), {"filters": (4, 8, 8)}),
    "rbm": ((1, 9), {"hidden_units": 5}),
    "autoencoder": ((1, 9), {"units": (8, 4)}),
    "lsm": ((9, 6), {"neurons": 12}),
    "tcn": ((9, 6), {"filters": 4, "dilations": (1, 2)}),
    "waveform_mlp": ((30, 1), {"units": 4}),
    "waveform_lstm": ((30, 1), {"step_samples": 7, "units": 4}),
    "waveform_cnn": ((30, 1), {"blocks": ((3, 5, 1), (4, 5, 2))}),
    "waveform_cnn_bilstm": ((30, 1), {"blocks": ((3, 5, 2), (4, 3, 2)), "units": 3}),
}
# Layers of the models above, inner ones too, that drop what the option `dropout` says; the wavelet CNN-LSTM has none.
DROPOUTS = {
    "reslstm_sa": {"Dropout": 1},
    "lstm_sa": {"Dropout": 1},
    "speechnet": {"Dropout": 1},
    "cnn_transformer": {"Dropout": 6},
    "serct": {"Dropout": 6},
    "attentive_cnn": {"Dropout": 1},
    "attentive_pooling": {"Dropout": 1},
    "whisper_blocks": {"Dropout": 1},
    "lstm": {"Dropout": 1},
    "gru": {"Dropout": 1},
    "cnn": {"Dropout": 1},
    "transformer": {"Dropout": 5},
    "unet": {"Dropout": 1},
    "rbm": {"Dropout": 1},
    "autoencoder": {"Dropout": 1},
    "lsm": {"Dropout": 1},
    "tcn": {"SpatialDropout1D": 4, "Dropout": 1},
    "waveform_mlp": {"Dropout": 1},
    "waveform_lstm": {"Dropout": 1},
    "waveform_cnn": {"Dropout": 3},
    "waveform_cnn_bilstm": {"Dropout": 1},
}
# Scores that lie between 0 and 1 each and need not sum to 1.
INDEPENDENT = {"speechnet"}


def test_every_model_has_a_row():
    assert set(ROWS) == set(MODELS)


@pytest.fixture(params=sorted(ROWS))
def built(request):
    """A small model, inputs for it, and its name."""
    shape, options = ROWS[request.param]
    keras.utils.set_random_seed(1)
    model = MODELS[request.param](shape, 3, **options)
    inputs = np.random.default_rng(0).normal(size=(4, *[n or 7 for n in shape])).astype("float32")
    return model, inputs, request.param


def test_scores_are_probabilities(built):
    model, inputs, name = built
    scores = np.asarray(model(inputs))
    assert scores.shape == (4, 3)
    assert np.all(scores >= 0)
    assert np.all(scores <= 1)
    if name not in INDEPENDENT:
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_every_weight_gets_a_gradient(built):
    model, inputs, _ = built
    labels = np.array([0, 1, 2, 0])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    before = [np.array(weight) for weight in model.trainable_variables]
    model.train_on_batch(inputs, labels)
    unchanged = [w.path for w, b in zip(model.trainable_variables, before) if np.array_equal(np.array(w), b)]
    assert unchanged == []


def test_saved_and_loaded_gives_the_same(built, tmp_path):
    model, inputs, _ = built
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(model(inputs)), np.asarray(loaded(inputs)))


def test_uncompiled(built):
    assert not built[0].compiled


@pytest.mark.parametrize("name", sorted(DROPOUTS))
def test_where_the_dropout_is(name):
    shape, options = ROWS[name]
    dropping = (keras.layers.Dropout, keras.layers.SpatialDropout1D)
    layers = list(MODELS[name](shape, 3, **options, dropout=0.37)._flatten_layers())
    found = collections.Counter(
        type(layer).__name__ for layer in layers if isinstance(layer, dropping) and layer.rate == 0.37
    )
    assert found == DROPOUTS[name]
