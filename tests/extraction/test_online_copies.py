import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf.audio.augmentation import Augmentation, Gain, WhiteNoise, copies_of
from sertf.errors import SertfError
from sertf.extraction.online_copies import OnlineCopies, drawable
from sertf.features import LogMel, Waveform
from sertf.training.batches import Batches
from sertf.training.scaling import Part

RATE = 8000


@pytest.fixture
def copies(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "a.wav"
    soundfile.write(path, rng.normal(0, 0.1, 6000), RATE, subtype="FLOAT")
    front_end = LogMel(
        RATE, offset_seconds=0.1, duration_seconds=0.5, n_fft=256, win_length=256, hop_length=128, n_mels=8
    )

    def make(snr=10.0, scaling=lambda _: lambda array: array, seed=3):
        return OnlineCopies(
            {"a~1": (str(path), 1), "a~2": (str(path), 2)},
            front_end,
            Augmentation(steps=(WhiteNoise((snr, snr)),), fresh=True),
            scaling,
            seed=seed,
        )

    return make


def test_copies_differ_by_epoch_number_and_seed_and_are_the_same_for_the_same(copies):
    fresh = copies()
    first = fresh.draw("a~1", 0)
    np.testing.assert_array_equal(copies().draw("a~1", 0), first)
    for other in (fresh.draw("a~1", 1), fresh.draw("a~2", 0), copies(seed=4).draw("a~1", 0)):
        assert not np.array_equal(other, first)


def test_copies_of_files_at_their_own_rate(tmp_path):
    for name, rate in (("slow.wav", RATE), ("fast.wav", 2 * RATE)):
        soundfile.write(tmp_path / name, np.random.default_rng(0).normal(0, 0.1, 6000), rate, subtype="FLOAT")
    fresh = OnlineCopies(
        {name: (str(tmp_path / name), 1) for name in ("slow.wav", "fast.wav")},
        Waveform(samples=5000),
        Augmentation(steps=(WhiteNoise((80.0, 80.0)),), fresh=True),
        lambda _: lambda array: array,
        seed=3,
    )
    np.testing.assert_allclose(fresh.draw("slow.wav", 0), fresh.draw("fast.wav", 0), atol=1e-3)


def test_little_noise_changes_little_and_scaling_comes_last(copies):
    loud, quiet = copies(snr=-10.0).draw("a~1", 0), copies(snr=80.0).draw("a~1", 0)
    quieter = copies(snr=90.0).draw("a~1", 0)
    assert np.abs(quiet - quieter).max() < 0.1 < np.abs(loud - quieter).max()
    np.testing.assert_allclose(copies(scaling=lambda _: lambda a: a / 2).draw("a~1", 0), copies().draw("a~1", 0) / 2)


def test_batches_hold_fresh_copies_in_place_of_the_arrays(copies):
    fresh = copies()
    clean = np.zeros_like(fresh.draw("a~1", 0))
    part = Part(("a", "a~1", "a~2"), [clean] * 3, np.array([0, 0, 0], np.int32))
    batches = Batches(part, 3, fresh=fresh)
    features, _ = batches.batch(np.array([0, 1, 2]), epoch=5)
    assert not features[0].any()
    np.testing.assert_array_equal(features[1], fresh.draw("a~1", 5))
    np.testing.assert_array_equal(features[2], fresh.draw("a~2", 5))


def test_clips_that_are_silent_where_noise_should_be_added(tmp_path):
    """One is silent in the second that the front end reads, the other behind it."""
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    for name, silent in (("late.wav", slice(0, RATE)), ("early.wav", slice(RATE, None))):
        samples = noise.copy()
        samples[silent] = 0
        soundfile.write(tmp_path / name, samples, RATE, subtype="FLOAT")
    late, early = (str(tmp_path / name) for name in ("late.wav", "early.wav"))
    table = copies_of(pd.DataFrame({"utterance": ["late", "early"], "path": [late, early]}), 2)
    front_end, noisy = Waveform(RATE, samples=RATE), Augmentation(fresh=True)
    with pytest.raises(SertfError, match=r"of 1 of 2 clips; mend them, or .*--skip-bad\):\n  .*late.wav: it is silent"):
        drawable(table, front_end, noisy, seed=0)
    left, skipped = drawable(table, front_end, noisy, seed=0, skip_bad=True)
    assert left["utterance"].to_list() == ["early~1", "early~2"]
    assert [path for path, _ in skipped] == [late]
    louder, skipped = drawable(table, front_end, Augmentation(steps=(Gain(),), fresh=True), seed=0)
    assert louder.equals(table) and skipped == []

    copies = OnlineCopies({"late~1": (late, 1)}, front_end, noisy, lambda _: lambda array: array, seed=3)
    with pytest.raises(SertfError, match="late.wav: copy 1 cannot be drawn in epoch 6: it is silent"):
        copies.draw("late~1", 5)


def test_batches_read_no_array_that_a_copy_replaces(copies):
    class Read(list):
        def __getitem__(self, index):
            read.append(int(index))
            return super().__getitem__(index)

    read, fresh = [], copies()
    clean = np.zeros_like(fresh.draw("a~1", 0))
    batches = Batches(Part(("a", "a~1", "a~2"), Read([clean] * 3), np.zeros(3, np.int32)), 3, fresh=fresh)
    assert batches.shape == (8,) and read == [0]  # for its shape, once
    read.clear()
    for epoch in range(2):
        batches.batch(np.arange(3), epoch)
    assert read == [0, 0]
