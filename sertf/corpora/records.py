"""What a reader of own data gives: rows of texts, before any check of their content."""

from pathlib import Path
from typing import Any, NamedTuple

NEEDED = ("path", "emotion", "speaker")


class Records(NamedTuple):
    """Rows of own data.

    Attributes:
        place: the file or folder, for messages.
        name: name of the corpus where a row has none.
        folder: relative paths count from it.
        columns: names of the columns.
        has_columns: whether a person chose the columns, so that a missing one is a mistake.
        rows: (where, record) of each row. `where` is a name for messages, such as "line 3". A record maps columns to texts.
    """

    place: Path
    name: str
    folder: Path
    columns: list[str]
    has_columns: bool
    rows: list[tuple[str, dict[Any, Any]]]
