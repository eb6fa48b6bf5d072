"""Silence for libraries that write to standard error past Python."""

import contextlib
import os


@contextlib.contextmanager
def standard_error_hidden():
    """Send what this process's compiled code writes to standard error nowhere; exceptions are raised as ever."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
