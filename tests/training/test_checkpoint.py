import numpy as np
import pytest

from sertf.training.checkpoint import Checkpoint, State

STATE = State(
    variables=[np.arange(3, dtype="float32") / 3, np.uint32([7, 8])],
    logs=[{"loss": 1 / 3}, {"loss": 0.1}],
    watched=[{"test_uar": 0.25}],
    seconds=1.5,
    best=(1, 0.7, 0),
    best_weights=[np.ones((2, 2), "float32")],
)


def assert_equal(ours, expected):
    for name in ("logs", "watched", "seconds", "best"):
        assert getattr(ours, name) == getattr(expected, name)
    for name in ("variables", "best_weights"):
        for array, other in zip(getattr(ours, name), getattr(expected, name), strict=True):
            assert array.dtype == other.dtype
            np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("state", [STATE, State([np.zeros(1)], [{"loss": 1.0}], [], 0.0)])
def test_a_state_is_read_as_it_was_written(tmp_path, state):
    Checkpoint(tmp_path / "new" / "state.npz", "a").write(state)
    assert_equal(Checkpoint(tmp_path / "new" / "state.npz", "a").read(), state)


def test_another_trainings_state_does_not_count(tmp_path):
    Checkpoint(tmp_path / "state.npz", "a").write(STATE)
    assert Checkpoint(tmp_path / "state.npz", "b").read() is None


def test_no_file_and_broken_ones(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.npz", "a")
    assert checkpoint.read() is None
    checkpoint.write(STATE)
    whole = checkpoint.path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        checkpoint.path.write_bytes(content)
        assert checkpoint.read() is None


def test_removed(tmp_path):
    checkpoint = Checkpoint(tmp_path / ".fold-1.checkpoint.npz", "a")
    for one in (checkpoint, checkpoint.of_part(0), checkpoint.of_part(1)):
        one.write(STATE)
        assert one.read() is not None
    checkpoint.remove()
    checkpoint.remove()
    assert not list(tmp_path.iterdir())
