"""The utterance table: one row an utterance, the same columns for every corpus.

| column | holds |
| --- | --- |
| utterance | unique name, `ravdess-03-01-06-01-02-01-12` |
| path | audio file |
| corpus | `ravdess` |
| emotion | one of `EMOTIONS`, or a label of your own |
| speaker | unique across corpora, `ravdess-12` |
| gender | `female`, `male` or empty |
| language | ISO 639-1 code, or empty |
| sentence | name of the spoken text, unique within the corpus, or empty |

Columns of one corpus only (intensity, take) come behind these.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sertf import files
from sertf.errors import SertfError, listing
from sertf.texts import defused

if TYPE_CHECKING:
    import pandas

# The canonical order: label indices, score columns and confusion matrices follow it. Labels of your own come behind.
EMOTIONS = (
    "neutral",
    "calm",
    "happiness",
    "sadness",
    "anger",
    "fear",
    "disgust",
    "surprise",
    "boredom",
    "excitement",
    "frustration",
)
COLUMNS = ("utterance", "path", "corpus", "emotion", "speaker", "gender", "language", "sentence")
GENDERS = ("female", "male", "")
UNKNOWN = "unknown"
"""The speaker of all utterances of a corpus whose speakers nobody knows, behind the corpus's name."""
RESERVED = frozenset(
    {"utterance", "speaker", "repeat", "fold", "truth", "file", "start", "end", "emotion", "confidence", "verdict"}
    | {"uncertain", "silence", "no speech"}
)
"""What no label may be: names of columns beside the scores, and verdicts that are no emotion."""


class TableError(SertfError):
    """An utterance table that breaks its contract; the message lists every bad row."""


def validate(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """Check an utterance table and return it with the columns in canonical order, extra columns behind.

    Args:
        table: DataFrame, one row an utterance. The result keeps its `attrs`; its index becomes 0 to n - 1.

    Raises:
        TableError: a column is missing, the table is empty, or rows are bad. All bad rows are listed: a repeated utterance,
            a label that cannot be used, an unknown gender, an empty utterance, path or speaker, a speaker of two genders.
    """
    absent = [column for column in COLUMNS if column not in table.columns]
    if absent:
        raise TableError(
            f"the utterance table lacks the columns {', '.join(absent)}; it has {', '.join(map(str, table.columns))}, "
            f"and needs {', '.join(COLUMNS)}"
        )
    if table.empty:
        raise TableError("the utterance table has no rows; give it at least one utterance")
    attrs = table.attrs
    extras = [column for column in table.columns if column not in COLUMNS]
    table = table[[*COLUMNS, *extras]].reset_index(drop=True)
    table.attrs.update(attrs)

    bad = _bad_rows(table)
    if bad:
        raise TableError(f"the utterance table has {len(bad)} faults; mend or remove these rows:\n{listing(bad)}")
    return table


def _bad_rows(table):
    bad = []
    for column in COLUMNS:
        values = table[column]
        # bool(value) fails for pandas' missing values, so isna sorts them out first.
        is_text = [isinstance(value, str) for value in values]
        for row in (row for row, good in enumerate(is_text) if not good):
            bad.append(f"row {row}: {column} is {values[row]!r}; it must be a text")
    if bad:
        return bad
    for column in ("utterance", "path", "corpus", "speaker"):
        for row in table.index[table[column].str.strip() == ""]:
            bad.append(f"row {row}: {column} is empty")
    twice = table["utterance"].duplicated(keep=False) & (table["utterance"] != "")
    for name, rows in table[twice].groupby("utterance", sort=False):
        bad.append(f"rows {', '.join(map(str, rows.index))}: utterance {name!r} comes {len(rows)} times")
    faults = {label: label_fault(label) for label in set(table["emotion"])}
    for row, label in table["emotion"].items():
        if faults[label]:
            bad.append(f"row {row}: emotion {label!r}: {faults[label]}")
    for row in table.index[~table["gender"].isin(GENDERS)]:
        bad.append(f"row {row}: gender {table['gender'][row]!r} is unknown; allowed are female, male, empty")
    genders = table.groupby("speaker", sort=False)["gender"].unique()
    for speaker, found in genders[genders.map(len) > 1].items():
        bad.append(f"speaker {speaker!r} has several genders: {', '.join(repr(gender) for gender in found)}")
    return bad


def unknown_speakers(table: "pandas.DataFrame") -> bool:
    """Whether nobody knows the speakers of a table's utterances."""
    return bool((table["speaker"] == table["corpus"] + f"-{UNKNOWN}").all())


def label_fault(label: str) -> str | None:
    """Why a label cannot be used; None if it can.

    >>> label_fault("Wut"), label_fault("fold")
    (None, "it is the name of another column or verdict; rename it, for instance to 'fold_'")
    """
    if not label or label != label.strip():
        return "it is empty, or white space stands at its ends"
    if label.casefold() in RESERVED:
        return f"it is the name of another column or verdict; rename it, for instance to '{label}_'"
    if not label.isprintable() or "|" in label:
        return "it holds | or a mark that cannot be printed; rename it"
    if label != defused(label):
        return "a spreadsheet would run it as a formula; let it begin with a letter or a digit"
    return None


def emotions_of(table: "pandas.DataFrame") -> list[str]:
    """Labels that occur in a table: the label set of a model trained on it.

    Emotions come in canonical order. Labels of your own follow in alphabetical order, numbers by their value.
    """
    found = set(table["emotion"])
    own = sorted(found.difference(EMOTIONS), key=_natural)
    return [*(emotion for emotion in EMOTIONS if emotion in found), *own]


def _natural(label):
    """Sort key of a label by which "2" comes before "10"."""
    parts = re.split(r"([0-9]+)", label)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts], label


def merged(table: "pandas.DataFrame", merges: Mapping[str, str]) -> "pandas.DataFrame":
    """The table with emotions counted as others, such as calm as neutral.

    Args:
        table: utterance table.
        merges: mapping of an emotion to the one that replaces it.

    Raises:
        TableError: an emotion that is neither canonical nor in the table, or a replacement that is replaced itself.
    """
    known = list(dict.fromkeys((*EMOTIONS, *emotions_of(table))))
    for emotion in (*merges, *merges.values()):
        if emotion not in known:
            raise TableError(f"merged names the emotion {emotion!r}, which is unknown; known are {', '.join(known)}.")
    for emotion, other in merges.items():
        if other in merges:
            raise TableError(
                f"merged counts {emotion} as {other}, and {other} as {merges[other]}; name {merges[other]} at once."
            )
    made = table.assign(emotion=table["emotion"].map(lambda emotion: merges.get(emotion, emotion)))
    made.attrs.update(table.attrs)
    return made


def digest(table: "pandas.DataFrame") -> str:
    """Hex digest of utterances with speakers and emotions. Paths and the order of rows do not change it."""
    rows = sorted(zip(table["utterance"], table["emotion"], table["speaker"], strict=True))
    return files.digest(*("\x1f".join(row).encode() + b"\x1e" for row in rows), size=16)
