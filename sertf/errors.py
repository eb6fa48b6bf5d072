"""The one base class of every error that a user can mend, and what a command line makes of it."""

import contextlib
import sys
from dataclasses import dataclass


class SertfError(ValueError):
    """A user's mistake, said in one sentence: what came, what is allowed, how to mend it.

    Everything that sertf raises on bad input derives from this class, so that a command line can print the sentence
    without a stack trace while a fault of the code itself still shows its trace.
    """


def unknown(kind, name, known):
    """The sentence on a name that is not among the known ones, the nearest of them first.

    >>> unknown("model", "speachnet", ["reslstm_sa", "speechnet"])
    "Unknown model 'speachnet'; did you mean speechnet? Known are reslstm_sa, speechnet."
    """
    import difflib

    known, given = list(known), str(name).lower()
    near = difflib.get_close_matches(given, known, n=3) or [
        other for other in known if len(given) > 2 and given in other
    ]
    start = f"did you mean {' or '.join(near)}? Known" if near else "known"
    return f"Unknown {kind} '{name}'; {start} are {', '.join(known)}."


@dataclass
class ExitCode:
    """What a command ends with."""

    value: int = 0


@contextlib.contextmanager
def exit_code():
    """Do a command's work inside: its code is 0, or 2 after the sentence of a `SertfError` on standard error."""
    code = ExitCode()
    try:
        yield code
    except SertfError as error:
        print(f"error: {error}", file=sys.stderr)
        code.value = 2
