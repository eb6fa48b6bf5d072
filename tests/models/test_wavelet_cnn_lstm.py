import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models.wavelet_cnn_lstm import build, fold_rows

SMALL = {"filters": 3, "lstm_units": 4, "dense_units": 5}


def test_the_papers_size():
    model = build((256, 384), 7, colours=3)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 9
    assert [layer.kernel_size[0] for layer in convolutions] == [3, 5, 7, 3, 3, 3, 3, 3, 3]
    # The three pipes' poolings count as one.
    assert sum(isinstance(layer, keras.layers.AveragePooling2D) for layer in model.layers) == 3 + 4
    assert model.get_layer("steps").output.shape == (None, 8, 4 * 64)
    by_hand = 64 * 3 * (9 + 25 + 49) + 9 * 192 * 64 + 5 * 9 * 64 * 64 + 9 * 4 * 64  # convolutions and norms
    by_hand += 4 * 100 * (256 + 100 + 1) + 101 * 1024 + 1025 * 7
    assert model.count_params() == by_hand


def test_one_channel_and_colours():
    for colours in (1, 3):
        model = build((32, 64 * colours), 3, colours=colours, **SMALL)
        scores = np.asarray(model(np.random.default_rng(0).normal(size=(2, 32, 64 * colours))))
        assert scores.shape == (2, 3) and model.get_layer("image").output.shape == (None, 64, 32, colours)
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_steps_are_time():
    inputs = keras.Input((2, 3, 4))  # scales, time, channels
    values = np.arange(24, dtype="float32").reshape(1, 2, 3, 4)
    steps = np.asarray(keras.Model(inputs, fold_rows(inputs))(values))
    assert steps.shape == (1, 3, 8)
    np.testing.assert_array_equal(steps[0, 1], [*values[0, 0, 1], *values[0, 1, 1]])


def test_masks_hide_scales_in_all_colours_in_training_alone():
    model = build((32, 64 * 3), 3, colours=3, masks=(16, 4), **SMALL)
    image = keras.Model(model.input, model.get_layer("image").output)
    data = np.ones((8, 32, 64 * 3), "float32")
    assert (np.asarray(image(data)) == 1).all()
    seen = np.asarray(image(data, training=True))  # (batch, scales, time, colours)
    np.testing.assert_array_equal(seen, np.repeat(seen[..., :1], 3, axis=-1))
    hidden = seen[..., 0] == 0
    assert hidden.all(axis=2).any() and hidden.all(axis=1).any() and 0.1 < hidden.mean() < 0.6


def test_clips_move_in_training_alone():
    model = build((32, 32), 3, moved=True, **SMALL)
    image = keras.Model(model.input, model.get_layer("image").output)
    data = np.zeros((8, 32, 32), "float32")
    data[:, 10:20] = np.arange(1, 11)[:, None]
    np.testing.assert_array_equal(np.asarray(image(data))[..., 0], data.transpose(0, 2, 1))
    seen = np.asarray(image(data, training=True))[:, 0, :, 0]  # (batch, time)
    assert all(np.array_equal(row[row > 0], np.arange(1, 11)) for row in seen)
    assert len({int(np.argmax(row > 0)) for row in seen}) > 2


@pytest.mark.parametrize("units", [64, 128, 256])
@pytest.mark.parametrize("filters", [64, 128])
def test_units_and_filters_are_arguments(units, filters):
    model = build((32, 32), 3, filters=filters, lstm_units=units)
    assert model.get_layer("recall").output.shape == (None, units)
    assert model.get_layer("steps").output.shape == (None, 1, filters)
    assert {layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)} == {filters}


def test_pooling_is_an_argument():
    options = SMALL | {"filters": 16}  # of three, all may be at rest
    average, largest = (build((32, 32), 3, pooling=pooling, **options) for pooling in ("average", "max"))
    largest.set_weights(average.get_weights())
    data = np.random.default_rng(1).normal(size=(1, 32, 32)).astype("float32")
    averaged, taken = (
        np.asarray(keras.Model(model.input, model.get_layer("steps").output)(data)) for model in (average, largest)
    )
    assert np.abs(taken).max() > 2 * np.abs(averaged).max() > 0


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((256, 128), {"pooling": "min"}, "pooling must be one of average, max, got 'min'"),
        ((256, 16), {}, "5 poolings by 2 need at least 32 time bins and scales, got 256 and 16"),
        ((None, 128), {}, r"input_shape must be .*, both fixed, got \(None, 128\)"),
        ((128, 64, 3), {}, "input_shape must be"),
        ((256, 128), {"colours": 3}, "colours must divide the 128 values of a time bin, got 3"),
        ((256, 128), {"pooled_blocks": 7}, "pooled_blocks must be from 0 to 6, got 7"),
    ],
)
def test_a_mistake_is_one_sentence(shape, options, message):
    with pytest.raises(SertfError, match=message):
        build(shape, 7, **options)
