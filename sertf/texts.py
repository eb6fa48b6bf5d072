"""Texts from strangers, such as names of files and speakers: no program in a spreadsheet, no command to a terminal."""

import contextlib
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet runs a cell that begins so as a formula. An apostrophe in front keeps it a text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")
# Controls of ASCII and of Latin-1 but tab and line feed, and what turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def defused(cell: str) -> str:
    """A text as a cell of a CSV file that no spreadsheet runs. Numbers stay as they are.

    >>> defused("=1+1"), defused("-1.5"), defused("clip.wav")
    ("'=1+1", '-1.5', 'clip.wav')
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _is_number(cell) else cell


def restored(cell: str) -> str:
    """The text of a cell that `defused` wrote.

    >>> restored(defused("'=1+1"))
    "'=1+1"
    """
    return cell[1:] if _DEFUSED.match(cell) else cell


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return cell == cell.strip()


def defused_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """A table whose texts are `defused`, for a CSV file."""
    return _mapped(table, defused)


def restored_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """A table with the texts that `defused_table` was given."""
    return _mapped(table, restored)


def _mapped(table, function):
    texts = [name for name in table if table[name].dtype.kind not in "biufcmM"]
    return table.assign(
        **{name: [function(cell) if isinstance(cell, str) else cell for cell in table[name]] for name in texts}
    )


def printable(text: str) -> str:
    """A text without control characters, which could clear a terminal or write another line. Each becomes its code.

    >>> print(printable("a\x1b[2Jb"))
    a\\x1b[2Jb
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class _Plain:
    """A stream that writes only what is `printable`; all else is the stream's own."""

    def __init__(self, stream: Any):
        self.unfiltered = stream

    def write(self, text: str) -> int:
        self.unfiltered.write(printable(text))
        return len(text)

    def writelines(self, lines) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


@contextlib.contextmanager
def plain_terminal() -> Iterator[None]:
    """Let no control character of a text reach a terminal inside. Files and pipes get texts as they are."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Plain(stream) if stream.isatty() else stream for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def unfiltered(stream: Any) -> Any:
    """The stream itself, for progress bars, which steer the terminal."""
    return getattr(stream, "unfiltered", stream)
