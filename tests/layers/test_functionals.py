"""Functionals against NumPy on the frames that the mask allows."""

import keras
import numpy as np
import pytest

from sertf.layers import functionals

MASKS = {
    "all": np.ones(40, bool),
    "some": np.random.default_rng(1).random(40) > 0.4,
    "two": np.isin(np.arange(40), [3, 17]),
    "one": np.arange(40) == 11,
}


def by_numpy(frames, own, step):
    """(13, dims) by NumPy, on the frames that count."""
    kept, time = frames[own].astype("float64"), np.flatnonzero(own) * step
    found = [kept.mean(axis=0), kept.std(axis=0), *np.percentile(kept, functionals.PERCENTILES, axis=0)]
    found += [np.ptp(np.percentile(kept, pair, axis=0), axis=0) for pair in ((1, 99), (5, 95), (25, 75))]
    slope = np.polyfit(time, kept, 1)[0] if len(kept) > 1 else np.zeros(frames.shape[1])
    return np.stack([*found, slope])


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("mask", MASKS)
def test_functionals_are_numpys_of_the_frames_that_count(mask):
    frames = np.random.default_rng(0).normal(5, 3, (40, 6)).astype("float32")
    own = MASKS[mask]
    batch = np.stack([frames, np.where(own[:, None], frames, 1e9)])  # what does not count is read nowhere
    ours = values(functionals.functionals(batch, np.stack([own, own]), frame_seconds=0.01))
    expected = by_numpy(frames, own, 0.01)
    assert ours.shape == (2, len(functionals.NAMES), 6)
    np.testing.assert_allclose(ours[0], expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(ours[1], expected, rtol=1e-4, atol=1e-3)


def test_a_row_without_frames_has_zeros():
    frames = np.random.default_rng(0).normal(size=(1, 8, 2)).astype("float32")
    assert not values(functionals.functionals(frames, np.zeros((1, 8), bool), frame_seconds=0.01)).any()


@pytest.mark.parametrize("count", [1, 2, 3, 10, 30])
def test_thirds_part_the_frames_that_count(count):
    own = np.zeros((1, 40), bool)
    own[0, 7 : 7 + count] = True
    parts = np.stack([values(part)[0] for part in functionals.thirds(own)])
    np.testing.assert_array_equal(parts.sum(axis=0), own[0])
    assert parts[0, 7] and max(parts.sum(axis=1)) - min(parts.sum(axis=1)) <= 1
    assert (np.diff(parts.argmax(axis=0)[own[0]]) >= 0).all()


def test_between_ends_keeps_pauses():
    sounding = np.array([[0, 1, 0, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0]], bool)
    expected = np.array([[0, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]], bool)
    np.testing.assert_array_equal(values(functionals.between_ends(sounding)), expected)


def test_inside_needs_all_frames_around():
    own = np.array([[1, 1, 1, 0, 1, 1, 1, 1]], bool)
    np.testing.assert_array_equal(values(functionals.inside(own, 3)), np.array([[0, 1, 0, 0, 0, 1, 1, 0]], bool))
