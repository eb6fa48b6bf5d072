"""Own data in a CSV: one row an utterance, in UTF-8, separated by commas, with a header in the first line."""

import collections
import csv
from pathlib import Path

from sertf.corpora.card import CorpusError
from sertf.corpora.records import Records


def read(path: Path) -> Records:
    """Read a CSV.

    Raises:
        CorpusError: not a CSV in UTF-8, or a column without a name or with that of another.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = [(f"line {reader.line_num}", record) for record in reader]
    except (OSError, csv.Error, UnicodeError) as error:
        raise CorpusError(
            f"{path}: not readable as CSV in UTF-8 ({error}); save it as comma-separated UTF-8"
        ) from error
    twice = [column for column, count in collections.Counter(columns).items() if count > 1]
    if "" in twice:
        raise CorpusError(f"{path}: has {columns.count('')} columns without a name; name each in its first line")
    if twice:
        raise CorpusError(f"{path}: its first line names the columns {', '.join(twice)} twice; name each once")
    return Records(path, path.stem, path.parent, columns, True, rows)
