import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.attentive_pooling import build


def test_padding_changes_no_score():
    keras.utils.set_random_seed(3)
    model = build((None, 6), 3, units=4)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(frames, 6)).astype("float32") for frames in (9, 30)]
    alone = np.concatenate([np.asarray(model(array[None])) for array in arrays])
    padded = np.zeros((2, 50, 6), "float32")
    for row, array in zip(padded, arrays):
        row[: len(array)] = array
    np.testing.assert_allclose(np.asarray(model(padded)), alone, rtol=1e-5, atol=1e-6)


def test_the_attention_chooses_frames():
    """A network learns what one frame of many tells, which their mean hides."""
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 256)
    clips = rng.normal(size=(256, 40, 6)).astype("float32")
    for clip, label in zip(clips, labels):
        clip[rng.integers(40), :2] = (6, 6 if label else -6)
    model = build((None, 6), 2, units=16, input_dropout=0.0, dropout=0.0)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(clips[:192], labels[:192], epochs=12, batch_size=32, verbose=0)
    assert model.evaluate(clips[192:], labels[192:], verbose=0)[1] > 0.9
    inside = keras.Model(model.inputs, model.get_layer("attention").output[1])
    weights = inside.predict_on_batch(clips[192:])
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_dims_must_be_known():
    with pytest.raises(SertfError, match=r"input_shape must be \(frames, dims\), got \(None, None\)"):
        build((None, None), 3)


def test_blocks_are_summed_by_learnt_shares():
    keras.utils.set_random_seed(3)
    model = build((None, 6), 3, units=4, summed_blocks=3)
    clip = np.random.default_rng(0).normal(size=(1, 9, 6)).astype("float32")
    rolled = np.roll(clip, 2, axis=2)  # the blocks in another order, which equal shares cannot tell
    np.testing.assert_allclose(np.asarray(model(rolled)), np.asarray(model(clip)), rtol=1e-5, atol=1e-6)
    model.get_layer("summed").set_weights([np.array([4.0, 0.0, 0.0])])
    assert np.abs(np.asarray(model(rolled)) - np.asarray(model(clip))).max() > 1e-3
    with pytest.raises(SertfError, match="6 values are not 4 blocks of one width"):
        build((None, 6), 3, summed_blocks=4)
