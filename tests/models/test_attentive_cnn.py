import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.attentive_cnn import build
from sertf.papers.attentive_cnn import SIZES


@pytest.mark.parametrize(("size", "parameters"), [("tiny", 69_276), ("base", 416_296)])
def test_parameters(size, parameters):
    model = build((None, 64), 8, **SIZES[size])
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == parameters


@pytest.fixture
def utterances():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(frames, 16)).astype("float32") for frames in (9, 30, 17)]


def padded(arrays, frames, first=0):
    batch = np.zeros((len(arrays), frames, arrays[0].shape[1]), "float32")
    for row, array in enumerate(arrays):
        batch[row, first : first + len(array)] = array
    return batch


def test_padding_changes_no_score(utterances):
    keras.utils.set_random_seed(3)
    model = build((None, 16), 3, width=4)
    alone = np.concatenate([np.asarray(model(array[None])) for array in utterances])
    for frames in (30, 43):
        np.testing.assert_allclose(np.asarray(model(padded(utterances, frames))), alone, rtol=1e-5, atol=1e-6)
    ahead = np.asarray(model(padded(utterances, 64, first=16)))  # whole steps of zeros
    np.testing.assert_allclose(ahead, alone, rtol=1e-5, atol=1e-6)


def test_padding_changes_no_training_step(utterances):
    """Norms' statistics and gradients see own frames only."""
    weights = []
    for frames in (30, 61):
        keras.utils.set_random_seed(3)
        model = build((None, 16), 3, width=2, dropout=0.0)
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        model.train_on_batch(padded(utterances, frames), np.array([0, 1, 2]))
        weights.append(model.get_weights())
    for short, long in zip(*weights):
        np.testing.assert_allclose(short, long, rtol=1e-3, atol=1e-5)


def test_what_figures_read(utterances):
    model = build((None, 16), 3, width=4)
    outputs = [
        model.get_layer("states").output,
        *model.get_layer("attention").output,
        model.get_layer("embedding").output,
    ]
    states, statistics, attention, embedding = keras.Model(model.inputs, outputs).predict_on_batch(
        padded(utterances, 48)
    )
    assert states.shape == (3, 6, 16) and statistics.shape == embedding.shape == (3, 32) and attention.shape == (3, 6)
    np.testing.assert_allclose(attention.sum(axis=1), 1, rtol=1e-5)
    assert (attention[0] > 0).tolist() == [True] * 2 + [False] * 4  # 9 frames are two steps of 8


def test_without_attention_all_steps_weigh_the_same(utterances):
    keras.utils.set_random_seed(3)
    model = build((None, 16), 3, width=4, attention_units=0)
    outputs = [model.get_layer("states").output, model.get_layer("statistics").output]
    states, statistics = keras.Model(model.inputs, outputs).predict_on_batch(padded(utterances, 48))
    own = states[1, :4]  # 30 frames are four steps of 8
    np.testing.assert_allclose(statistics[1], [*own.mean(axis=0), *own.std(axis=0)], rtol=1e-3, atol=1e-4)


def test_bands_must_be_known():
    with pytest.raises(SertfError, match=r"input_shape must be \(frames, bands\), got \(None, None\)"):
        build((None, None), 3)
