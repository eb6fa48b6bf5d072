import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.layers import MaskedBatchNormalization, SpectrogramMasks

IMAGE = np.ones((64, 30, 20), "float32")


def _runs(line):
    """Lengths of the runs of zeros in a line of zeros and ones."""
    return [len(run) for run in "".join(str(int(value)) for value in line).split("1") if run]


def test_nothing_is_masked_outside_training():
    np.testing.assert_array_equal(np.asarray(SpectrogramMasks(5, 8)(IMAGE)), IMAGE)


def test_whole_bands_and_whole_spans_no_wider_than_told():
    masked = np.asarray(SpectrogramMasks(5, 8, count=1, seed=1)(IMAGE, training=True))
    frames, bands = masked.max(axis=2), masked.max(axis=1)
    np.testing.assert_array_equal(masked, frames[:, :, None] * bands[:, None, :])
    for lines, widest in ((frames, 8), (bands, 5)):
        runs = [_runs(line) for line in lines]
        assert all(len(run) <= 1 for run in runs)
        # Every width from 0 to the widest comes up among 64 utterances, each of which has masks of its own.
        assert {run[0] if run else 0 for run in runs} == set(range(widest + 1))


def test_masks_reach_both_ends_and_are_new_in_every_step():
    layer = SpectrogramMasks(0, 8, seed=1)
    first, second = (np.asarray(layer(IMAGE, training=True)) for _ in range(2))
    assert (first[:, 0] == 0).any() and (first[:, -1] == 0).any()
    assert not np.array_equal(first, second)


def test_an_axis_shorter_than_the_widest_mask():
    masked = np.asarray(SpectrogramMasks(5, 8, count=1, seed=1)(IMAGE[:, :2], training=True))
    assert masked.shape == (64, 2, 20) and (masked == 0).all(axis=(1, 2)).any() and (masked != 0).any()


def test_channels_are_masked_together():
    data = np.repeat(IMAGE[..., None], 3, axis=-1)
    masked = np.asarray(SpectrogramMasks(5, 8, seed=1)(data, training=True))
    assert masked.shape == data.shape and (masked == 0).any()
    np.testing.assert_array_equal(masked, np.repeat(masked[..., :1], 3, axis=-1))
    plain = np.asarray(SpectrogramMasks(5, 8, seed=1)(IMAGE, training=True))
    np.testing.assert_array_equal(masked[..., 0], plain)


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input((30, 20))
    model = keras.Model(inputs, SpectrogramMasks(5, 8, count=3, seed=4)(inputs))
    model.save(tmp_path / "masks.keras")
    loaded = keras.models.load_model(tmp_path / "masks.keras")
    config = loaded.layers[-1].get_config()
    assert [config[name] for name in ("bands", "frames", "count", "seed")] == [5, 8, 3, 4]
    np.testing.assert_array_equal(np.asarray(loaded(IMAGE)), IMAGE)


@pytest.mark.parametrize(
    ("bands", "frames", "count", "message"),
    [
        (-1, 8, 2, "bands must be a whole number of 0 or more, got -1"),
        (5, 2.5, 2, "frames .* got 2.5"),
        (5, 8, 0, "count must be a whole number above 0, got 0"),
    ],
)
def test_a_mistake_is_one_sentence(bands, frames, count, message):
    with pytest.raises(SertfError, match=message):
        SpectrogramMasks(bands, frames, count=count)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_norm_of_a_spectrogram_counts_own_frames_alone(precision):
    rng = np.random.default_rng(0)
    images = rng.normal(3, 2, (4, 9, 5, 6)).astype("float32")
    own = np.arange(9) < np.array([9, 4, 7, 1])[:, None]
    layer = MaskedBatchNormalization(epsilon=1e-5, momentum=0.0, dtype=precision)
    normed = np.asarray(layer(images, own, training=True), "float32")
    counted = images[own]  # (own frames of all utterances, bands, channels)
    mean, deviation = counted.mean(axis=(0, 1)), counted.std(axis=(0, 1))
    close = 1e-5 if precision == "float32" else 1e-2
    np.testing.assert_allclose(normed[own], (counted - mean) / deviation, rtol=close, atol=close)
    assert (normed[~own] == 0).all()
    # The statistics are those of inference from now on.
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=close)
    np.testing.assert_allclose(layer.moving_variance, deviation**2, rtol=3 * close)
    np.testing.assert_allclose(np.asarray(layer(images, own), "float32"), normed, rtol=close, atol=close)
