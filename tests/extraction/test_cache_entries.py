import ast
import hashlib

import numpy as np
import pytest

from sertf.extraction.cache_entries import DamagedEntry, entry_path, read_entry, stored_frames, write_entry


def test_round_trip_and_any_numpy_opens_it(tmp_path):
    path = entry_path(tmp_path, "abc")
    array = np.arange(6, dtype="float32").reshape(3, 2)
    write_entry(path, array)
    np.testing.assert_array_equal(read_entry(path), array)
    np.testing.assert_array_equal(np.load(path), array)
    assert stored_frames(path) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["abc.npy"]


@pytest.mark.parametrize(
    "array",
    [
        np.float64(3),
        np.arange(5),
        np.zeros((0, 4), "float32"),
        np.arange(24, dtype="int16").reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    ],
    ids=["scalar", "vector", "empty", "three dimensions", "by columns"],
)
def test_an_array_of_any_shape_comes_back_as_it_was(tmp_path, array):
    write_entry(tmp_path / "abc.npy", array)
    read = read_entry(tmp_path / "abc.npy")
    np.testing.assert_array_equal(read, array, strict=True)
    assert read.flags.writeable


def test_reading_does_not_parse_python(tmp_path, monkeypatch):
    # In CPython 3.11 two threads that parse at once can meet a SystemError; the cache is read by many.
    def mismatch(*_, **__):
        raise SystemError("AST constructor recursion depth mismatch (before=39, after=35)")

    monkeypatch.setattr(ast, "parse", mismatch)
    write_entry(tmp_path / "abc.npy", np.zeros((3, 2), "float32"))
    assert read_entry(tmp_path / "abc.npy").shape == (3, 2)


def test_bytes_that_are_no_array_are_damage(tmp_path):
    data = b"no array"
    (tmp_path / "abc.npy").write_bytes(data + hashlib.sha256(data).digest())
    with pytest.raises(DamagedEntry, match="not an array"):
        read_entry(tmp_path / "abc.npy")


def test_one_wrong_byte_is_noticed(tmp_path):
    path = tmp_path / "abc.npy"
    write_entry(path, np.zeros(5, "float32"))
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedEntry):
        read_entry(path)
    with pytest.warns(UserWarning, match="damaged cache entry"):
        assert stored_frames(path) is None


def test_missing(tmp_path):
    assert stored_frames(tmp_path / "none.npy") is None
