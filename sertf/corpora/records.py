"""What a reader of own data gives: rows of texts, before any check of their content."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sertf import files
from sertf.corpora.card import CorpusError
from sertf.errors import expanded

NEEDED = ("path", "emotion", "speaker")
RECORDINGS = Path("~/.cache/sertf/recordings")
"""Folder of recordings that lie inside a data set."""


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


LABELS = ("emotion", "label", "labels", "major_emotion")
SPEAKERS = ("speaker", "speaker_id", "actor", "actor_id")
GENDERS = {"female": "female", "f": "female", "woman": "female", "male": "male", "m": "male", "man": "male"}


def column_of(columns: Iterable[str], names: Iterable[str]) -> str | None:
    """The first of the names that is a column, in any case; None if none is."""
    known = {column.lower(): column for column in columns}
    return next((known[name] for name in names if name in known), None)


def columns_of(features: Mapping[str, Any], place: Path) -> tuple[str, str, str | None, str | None]:
    """Names of the recordings, labels, speakers and genders among the features of a data set; the last two may be missing.

    Raises:
        CorpusError: no recordings or no labels.
    """
    audio = next((name for name, feature in features.items() if type(feature).__name__ == "Audio"), None)
    label = column_of(features, LABELS)
    if audio is None or label is None:
        what = "recordings (Audio)" if audio is None else f"labels ({', '.join(LABELS)})"
        raise CorpusError(f"{place}: has no column of {what}; its columns are {', '.join(features)}.")
    return audio, label, column_of(features, SPEAKERS), column_of(features, ("gender", "sex"))


def kept(content: bytes, suffix: str, corpus: str) -> Path:
    """The path of a recording that lies inside a data set, written once below the cache folder, by its content."""
    path = expanded(RECORDINGS) / corpus / f"{files.digest(content, size=16)}{suffix}"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_bytes(path, content)
        except OSError as error:
            raise CorpusError(f"{path} cannot be written ({error.strerror}); free some space there.") from error
    return path


def needs(extra: str, place: Path | str, what: str) -> CorpusError:
    """The error on a library that is not installed."""
    return CorpusError(f"{place} is {what}; install sertf[{extra}], which reads it.")
