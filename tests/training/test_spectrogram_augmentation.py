import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation, mixed

NOTHING = {"stretch": 0.0, "warp": 0.0, "gain": 0.0, "masks": 0}


def ramp(frames, bands=16):
    """Values that tell frame and band, none of them 0."""
    return (1 + np.arange(frames)[:, None] * 100 + np.arange(bands)[None]).astype("float32")


def apply(arrays, seed=0, **options):
    return SpectrogramAugmentation(**options).apply(arrays, np.random.default_rng(seed))


def test_a_short_one_is_placed_and_a_long_one_cropped():
    places, crops = set(), set()
    for seed in range(8):
        short, long = apply([ramp(20), ramp(60)], seed, frames=40, **NOTHING)
        (own,) = np.nonzero(short.any(axis=1))
        np.testing.assert_array_equal(short[own], ramp(20))
        first = int(long[0, 0]) // 100
        np.testing.assert_array_equal(long, ramp(60)[first : first + 40])
        places.add(int(own[0]))
        crops.add(first)
    assert len(places) > 3 and len(crops) > 3 and max(*places, *crops) <= 20


def test_stretched_time_keeps_both_ends():
    lengths = set()
    for seed in range(8):
        (made,) = apply([ramp(100)], seed, frames=200, **{**NOTHING, "stretch": 0.2})
        own = made[made.any(axis=1)]
        lengths.add(len(own))
        np.testing.assert_allclose(own[[0, -1]], ramp(100)[[0, -1]], rtol=1e-5)
        np.testing.assert_allclose(np.diff(own[:, 0]), 9900 / (len(own) - 1), rtol=1e-3)
    assert len(lengths) > 3 and 80 <= min(lengths) < 95 and 105 < max(lengths) <= 120


def test_warped_bands_take_what_others_had():
    factors = []
    for seed in range(8):
        (made,) = apply([ramp(10)], seed, frames=10, **{**NOTHING, "warp": 0.2})
        factor = made[0, 1] - 1  # band 1 has what stood at 1 · f
        np.testing.assert_allclose(made[0], 1 + np.minimum(np.arange(16) * factor, 15), rtol=1e-4)
        factors.append(factor)
    assert 0.8 <= min(factors) < 0.95 and 1.05 < max(factors) <= 1.2


def test_masks_hold_zeros_of_at_most_their_width():
    bands, frames = [], []
    for seed in range(30):
        (made,) = apply([ramp(40)], seed, frames=40, **{**NOTHING, "masks": 1}, mask_bands=4, mask_frames=10)
        bands.append(int((~made.any(axis=0)).sum()))
        frames.append(int((~made.any(axis=1)).sum()))
        kept = made[made.any(axis=1)][:, made.any(axis=0)]
        assert kept.all()
    assert (min(bands), max(bands), min(frames), max(frames)) == (0, 4, 0, 10)


def test_gain_is_one_number_a_spectrogram():
    first, second = apply([ramp(10)] * 2, frames=10, **{**NOTHING, "gain": 5.0}) - ramp(10)
    assert np.ptp(first) < 1e-3 and np.ptp(second) < 1e-3 and abs(first[0, 0] - second[0, 0]) > 0.1


def test_the_same_draws_for_the_same_generator():
    np.testing.assert_array_equal(apply([ramp(30)], 1, frames=20), apply([ramp(30)], 1, frames=20))
    assert not np.array_equal(apply([ramp(30)], 1, frames=20), apply([ramp(30)], 2, frames=20))


def test_one_frame():
    assert apply([ramp(1)], frames=3).shape == (1, 3, 16)


def test_mixed_examples_have_mixed_targets():
    features = np.arange(4, dtype="float32")[:, None, None] * np.ones((4, 3, 2), "float32")
    made, targets = mixed(features, np.eye(4, dtype="float32"), 1.0, np.random.default_rng(3))
    assert made.dtype == targets.dtype == "float32"
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(made[:, 0, 0], targets @ np.arange(4), rtol=1e-5)
    assert ((targets > 0) & (targets < 1)).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", 0), ("stretch", 1.0), ("warp", -0.1), ("gain", float("nan")), ("masks", -1), ("mask_bands", 1.5)],
)
def test_bad_values_are_named(name, value):
    with pytest.raises(SertfError, match=name):
        SpectrogramAugmentation(**{"frames": 10, name: value})
