import keras
import numpy as np

from sertf.layers import RandomPlace

# Four frames of a clip in a window of ten, whose padding has one value in each dimension.
PADDING = np.array([-1.0, 0.5], "float32")
CLIP = np.arange(8, dtype="float32").reshape(4, 2)


def window(first, *, clip=CLIP, frames=10):
    made = np.tile(PADDING, (frames, 1))
    made[first : first + len(clip)] = clip
    return made


def moved(image, count=400, seed=1):
    return np.asarray(RandomPlace(seed=seed)(np.repeat(image[None], count, axis=0), training=True))


def test_a_clip_stays_whole_and_reaches_every_place_equally_often():
    images = moved(window(3))
    places = [first for image in images for first in range(7) if np.array_equal(image, window(first))]
    assert len(places) == len(images)
    assert (np.abs(np.bincount(places) / len(images) - 1 / 7) < 0.06).all()


def test_places_are_new_in_every_step():
    layer, batch = RandomPlace(seed=1), np.repeat(window(3)[None], 20, axis=0)
    first, second = (np.asarray(layer(batch, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)


def test_nothing_moves_outside_training():
    batch = np.stack([window(3), window(0)])
    np.testing.assert_array_equal(np.asarray(RandomPlace()(batch)), batch)


def test_a_frame_inside_that_looks_like_padding_stays_inside():
    clip = np.concatenate([CLIP[:1], PADDING[None], CLIP[1:]])
    for image in moved(window(2, clip=clip), 30):
        assert any(np.array_equal(image, window(first, clip=clip)) for first in range(6))


def test_a_clip_without_padding_at_both_ends_stays_where_it_is():
    rng = np.random.default_rng(0)
    for image in (window(0), window(6), rng.normal(size=(10, 2)).astype("float32"), np.tile(PADDING, (10, 1))):
        np.testing.assert_array_equal(moved(image, 5), np.repeat(image[None], 5, axis=0))


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input((10, 2))
    model = keras.Model(inputs, RandomPlace(seed=4)(inputs))
    model.save(tmp_path / "place.keras")
    loaded = keras.models.load_model(tmp_path / "place.keras")
    assert loaded.layers[-1].get_config()["seed"] == 4
    batch = np.repeat(window(3)[None], 4, axis=0)
    np.testing.assert_array_equal(np.asarray(loaded(batch)), batch)
