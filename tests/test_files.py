"""Writing files and folders: all of it or nothing, and nothing left behind."""

import concurrent.futures
import doctest
import hashlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from sertf import files
from sertf.errors import SertfError
from sertf.files import (
    Busy,
    check_writable,
    digest,
    locked,
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
    assert names(old) == ["old.txt"]


def test_a_new_folder_removes_what_killed_ones_left(old):
    killed(old, between_renames=False)
    with replaced_folder(old):
        pass
    assert names(old.parent) == ["model"]


def test_what_a_live_process_fills_stays(old):
    with replaced_folder(old) as new:
        (new / "new.txt").touch()
        remove_leftovers(old)
        assert new.parent.name in names(old.parent)
    assert names(old) == ["new.txt"] and names(old.parent) == ["model"]


def test_threads_that_replace_one_folder_do_so_in_turn(old):
    def fill(letter):
        for _ in range(20):
            with replaced_folder(old) as new:
                for name in "ab":
                    (new / name).write_text(letter)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, "cdef"))
    assert names(old) == ["a", "b"] and (old / "a").read_text() == (old / "b").read_text()
    assert names(old.parent) == ["model"]


def test_another_command_waits_or_is_refused(tmp_path, capsys):
    lock = tmp_path / ".lock"
    order = []

    def second():
        with locked(lock, tmp_path / "runs"):
            order.append("second")

    with locked(lock, tmp_path / "runs"):
        with pytest.raises(Busy, match="Another command is writing to .*runs; wait for its end, or choose another"):
            with locked(lock, tmp_path / "runs", wait=False):
                pass
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.3)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"] and names(tmp_path) == []
    assert "runs; waiting for its end." in capsys.readouterr().err


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom sertf.files import replaced_folder\n"
        "with replaced_folder(Path(sys.argv[1])):\n    print('filling', flush=True)\n    time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "model")], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout.readline() == b"filling\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(names(tmp_path)) == 2  # the lock, and what it was filling
    with replaced_folder(tmp_path / "model") as new:
        (new / "new.txt").touch()
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["new.txt"]


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


def test_checksums_tell_what_is_missing_or_has_changed(tmp_path):
    (tmp_path / "inside").mkdir()
    for name in ("a", "inside/b"):
        (tmp_path / name).write_text(name)
    files.write_checksums(tmp_path, ["inside/b", "a"])
    first = f"{hashlib.sha256(b'a').hexdigest()}  a"
    assert (tmp_path / files.CHECKSUMS).read_text().splitlines()[0] == first  # as sha256sum writes it
    assert files.faults_by_checksums(tmp_path) == []
    (tmp_path / "inside" / "b").write_text("c")
    (tmp_path / "a").unlink()
    assert files.faults_by_checksums(tmp_path) == ["a is missing", "inside/b has changed"]
    (tmp_path / files.CHECKSUMS).write_text("no checksums")
    with pytest.raises(ValueError):
        files.faults_by_checksums(tmp_path)
    (tmp_path / files.CHECKSUMS).write_text("")
    assert files.faults_by_checksums(tmp_path) == ["SHA256SUMS lists no file"]


def test_a_digest_is_blake2b_of_all_parts(tmp_path):
    assert digest(b"ab", memoryview(b"c"), size=8) == hashlib.blake2b(b"abc", digest_size=8).hexdigest()


def test_doctests():
    result = doctest.testmod(files)
    assert result.attempted and not result.failed
