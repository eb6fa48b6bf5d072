import numpy as np
import pytest

from sertf.protocols.splits import Fold
from sertf.training.batches import Batches
from sertf.training.scaling import PipelineError, Scaling, parts_of


def test_scaling_equals_statistics_over_all_frames():
    rng = np.random.default_rng(1)
    arrays = [rng.normal(3, 2, size=(n, 4)).astype(np.float32) for n in (5, 9, 2)]
    scaling = Scaling.fit(arrays)
    frames = np.concatenate(arrays)
    np.testing.assert_allclose(scaling.mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(scaling.std, frames.std(axis=0), rtol=1e-5)
    scaled = np.concatenate([scaling(array) for array in arrays])
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-5)


def test_constant_dimension_scales_to_zero_and_not_to_nan():
    scaling = Scaling.fit([np.array([[1.0, 5.0], [2.0, 5.0]], np.float32)])
    assert scaling.std[1] == 1
    np.testing.assert_array_equal(scaling(np.array([[1.5, 5.0]], np.float32)), [[0, 0]])


def test_each_cell_by_itself():
    arrays = [np.array([[1.0, 0.0], [4.0, 7.0]], np.float32), np.array([[3.0, 2.0], [4.0, 9.0]], np.float32)]
    scaling = Scaling.fit(arrays, each="cell")
    assert scaling.mean.tolist() == [[2, 1], [4, 8]] and scaling.std.tolist() == [[1, 1], [1, 1]]
    np.testing.assert_array_equal(scaling(arrays[0]), [[-1, -1], [0, -1]])


@pytest.mark.parametrize(
    ("lengths", "each", "message"),
    [
        ((2, 3), "cell", "features of one length, got 2 to 3 frames"),
        ((2, 2), "frame", "each dimension, each cell or nothing, got"),
    ],
)
def test_scaling_that_cannot_be(lengths, each, message):
    with pytest.raises(PipelineError, match=message):
        Scaling.fit([np.zeros((n, 2), np.float32) for n in lengths], each=each)


def test_scaling_of_nothing():
    with pytest.raises(PipelineError, match="at least one utterance"):
        Scaling.fit([])


def test_parts_are_scaled_by_training_rows_unless_told_otherwise():
    features = {"a": np.array([[0.0], [2.0]]), "b": np.array([[10.0]]), "c": np.array([[20.0]])}
    fold = Fold("f", ("a",), ("b",), ("c",))
    labels = {"a": 0, "b": 1, "c": 1}
    parts, scaling = parts_of(fold, features, labels)
    assert scaling.mean.tolist() == [1] and scaling.std.tolist() == [1]
    assert parts["test"].arrays[0].tolist() == [[19]] and parts["test"].labels.tolist() == [1]
    _, scaling = parts_of(fold, features, labels, scaling_rows=("a", "b", "c"))
    assert scaling.mean.tolist() == [8]


def test_each_speaker_is_scaled_by_clips_of_their_own():
    rng = np.random.default_rng(2)
    speakers = {f"{speaker}{i}": speaker for speaker in "abc" for i in range(6)}
    shift = {"a": -5, "b": 0, "c": 90}
    features = {u: rng.normal(shift[s], 1 + shift[s] ** 2, (4, 3)).astype(np.float32) for u, s in speakers.items()}
    fold = Fold("f", *(tuple(u for u in speakers if u[0] == s) for s in "abc"))
    parts, scaling = parts_of(fold, features, dict.fromkeys(speakers, 0), speakers=speakers)
    for part in parts.values():
        np.testing.assert_allclose(np.concatenate(part.arrays).mean(axis=0), 0, atol=1e-4)
        np.testing.assert_allclose(np.concatenate(part.arrays).std(axis=0), 1, atol=1e-4)
    kept = scaling.arrays()
    assert kept["speakers"].tolist() == ["a", "b", "c"] and kept["speaker_mean"].shape == (3, 3)
    unknown = Scaling.fit([features[u] for u in fold.train])
    np.testing.assert_array_equal(kept["mean"], unknown.mean)
    np.testing.assert_array_equal(kept["std"], unknown.std)
    assert kept["trained"] == 1


def test_an_altered_copy_is_scaled_as_its_speaker_and_enrols_nobody():
    speakers = {f"{speaker}{i}": speaker for speaker in "abc" for i in range(4)}
    rng = np.random.default_rng(2)
    features = {u: rng.normal("abc".index(s), 1, (4, 3)).astype(np.float32) for u, s in speakers.items()}
    fold = Fold("f", *(tuple(u for u in speakers if u[0] == s) for s in "abc"))
    clean, _ = parts_of(fold, features, dict.fromkeys(speakers, 0), speakers=speakers)
    copies = {f"{u}~1": u for u in fold.train}
    speakers |= {copy: "a" for copy in copies}
    features |= {copy: features[u] + 7 for copy, u in copies.items()}
    parts, scaling = parts_of(
        fold.with_copies(copies), features, dict.fromkeys(speakers, 0), speakers=speakers, copies=copies
    )
    scaled = dict(zip(parts["train"].utterances, parts["train"].arrays))
    for utterance, array in zip(fold.train, clean["train"].arrays):
        np.testing.assert_array_equal(scaled[utterance], array)
        np.testing.assert_allclose(scaled[f"{utterance}~1"], array + 7 / scaling.of("a0").std, rtol=1e-4)


