"""Own data in an audformat database: a folder with `db.yaml`, tables and audio files.

The tables with a column `emotion` give the utterances; segments become segments. `speaker` and `gender` come from any
table, or from the labels of the scheme of `speaker`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sertf.corpora.card import CorpusError
from sertf.corpora.records import GENDERS, LABELS, SPEAKERS, Records, column_of, needs

HEADER = "db.yaml"


def read(folder: Path) -> Records:
    """Read a database.

    Raises:
        CorpusError: audformat is not installed, the database is damaged, or no table has a column of emotions.
    """
    try:
        import audformat
    except ImportError as error:
        raise needs("audformat", folder, "an audformat database") from error
    import pandas as pd

    try:
        database = audformat.Database.load(str(folder))
        tables = {name: (table, table.get()) for name, table in database.tables.items()}
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CorpusError(f"{folder}: not readable as an audformat database ({error}); fetch it again.") from error
    emotion_of = {name: column_of(frame.columns, LABELS) for name, (_, frame) in tables.items()}
    labelled = {name: column for name, column in emotion_of.items() if column}
    if not labelled:
        columns = sorted({str(column) for _, frame in tables.values() for column in frame.columns})
        raise CorpusError(
            f"{folder}: no table has the column {LABELS[0]}; the columns are {', '.join(columns) or 'none'}."
        )
    speaker, gender = _of_index(tables, SPEAKERS), _of_gender(tables)
    splits = {
        name: database.splits[table.split_id].type for name, (table, _) in tables.items() if table.split_id is not None
    }
    language = _language(list(database.languages))
    columns = ["path", "emotion", "start", "end", "gender", "language"]
    columns += (["speaker"] if speaker else []) + (["split"] if splits else [])
    rows: dict[tuple, tuple[str, dict[Any, Any]]] = {}
    for name, column in labelled.items():
        values = tables[name][1][column]
        for index, label in values[values.notna()].items():
            key = file, start, end = index if isinstance(index, tuple) else (index, pd.Timedelta(0), pd.NaT)
            if key in rows:
                continue
            record = {
                "path": str(file),
                "emotion": str(label),
                "start": "" if not start else f"{start.total_seconds():.6f}",
                "end": "" if pd.isna(end) else f"{end.total_seconds():.6f}",
                "gender": GENDERS.get(gender(key).lower(), "") if gender else "",
                "language": language,
            }
            if speaker:
                record["speaker"] = speaker(key)
            if splits:
                record["split"] = splits.get(name, "")
            rows[key] = f"table {name}, {file}", record
    return Records(folder, database.name, folder, columns, False, list(rows.values()))


def _of_index(tables, names) -> Callable[[tuple], str] | None:
    """A function of (file, start, end) to the text of the first column of one of the names; None without one."""
    for _, frame in tables.values():
        column = column_of(frame.columns, names)
        if column:
            return _looked_up(frame[column])
    return None


def _of_gender(tables) -> Callable[[tuple], str] | None:
    """The same for the gender, which the scheme of the speakers may have."""
    for table, frame in tables.values():
        column = column_of(frame.columns, SPEAKERS)
        scheme = column and table[column].scheme
        labels = getattr(scheme, "labels", None)
        if isinstance(labels, dict) and any("gender" in (of or {}) for of in labels.values()):
            return _looked_up(table[column].get(map="gender"))
    return _of_index(tables, ("gender", "sex"))


def _looked_up(series):
    by_key = {key: "" if value != value or value is None else str(value) for key, value in series.items()}
    by_file = {key[0] if isinstance(key, tuple) else key: value for key, value in by_key.items()}
    return lambda key: by_key.get(key) or by_file.get(key[0], "")


def _language(languages):
    """Code of two letters of the one language; empty for several or none."""
    if len(languages) != 1:
        return ""
    import iso639

    try:
        return iso639.Lang(languages[0]).pt1
    except iso639.exceptions.InvalidLanguageValue:
        return ""
