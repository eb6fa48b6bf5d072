import numpy as np
import pytest

from sertf import entries


def test_round_trip_and_any_numpy_opens_it(tmp_path):
    path = entries.entry_path(tmp_path, "abc")
    array = np.arange(6, dtype="float32").reshape(3, 2)
    entries.write_entry(path, array)
    np.testing.assert_array_equal(entries.read_entry(path), array)
    np.testing.assert_array_equal(np.load(path), array)
    assert entries.stored_frames(path) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["abc.npy"]


def test_one_wrong_byte_is_noticed(tmp_path):
    path = tmp_path / "abc.npy"
    entries.write_entry(path, np.zeros(5, "float32"))
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(entries.DamagedEntry):
        entries.read_entry(path)
    with pytest.warns(UserWarning, match="damaged cache entry"):
        assert entries.stored_frames(path) is None


def test_missing(tmp_path):
    assert entries.stored_frames(tmp_path / "none.npy") is None
