import keras
import numpy as np
import pytest

from sertf.training.batches import Batches, as_dataset, predict, utterances_at_once
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part, PipelineError


@pytest.fixture
def part():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 40, size=23)
    arrays = [np.full((n, 2), i + 1, np.float32) for i, n in enumerate(lengths)]
    return Part(tuple(f"u{i}" for i in range(23)), arrays, np.arange(23, dtype=np.int32))


@pytest.mark.parametrize("seed", [None, 5])
def test_each_epoch_holds_every_utterance_once(part, seed):
    batches = Batches(part, 4, seed=seed)
    for epoch in range(3):
        cuts = batches.order(epoch)
        assert len(cuts) == len(batches) == 6
        assert sorted(np.concatenate(cuts)) == list(range(23))
        assert sorted(map(len, cuts)) == [3, 4, 4, 4, 4, 4]


def test_the_last_batch_can_be_kept_from_being_one_utterance(part):
    batches = Batches(part, 11, seed=5)
    alone = batches.order(0)
    assert sorted(map(len, alone)) == [1, 11, 11]
    batches.smallest = 2
    cuts = batches.order(0)
    assert sorted(map(len, cuts)) == [2, 10, 11] and sorted(np.concatenate(cuts)) == list(range(23))
    batches = Batches(part, 23, seed=5)
    batches.smallest = 24
    assert list(map(len, batches.order(0))) == [23]


def test_batches_pad_with_zeros_to_a_multiple(part):
    batches = Batches(part, 4, seed=5, bucket_frames=16)
    for indices in batches.order(0):
        x, y = batches.batch(indices)
        assert x.shape[1] in (16, 32, 48)
        assert x.shape[1] - max(part.lengths[indices]) < 16
        for row, i in zip(x, indices):
            assert np.all(row[: part.lengths[i]] == i + 1) and np.all(row[part.lengths[i] :] == 0)
        assert y.tolist() == indices.tolist()


def test_same_seed_same_batches_and_another_order_each_epoch(part):
    first, second = Batches(part, 4, seed=5), Batches(part, 4, seed=5)
    for epoch in range(2):
        assert [c.tolist() for c in first.order(epoch)] == [c.tolist() for c in second.order(epoch)]
    assert [c.tolist() for c in first.order(0)] != [c.tolist() for c in first.order(1)]
    assert [c.tolist() for c in first.order(0)] != [c.tolist() for c in Batches(part, 4, seed=6).order(0)]


def test_random_batches_mix_lengths_and_hold_every_utterance_once(part):
    random, similar = (Batches(part, 4, seed=5, by_length=by_length) for by_length in (False, True))
    spread = []
    for batches in (random, similar):
        cuts = [cut for epoch in range(5) for cut in batches.order(epoch)]
        assert sorted(np.concatenate(cuts)) == sorted([*range(23)] * 5)
        spread.append(np.mean([np.ptp(part.lengths[cut]) for cut in cuts]))
    assert spread[0] > 1.5 * spread[1]
    for cut in random.order(0):
        features, _ = random.batch(cut)
        assert 0 <= features.shape[1] - max(part.lengths[cut]) < 16


def test_dataset_gives_the_batches_epoch_after_epoch(part):
    batches = Batches(part, 4, seed=5)
    dataset = as_dataset(batches)
    assert len(dataset) == 6
    for epoch in range(2):
        if keras.backend.backend() == "tensorflow":
            given = [y.tolist() for _, y in dataset.as_numpy_iterator()]
        else:
            given = [dataset[i][1].tolist() for i in range(len(dataset))]
            dataset.on_epoch_end()
        assert given == [cut.tolist() for cut in batches.order(epoch)]


def test_predictions_come_in_the_order_of_the_part(part):
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(inputs))
    np.testing.assert_array_equal(predict(model, part, batch_size=4)[:, 0], np.arange(1, 24))
    both = keras.Model(inputs, [model(inputs), 2 * model(inputs)])
    first, second = predict(both, part, batch_size=4)
    np.testing.assert_array_equal(second, 2 * first)


def test_empty_part():
    with pytest.raises(PipelineError, match="empty"):
        Batches(Part((), [], np.array([])), 4)


def test_utterances_of_one_length_are_not_padded_and_their_length_is_known():
    arrays = [np.full((5, 2), i, "float32") for i in range(1, 4)]
    batches = Batches(Part(("a", "b", "c"), arrays, np.zeros(3, "int32")), 2)
    assert batches.frames == 5 and batches.batch(np.array([0, 2]))[0].shape == (2, 5, 2)
    mixed = Part(("a", "b"), [arrays[0], np.zeros((20, 2), "float32")], np.zeros(2, "int32"))
    assert Batches(mixed, 2).frames is None
    features, _ = next(iter(as_dataset(batches)))
    assert features.shape == (2, 5, 2)


def test_utterances_scored_at_once_fit_where_batches_are_cut():
    assert utterances_at_once(None) == utterances_at_once(Recipe()) == 64
    assert utterances_at_once(Recipe(batch_size=6, accumulation=2)) == 6


def test_a_teachers_probabilities_are_mixed_into_the_targets():
    part = Part(("a", "b"), [np.ones((3, 2), "float32")] * 2, np.array([0, 1], "int32"))
    taught = np.array([[0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])
    _, targets = Batches(part, 2, classes=3, taught=taught, distillation=0.75).batch(np.array([1, 0]))
    np.testing.assert_allclose(targets, [[0.15, 0.4, 0.45], [0.625, 0.375, 0.0]], atol=1e-6)
