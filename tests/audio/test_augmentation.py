import numpy as np
import pandas as pd
import pytest

from sertf.audio.augmentation import (
    Augmentation,
    Gain,
    RandomCut,
    RecordingCondition,
    Speed,
    TimeShift,
    WhiteNoise,
    copies_of,
    seed_of,
)
from sertf.errors import SertfError


@pytest.fixture
def samples():
    return (0.3 * np.sin(np.arange(4000) / 7)).astype("float32")


def snr_of(samples, noisy):
    noise = noisy.astype("float64") - samples
    return 10 * np.log10(np.mean(samples.astype("float64") ** 2) / np.mean(noise**2))


@pytest.mark.parametrize("snr", [-5.0, 15.0, 30.0])
def test_noise_reaches_the_ratio_that_was_drawn(samples, snr):
    noisy = WhiteNoise((snr, snr))(samples, np.random.default_rng(1))
    assert noisy.dtype == "float32"
    assert snr_of(samples, noisy) == pytest.approx(snr, abs=1e-3)


def test_ratios_are_drawn_evenly_in_decibels(samples):
    ratios = [snr_of(samples, WhiteNoise()(samples, np.random.default_rng(seed))) for seed in range(400)]
    assert 15 <= min(ratios) < 15.5 and 29.5 < max(ratios) <= 30.001
    counts, _ = np.histogram(ratios, bins=3, range=(15, 30.001))
    assert counts.min() > 100


def test_noise_is_white_and_centred(samples):
    noise = WhiteNoise((0, 0))(samples, np.random.default_rng(2)) - samples
    assert abs(noise.mean()) < 0.02
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.05


def test_noise_on_silence_is_refused():
    with pytest.raises(SertfError, match="silent, .* undefined"):
        WhiteNoise()(np.zeros(10, "float32"), np.random.default_rng(0))


def test_gain(samples):
    louder = Gain((6.0, 6.0))(samples, np.random.default_rng(0))
    np.testing.assert_allclose(louder, samples * 10 ** (6 / 20), rtol=1e-6)


def test_time_shift_moves_samples_and_brings_in_zeros():
    samples = np.arange(1, 11, dtype="float32")
    seen = {tuple(TimeShift(0.2)(samples, np.random.default_rng(seed))) for seed in range(40)}
    late, early = (0, 0, *range(1, 9)), (*range(3, 11), 0, 0)
    assert {late, early, tuple(samples)} <= seen and len(seen) == 5


def test_random_cut_pads_and_cuts_at_both_ends_to_one_length():
    samples = np.arange(1, 4, dtype="float32")
    padded = {tuple(RandomCut(5)(samples, np.random.default_rng(seed))) for seed in range(40)}
    assert padded == {(0, 0, 1, 2, 3), (0, 1, 2, 3, 0), (1, 2, 3, 0, 0)}
    cut = {tuple(RandomCut(2)(samples, np.random.default_rng(seed))) for seed in range(40)}
    assert cut == {(1, 2), (2, 3)}
    same = RandomCut(3)(samples, np.random.default_rng(0))
    assert same.dtype == "float32" and tuple(same) == (1, 2, 3)


def test_speed_moves_the_pitch_and_the_length(samples):
    def peak(x):
        return np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x)), 65536)))

    copies = [Speed(0.2)(samples, np.random.default_rng(seed)) for seed in range(60)]
    speeds = np.array([len(samples) / len(copy) for copy in copies])
    assert speeds.min() > 0.79 and speeds.max() < 1.21 and speeds.std() > 0.05
    for copy, speed in zip(copies, speeds, strict=True):
        assert peak(copy) / peak(samples) == pytest.approx(speed, rel=0.01)


def test_recording_conditions_change_some_copies_little_and_others_much(samples):
    copies = [RecordingCondition(16000, 0.3)(samples, np.random.default_rng(seed)) for seed in range(80)]
    assert all(copy.dtype == "float32" and np.isfinite(copy).all() and np.abs(copy).max() < 40 for copy in copies)
    same = [copy for copy in copies if len(copy) == len(samples) and np.array_equal(copy, samples)]
    assert 2 <= len(same) <= 25  # 0.7 ** 6 = 0.12 of them
    assert 10 <= sum(len(copy) > len(samples) for copy in copies) <= 70
    assert np.array_equal(RecordingCondition(chance=0.0)(samples, np.random.default_rng(0)), samples)


