"""Writes of files and folders that are complete or absent, by one process at a time, and digests of their contents.

`SHIPPED` is where the trained models lie that come with sertf.
"""

import contextlib
import glob
import hashlib
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from sertf.errors import SertfError

CHECKSUMS = "SHA256SUMS"
"""File of a folder with the checksums of others in it, as `sha256sum` writes it."""
_PACKAGE = Path(__file__).parent
# An installation has them beside the packages, a checkout beside the package itself.
SHIPPED = next(place for place in (_PACKAGE / "saved_models", _PACKAGE.parent / "saved_models") if place.is_dir())


class Busy(SertfError):
    """Another process writes to the same place."""


@contextlib.contextmanager
def locked(lock: Path, place: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock, so that no other process or thread that asks for it writes to a place meanwhile.

    The lock ends with its process, a killed one too. Its file is removed at the end.

    Args:
        lock: the file to lock.
        place: what is written, for messages.
        wait: wait for another holder, and say so on standard error.

    Raises:
        Busy: another process holds it, and `wait` is False.
        OSError: the file cannot be made.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise Busy(f"Another command is writing to {place}; wait for its end, or choose another folder.") from None
        print(f"Another command is writing to {place}; waiting for its end.", file=sys.stderr)
        held.acquire()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no open file
            lock.unlink()  # before the release: who waits finds it gone and makes another
        held.release()


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a hidden file beside `path`, then rename it to `path`. An error leaves no trace.

    No other thread or process writes to that hidden file. The last rename wins.
    """
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        write(staging)
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, or leave the existing one."""
    write_atomically(path, lambda staging: staging.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 text file, or leave the existing one."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder to fill. It replaces the folder `path` at the end. Processes that replace it do so in turn.

    An error leaves the old folder. So does a killed process: if it died between two renames, the next call for this path
    puts the old folder back. Each call removes what killed processes left.

    Raises:
        OSError: the folder cannot be made, or cannot take its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(_lock(path), path):
        _clear(path)
        staging = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        new, old = staging / path.name, staging / _old(path)
        try:
            new.mkdir()
            yield new
            if path.exists():
                os.replace(path, old)
            try:
                os.replace(new, path)
            except OSError:
                if old.exists():
                    os.replace(old, path)
                raise
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left beside `path` in `replaced_folder` and `write_atomically`.

    A folder that was to be replaced is put back. What a live process is filling in `replaced_folder` stays.
    """
    for half in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        half.unlink(missing_ok=True)
    if _stagings(path):
        with contextlib.suppress(Busy), locked(_lock(path), path, wait=False):
            _clear(path)


def _clear(path: Path) -> None:
    """Remove all folders that `replaced_folder` has made for `path`. Whoever holds the lock knows them to be dead."""
    for killed in _stagings(path):
        if not path.exists() and (killed / _old(path)).exists():
            os.replace(killed / _old(path), path)
        shutil.rmtree(killed, ignore_errors=True)


def _lock(path: Path) -> Path:
    """The file that is locked while a folder is replaced."""
    return path.with_name(f".{path.name}.lock")


def _stagings(path: Path) -> list[Path]:
    """The folders that `replaced_folder` has made for `path` and that still exist."""
    found = []
    for place in path.parent.glob(f".{glob.escape(path.name)}-????????"):
        with contextlib.suppress(OSError):  # not a folder, another user's, or removed meanwhile
            if set(os.listdir(place)) <= {path.name, _old(path)}:
                found.append(place)
    return found


def _old(path: Path) -> str:
    return f"{path.name}.old"


def try_writing(folder: Path) -> None:
    """Raise an OSError unless a file can be made in an existing folder."""
    with tempfile.TemporaryFile(dir=folder):  # a unique name: other commands may start in the same folder
        pass


def check_writable(folder: Path, choice: str, error: type[SertfError] = SertfError) -> None:
    """Make a folder; raise `error` if nothing can be written there.

    Args:
        folder: the folder.
        choice: what the user can choose in its place, such as "--out folder".
        error: class to raise.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try_writing(folder)
    except OSError as fault:
        raise error(f"Cannot write to {folder}: {fault.strerror}; choose another {choice}.") from fault


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write the checksums of files in a folder into its `CHECKSUMS`, as `sha256sum` does.

    Args:
        folder: the folder.
        names: the files, relative to it, with `/`.
    """
    lines = [f"{checksum(folder / name)}  {name}\n" for name in sorted(names)]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def faults_by_checksums(folder: Path) -> list[str]:
    """What is wrong with the files that a folder's `CHECKSUMS` lists: each missing or changed one, in words.

    Raises:
        OSError, ValueError: there is no such file, or it is no list of checksums.
    """
    listed = [line.split("  ", 1) for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()]
    stated = {name: value for value, name in listed}
    if not stated:
        return [f"{CHECKSUMS} lists no file"]
    return [
        f"{name} is missing" if not (folder / name).is_file() else f"{name} has changed"
        for name, value in stated.items()
        if not (folder / name).is_file() or checksum(folder / name) != value
    ]


def digest(*parts: bytes | memoryview, size: int) -> str:
    """Hex digest of the concatenated bytes, by BLAKE2b.

    Args:
        parts: the bytes; the boundaries between parts do not count.
        size: bytes of the digest, half the number of its letters.

    >>> digest(b"speech", size=8) == digest(b"spe", b"ech", size=8)
    True
    """
    state = hashlib.blake2b(digest_size=size)
    for part in parts:
        state.update(part)
    return state.hexdigest()
