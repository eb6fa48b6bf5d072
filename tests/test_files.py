"""Writing files and folders: all of it or nothing, and nothing left behind."""

import concurrent.futures
import doctest
import hashlib
import os

import pytest

from sertf import files
from sertf.errors import SertfError
from sertf.files import (
    check_writable,
    digest,
    remove_leftovers,
    replaced_folder,
    write_atomically,
    write_bytes,
    write_text,
)


class Broken(Exception):
    pass


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_text_is_utf_8_with_its_own_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "für\r\n\n")
    assert (tmp_path / "a.txt").read_bytes() == "für\r\n\n".encode()
    assert names(tmp_path) == ["a.txt"]


def test_a_file_is_written_anew(tmp_path):
    write_bytes(tmp_path / "a", b"first, and longer")
    write_bytes(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"second"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    def broken(path):
        path.write_text("half")
        raise Broken

    write_text(tmp_path / "a", "old")
    with pytest.raises(Broken):
        write_atomically(tmp_path / "a", broken)
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_a_file_has_the_mode_of_any_other(tmp_path):
    write_text(tmp_path / "a", "")
    (tmp_path / "b").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_threads_that_write_one_file_at_once_leave_one_whole(tmp_path):
    texts = [letter * 100_000 for letter in "abcdefgh"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "a", text), texts))
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() in texts


@pytest.fixture
def old(tmp_path):
    """A folder that is there already."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old.txt").touch()
    return folder


def test_a_folder_is_made_with_those_above_it(tmp_path):
    with replaced_folder(tmp_path / "a" / "b") as new:
        (new / "file").touch()
        assert not (tmp_path / "a" / "b").exists()
    assert names(tmp_path / "a") == ["b"] and names(tmp_path / "a" / "b") == ["file"]


def test_a_folder_takes_the_place_of_the_old_one(old):
    with replaced_folder(old) as new:
        assert new.name == old.name and names(new) == []
        (new / "new.txt").touch()
    assert names(old) == ["new.txt"] and names(old.parent) == ["model"]


def test_a_folder_has_the_mode_of_any_other(old):
    with replaced_folder(old.with_name("other")):
        pass
    assert old.with_name("other").stat().st_mode == old.stat().st_mode


def test_an_error_leaves_the_old_folder_and_nothing_else(old):
    with pytest.raises(Broken), replaced_folder(old) as new:
        (new / "new.txt").touch()
        raise Broken
    assert names(old) == ["old.txt"] and names(old.parent) == ["model"]


def test_a_rename_that_fails_puts_the_old_folder_back(old, monkeypatch):
    rename = os.replace

    def refuses(source, target):
        if target == old and "new.txt" in names(source):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(files.os, "replace", refuses)
    with pytest.raises(OSError, match="No space left"), replaced_folder(old) as new:
        (new / "new.txt").touch()
    assert names(old) == ["old.txt"] and names(old.parent) == ["model"]


def killed(old, *, between_renames):
    """What a process leaves that is killed while it replaces a folder."""
    staging = old.with_name(".model-abcdefgh")
    (staging / "model").mkdir(parents=True)
    if between_renames:
        old.rename(staging / "model.old")
    return staging


def test_the_folder_of_a_killed_process_is_put_back(old):
    killed(old, between_renames=True)
    with pytest.raises(Broken), replaced_folder(old):
        raise Broken
    assert names(old) == ["old.txt"]


@pytest.mark.parametrize("between_renames", [True, False])
def test_leftovers_are_removed_and_nothing_else(old, between_renames):
    killed(old, between_renames=between_renames)
    for other in (".model-two-abcdefgh", ".model-ijklmnop/mine", ".other-abcdefgh"):
        (old.parent / other).mkdir(parents=True)
    with replaced_folder(old):
        pass
    for half in (".model.12-34.tmp", ".model-two.12-34.tmp"):
        (old.parent / half).touch()
    remove_leftovers(old)
    assert names(old.parent) == [
        ".model-ijklmnop",
        ".model-two-abcdefgh",
        ".model-two.12-34.tmp",
        ".other-abcdefgh",
        "model",
    ]


def test_a_folder_that_cannot_be_written_to(tmp_path):
    class OwnError(SertfError):
        pass

    (tmp_path / "file").touch()
    with pytest.raises(OwnError, match=r"Cannot write to .*runs: Not a directory; choose another --out folder\."):
        check_writable(tmp_path / "file" / "runs", "--out folder", OwnError)


def test_commands_that_start_at_once_share_a_folder(tmp_path):
    def check_often(_):
        for _ in range(100):
            check_writable(tmp_path / "runs", "--out folder")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(check_often, range(8)))
    assert names(tmp_path / "runs") == []


def test_a_digest_is_blake2b_of_all_parts(tmp_path):
    assert digest(b"ab", memoryview(b"c"), size=8) == hashlib.blake2b(b"abc", digest_size=8).hexdigest()


def test_doctests():
    result = doctest.testmod(files)
    assert result.attempted and not result.failed
