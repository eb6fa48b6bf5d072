"""Writing files and folders so that nobody ever sees half of one, and the digests that name their contents."""

import contextlib
import glob
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from sertf.errors import SertfError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a hidden file beside `path`, then rename it to `path`; an error leaves nothing of it.

    No other thread or process writes to that hidden file. The last rename wins.
    """
    staging = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        write(staging)
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as a whole, or leave the one that stands there."""
    write_atomically(path, lambda staging: staging.write_bytes(data))


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file as a whole, or leave the one that stands there."""
    write_bytes(path, text.encode())


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder to fill, which takes the place of the folder `path` at the end.

    An error leaves what stood there. So does a process that is killed: the next call for the same path puts the old
    folder back if it was killed between two renames.

    Raises:
        OSError: the folder cannot be made, or cannot take its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for killed in _stagings(path):
        if not path.exists() and (killed / _old(path)).exists():
            os.replace(killed / _old(path), path)
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
    """Remove what processes left beside `path` that were killed in `replaced_folder`."""
    for killed in _stagings(path):
        shutil.rmtree(killed, ignore_errors=True)


def _stagings(path: Path) -> list[Path]:
    """The folders of `replaced_folder` for `path` that are there now."""
    found = []
    for place in path.parent.glob(f".{glob.escape(path.name)}-????????"):
        with contextlib.suppress(OSError):  # no folder, another user's, or gone by now
            if set(os.listdir(place)) <= {path.name, _old(path)}:
                found.append(place)
    return found


def _old(path: Path) -> str:
    return f"{path.name}.old"


def try_writing(folder: Path) -> None:
    """Raise an OSError unless a file can be made in a folder that is there."""
    with tempfile.TemporaryFile(dir=folder):  # of a name of its own: other commands may start in the same folder
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


def digest(*parts: bytes | memoryview, size: int) -> str:
    """Hex digest of bytes that follow each other, by BLAKE2b.

    Args:
        parts: the bytes; where one part ends and the next starts does not count.
        size: bytes of the digest, half the number of its letters.

    >>> digest(b"speech", size=8) == digest(b"spe", b"ech", size=8)
    True
    """
    state = hashlib.blake2b(digest_size=size)
    for part in parts:
        state.update(part)
    return state.hexdigest()