def test_recording_conditions_take_silence():
    for seed in range(20):
        heard = RecordingCondition(chance=0.9)(np.zeros(8000, "float32"), np.random.default_rng(seed))
        assert np.abs(heard).max() < 0.01  # what codecs leave


def test_same_seeds_same_copy(samples):
    augmentation = Augmentation(steps=(TimeShift(), WhiteNoise(), Gain(), Speed(), RecordingCondition(chance=1.0)))
    first = augmentation.apply(samples, 1, 2)
    np.testing.assert_array_equal(augmentation.apply(samples, 1, 2), first)
    assert not np.array_equal(augmentation.apply(samples, 1, 3), first)
    assert seed_of("a") == seed_of("a") != seed_of("b")


def test_copies_are_rows_with_a_parent():
    table = pd.DataFrame({"utterance": ["a", "b"], "path": ["a.wav", "b.wav"], "emotion": ["anger", "fear"]})
    copies = copies_of(table, 2)
    assert copies["utterance"].tolist() == ["a~1", "b~1", "a~2", "b~2"]
    assert copies["parent"].tolist() == ["a", "b", "a", "b"] and copies["copy"].tolist() == [1, 1, 2, 2]
    assert copies["emotion"].tolist() == ["anger", "fear"] * 2
    assert "parent" not in table


def test_plain_values_tell_augmentations_apart():
    values = [Augmentation().to_dict(), Augmentation(fresh=True).to_dict(), Augmentation(steps=(Gain(),)).to_dict()]
    assert values[0]["steps"] == [{"name": "WhiteNoise", "snr_db": (15.0, 30.0)}]
    assert values[0] != values[1] != values[2]
    assert list(values[0]) == ["steps", "copies", "fresh"]  # older digests hold
    alone = Augmentation(steps=(RandomCut(8),), copies=1, keep_original=False)
    assert alone.to_dict()["keep_original"] is False and alone.to_dict()["steps"][0]["samples"] == 8
    assert alone.changes_length and not Augmentation().changes_length


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WhiteNoise((30, 15)), r"snr_db must be \(lowest, highest\) in dB, got \(30, 15\)"),
        (lambda: Gain((3, 1)), r"gain_db must be \(lowest, highest\)"),
        (lambda: WhiteNoise((15, float("inf"))), "snr_db must be"),
        (lambda: Gain((float("nan"), 1)), "gain_db must be"),
        (lambda: WhiteNoise(15.0), "WhiteNoise snr_db must be .lowest, highest. in dB, got 15.0"),
        (lambda: Gain((None, 3)), "Gain gain_db must be .lowest, highest. in dB, got .None, 3."),
        (lambda: TimeShift("far"), "share must lie between 0 and 1, got 'far'"),
        (lambda: TimeShift(1.0), "share must lie between 0 and 1, got 1.0"),
        (lambda: Speed(0), "Speed share must lie between 0 and 1, got 0"),
        (lambda: RecordingCondition(0), "RecordingCondition: sample_rate must be a whole number above 0, got 0"),
        (lambda: RecordingCondition(chance=2), "RecordingCondition chance must lie from 0 to 1, got 2"),
        (lambda: RandomCut(0), "RandomCut: samples must be a whole number above 0, got 0"),
        (lambda: RandomCut(8.0), "RandomCut: samples must be a whole number above 0, got 8.0"),
        (lambda: Augmentation(copies=0), "copies must be a whole number above 0, got 0"),
        (lambda: Augmentation(steps=Gain()), "steps must be one or more of WhiteNoise, Gain, TimeShift, RandomCut"),
        (lambda: Augmentation(steps=()), "steps must be one or more of WhiteNoise, Gain, TimeShift, RandomCut"),
    ],
)
def test_a_mistake_is_one_sentence(make, message):
    with pytest.raises(SertfError, match=message):
        make()
