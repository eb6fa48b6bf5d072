"""The base class of every error that a user can mend, and how a command line reports it."""

import contextlib
import errno
import functools
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sertf.texts import plain_terminal

# Refusals of the file system. A stack trace would explain nothing.
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR}
_REFUSED |= {errno.ENAMETOOLONG, errno.ELOOP, errno.ENOLCK, errno.EOPNOTSUPP}


class SertfError(ValueError):
    """A user's mistake in one sentence: what came, what is allowed, how to mend it.

    Everything that sertf raises on bad input derives from this class. A command line prints the sentence without a stack
    trace. A fault of the code itself still shows its trace.
    """

    exit_code = 2
    """Exit code of a command that raises it."""


def unknown(kind: str, name: object, known: Iterable[str], *, listed: Iterable[str] | None = None) -> str:
    """The sentence on an unknown name. It suggests the nearest known ones first.

    `listed` stands in for the known names where these are too many to show, and is left out where one is near.

    >>> unknown("model", "speachnet", ["reslstm_sa", "speechnet"])
    "Unknown model 'speachnet'; did you mean speechnet? Known are reslstm_sa, speechnet."
    """
    import difflib

    known, given = list(known), str(name).lower()
    near = difflib.get_close_matches(given, known, n=3) or [
        other for other in known if len(given) > 2 and given in other
    ]
    if near and listed is not None:
        return f"Unknown {kind} '{name}'; did you mean {' or '.join(near)}?"
    start = f"did you mean {' or '.join(near)}? Known" if near else "known"
    return f"Unknown {kind} '{name}'; {start} are {', '.join(listed or known)}."


def check_whole(owner: str, *, least: int = 1, **values: object) -> None:
    """Raise a SertfError that names owner and argument unless all values are whole numbers of `least` or more.

    NumPy's integers are refused too: JSON and digests would store them differently.

    >>> check_whole("LogMel", n_mels=64, hop_length=0)
    Traceback (most recent call last):
    sertf.errors.SertfError: LogMel: hop_length must be a whole number above 0, got 0.
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            wanted = f"above {least - 1}" if least else "of 0 or more"
            raise SertfError(f"{owner}: {name} must be a whole number {wanted}, got {value!r}.")


def check_finite(owner: str, **values: Any) -> None:
    """Raise a SertfError that names owner and argument unless all values are finite numbers.

    >>> check_finite("LiquidReservoir", leak=float("nan"))
    Traceback (most recent call last):
    sertf.errors.SertfError: LiquidReservoir: leak must be a finite number, got nan.
    """
    for name, value in values.items():
        if not is_number(value) or not math.isfinite(value):
            raise SertfError(f"{owner}: {name} must be a finite number, got {value!r}.")


def is_number(value: object) -> bool:
    """Whether a value is a plain number; True and False do not count."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def listing(lines: Iterable[object], *, limit: int = 20) -> str:
    """Join the first `limit` lines for an error message, one a line, and count the rest."""
    lines = [str(line) for line in lines]
    shown = [f"  {line}" for line in lines[:limit]]
    if len(lines) > limit:
        shown.append(f"  ... and {len(lines) - limit} more")
    return "\n".join(shown)


def expanded(path: Path | str) -> Path:
    """The absolute path, with `~` and `~user` resolved.

    Raises:
        SertfError: `~user` names no user of this machine.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise SertfError(f"{path}: there is no user of this name with a home folder; give the full path.") from error


@dataclass
class ExitCode:
    """Exit code of a command."""

    value: int = 0


@contextlib.contextmanager
def exit_code() -> Iterator[ExitCode]:
    """Run a command's work inside; print an error as one sentence on standard error and set the exit code.

    The code is 0, or that of the error, mostly 2. It covers every `SertfError` and what the file system refuses: a full
    disk, a folder without permission. No control character of a text reaches a terminal.
    """
    code = ExitCode()
    with plain_terminal():
        try:
            yield code
        except SertfError as error:
            print(f"error: {error}", file=sys.stderr)
            code.value = error.exit_code
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            mend = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another place"
            print(f"error: {error.filename or 'A file cannot be written'}: {error.strerror}; {mend}.", file=sys.stderr)
            code.value = 2


def in_one_sentence(main: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for the main function of a script: a user's mistake prints one sentence and exits with 2.

    Ctrl-C exits with 130.
    """

    @functools.wraps(main)
    def called(*arguments, **options):
        with exit_code() as code:
            try:
                result = main(*arguments, **options)
            except KeyboardInterrupt:
                print("Interrupted.", file=sys.stderr)
                code.value = 130
        if code.value:
            sys.exit(code.value)
        return result

    return called
