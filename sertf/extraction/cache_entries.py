"""Entries of the feature cache: one array a file, checked when read.

An entry is a .npy file and the SHA-256 of its bytes. It is written under a temporary name and renamed.
"""

import hashlib
import io
import re
import warnings
from pathlib import Path

import numpy as np

from sertf.files import write_bytes

CHECKSUM_BYTES = 32
HEADER = re.compile(
    rb"\x93NUMPY\x01\x00.."
    rb"\{'descr': '(?P<dtype>[^']+)', 'fortran_order': (?P<by_columns>True|False), 'shape': \((?P<shape>[\d, ]*)\), \} *\n",
    re.DOTALL,
)


class DamagedEntry(Exception):
    """An entry whose bytes do not match its checksum."""


def entry_path(folder: Path, audio_digest: str) -> Path:
    return folder / f"{audio_digest}.npy"


def write_entry(path, array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    data = stream.getvalue()
    # numpy.load reads as far as the header states. So the file with a checksum at its end is still a valid .npy file.
    write_bytes(path, data + hashlib.sha256(data).digest())


def read_entry(path: Path) -> np.ndarray:
    """The array of an entry. DamagedEntry if its checksum does not match, FileNotFoundError if it is missing.

    Safe in threads. numpy.load is not: it reads a header with ast.literal_eval. In CPython 3.11 that sometimes raises a
    SystemError while another thread parses too (CPython's issue 106905).
    """
    content = memoryview(bytearray(path.read_bytes()))  # of which the array is a view that may be written to
    data, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if hashlib.sha256(data).digest() != checksum:
        raise DamagedEntry("its bytes do not match its checksum")
    header = HEADER.match(data)
    if header is None:
        raise DamagedEntry("it is not an array that the cache wrote")
    shape = [int(length) for length in header["shape"].split(b",") if length.strip()]
    array = np.frombuffer(data, dtype=header["dtype"].decode(), offset=header.end())
    return array.reshape(shape, order="F" if header["by_columns"] == b"True" else "C")


def stored_frames(path: Path) -> int | None:
    """Frames of a sound entry; None if it is missing or damaged. A damaged one raises a warning."""
    try:
        return len(read_entry(path))
    except FileNotFoundError:
        return None
    except DamagedEntry as error:
        warnings.warn(f"{path}: damaged cache entry ({error}); sertf computes it again.", stacklevel=2)
        return None