def test_tested_speakers_enrol_with_few_clips_and_training_speakers_with_all():
    speakers = {f"{speaker}{i}": speaker for speaker in "abc" for i in range(6)}
    features = {u: np.full((2, 1), float(u[1]), np.float32) for u in speakers}
    fold = Fold("f", *(tuple(u for u in speakers if u[0] == s) for s in "abc"))
    pairs = {(i + j) / 2 for i in range(6) for j in range(6) if i != j}
    drawn = set()
    for seed in range(8):
        _, scaling = parts_of(
            fold, features, dict.fromkeys(speakers, 0), speakers=speakers, enrolment_clips=2, seed=seed
        )
        means = {name: float(one.mean[0]) for name, one in scaling.by_speaker.items()}
        assert means["a"] == 2.5 and {means["b"], means["c"]} <= pairs
        assert sorted(u[0] for u in scaling.enrolled) == ["b", "b", "c", "c"]
        drawn.add(means["c"])
    assert len(drawn) > 1


def test_without_clips_a_tested_speaker_is_scaled_as_an_unknown_one():
    rng = np.random.default_rng(3)
    speakers = {f"{speaker}{i}": speaker for speaker in "abcd" for i in range(3)}
    features = {u: rng.normal("abcd".index(s), 1, (4, 2)).astype(np.float32) for u, s in speakers.items()}
    own = {s: tuple(u for u in speakers if u[0] == s) for s in "abcd"}
    fold = Fold("f", own["a"] + own["b"], own["c"], own["d"])
    labels = dict.fromkeys(speakers, 0)
    parts, _ = parts_of(fold, features, labels, speakers=speakers, enrolment_clips=0)
    together = Scaling.fit([features[u] for u in fold.train])
    np.testing.assert_array_equal(parts["test"].arrays[1], together(features["d1"]))
    by_all, _ = parts_of(fold, features, labels, speakers=speakers)
    for name in ("train", "validation"):
        np.testing.assert_array_equal(parts[name].arrays, by_all[name].arrays)


class OnDisk(dict):
    """Features that count how often each is read."""

    def __init__(self, arrays):
        super().__init__(arrays)
        self.lengths = {utterance: len(array) for utterance, array in arrays.items()}
        self.read = []

    def __getitem__(self, utterance):
        self.read.append(utterance)
        return super().__getitem__(utterance)


@pytest.mark.parametrize("each", ["dimension", "cell"])
def test_large_features_are_read_when_needed_and_are_the_same(monkeypatch, each):
    rng = np.random.default_rng(0)
    features = OnDisk({f"u{i}": rng.normal(3, 2, size=(6, 2)).astype(np.float32) for i in range(12)})
    names = list(features)
    fold = Fold("f", tuple(names[:8]), tuple(names[8:10]), tuple(names[10:]))
    labels = {name: i % 2 for i, name in enumerate(names)}
    held, scaling = parts_of(fold, features, labels, each=each)
    assert isinstance(held["train"].arrays, list)

    monkeypatch.setattr("sertf.training.scaling.HELD_BYTES", 12 * 6 * 2 * 4 - 1)
    features.read.clear()
    streamed, again = parts_of(fold, features, labels, each=each)
    np.testing.assert_array_equal(again.mean, scaling.mean)
    np.testing.assert_array_equal(again.std, scaling.std)
    assert set(features.read) == set(fold.train)  # the scaling's rows; nothing else yet
    features.read.clear()
    batches = Batches(streamed["train"], 4, seed=1)
    assert batches.frames == 6 and len(features.read) == 0
    for epoch in range(2):
        for indices in batches.order(epoch):
            for ours, expected in zip(batches.batch(indices, epoch), Batches(held["train"], 4).batch(indices, epoch)):
                np.testing.assert_array_equal(ours, expected)
    assert features.read.count("u3") >= 2  # read anew in every epoch
    assert len(features.read) == 1 + 2 * 8  # and the first once more, for its shape
    features.read.clear()
    both = [part["train"].taken([0, 3, 3], ("u0", "u3", "u3~1")) for part in (streamed, held)]
    assert features.read == [] and both[0].lengths.tolist() == [6, 6, 6]
    for part in both:
        assert part.utterances == ("u0", "u3", "u3~1") and part.labels.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(list(both[0].arrays), both[1].arrays)
    monkeypatch.setattr("sertf.training.scaling.HELD_BYTES", 12 * 6 * 2 * 4)
    assert isinstance(parts_of(fold, features, labels)[0]["train"].arrays, list)


def test_nothing_is_scaled():
    arrays = [np.full((3, 2), 5.0, "float32"), np.zeros((4, 2), "float32")]
    scaling = Scaling.fit(arrays, each="nothing")
    np.testing.assert_array_equal(scaling(arrays[0]), arrays[0])
