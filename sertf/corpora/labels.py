"""Labels of your own data: known forms become the canonical emotions, any other label stays as it is.

A mapping renames labels, merges them or leaves utterances out.
"""

import csv
import difflib
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora import emodb
from sertf.corpora.card import CorpusError, CorpusWarning
from sertf.corpora.utterances import EMOTIONS, label_fault
from sertf.errors import expanded

if TYPE_CHECKING:
    import pandas

SYNONYMS = {
    **{emotion: emotion for emotion in EMOTIONS},
    **dict.fromkeys(("happy", "hap", "joy", "joyful"), "happiness"),
    **dict.fromkeys(("sad",), "sadness"),
    **dict.fromkeys(("angry", "ang"), "anger"),
    **dict.fromkeys(("fearful", "fea"), "fear"),
    **dict.fromkeys(("disgusted", "dis"), "disgust"),
    **dict.fromkeys(("surprised", "sur", "pleasant surprise"), "surprise"),
    **dict.fromkeys(("neu",), "neutral"),
    **dict.fromkeys(("bored", "bor"), "boredom"),
    **dict.fromkeys(("excited", "exc"), "excitement"),
    **dict.fromkeys(("frustrated", "fru"), "frustration"),
}
"""Forms in use, in any case: words, and the codes of IEMOCAP and CREMA-D."""
_LEAST_CODES = 4
"""EmoDB's letters mean other emotions elsewhere, and fewer of them may as well be names of classes."""
NO_AGREEMENT = "xxx"
"""IEMOCAP's code of an utterance on which the listeners did not agree."""
LEFT_OUT = ""
"""What a mapping gives to labels whose utterances are left out."""


class Labels:
    """The labels of one table, from those that it writes to those that sertf uses.

    Args:
        written: labels as the table writes them.
        mapping: label to label. Keys may be written or canonical labels, in any case; values are used as they are. An
            empty value leaves the utterances out.

    Raises:
        CorpusError: the mapping gives a label that cannot be used, or one label is written in two ways.

    Warns:
        CorpusWarning: the mapping names a label that no row has.
    """

    def __init__(self, written: Iterable[str], mapping: Mapping[str, str] | None = None):
        distinct = list(dict.fromkeys(written))
        known = dict(SYNONYMS)
        if set(distinct) <= set(emodb.CORPUS.emotions) and "W" in distinct and len(distinct) >= _LEAST_CODES:
            known.update({code.casefold(): emotion for code, emotion in emodb.CORPUS.emotions.items()})
        given = {_plain(label): target for label, target in (mapping or {}).items()}
        used: set[str] = set()
        self._of: dict[str, str] = {}
        for label in distinct:
            plain = _plain(label)
            canonical = known.get(plain, label)
            key = next((key for key in (plain, _plain(canonical)) if key in given), None)
            if key is not None:
                used.add(key)
            self._of[label] = canonical if key is None else given[key]
        unused = [label for label in mapping or {} if _plain(label) not in used]
        if unused:
            warnings.warn(
                f"The mapping names {', '.join(map(repr, unused))}, which no row has; the labels are {', '.join(distinct)}.",
                CorpusWarning,
                stacklevel=4,
            )
        for target in given.values():
            fault = label_fault(target) if target != LEFT_OUT else None
            if fault:
                raise CorpusError(f"The mapping gives the label {target!r}: {fault}.")
        self._check_spelling()

    def _check_spelling(self):
        ways: dict[str, str] = {}
        for label in dict.fromkeys(self._of.values()):
            other = ways.setdefault(_plain(label), label)
            if other != label:
                raise CorpusError(
                    f"The labels {other!r} and {label!r} differ only in case, white space or invisible characters; use one "
                    "spelling, or map one to the other."
                )

    def of(self, written: str) -> str:
        """The label of a row; `LEFT_OUT` for a row to leave out.

        Raises:
            ValueError: a label that cannot be used.
        """
        label = self._of[written]
        if label == LEFT_OUT:
            if not written:
                raise ValueError("emotion is empty")
            return label
        if label == NO_AGREEMENT:
            raise ValueError(f"{label} is IEMOCAP's code for no agreement; remove the row, or map it to an emotion")
        fault = label_fault(label)
        if fault:
            raise ValueError(f"emotion {label!r}: {fault}")
        return label

    def doubtful(self) -> list[tuple[str, str]]:
        """(label, known form) of labels that may be typing errors of known ones, in a table with known emotions."""
        found = []
        own = [label for label in self._of.values() if label not in EMOTIONS and label != LEFT_OUT]
        if len(own) < len(self._of):
            for label in dict.fromkeys(own):
                near = difflib.get_close_matches(label.casefold(), SYNONYMS, n=1, cutoff=0.8)
                # Three letters are near to many words.
                found += [(label, near[0])] if near and len(label) > 3 and near[0] != label.casefold() else []
        return found


def relabelled(table: "pandas.DataFrame", mapping: Mapping[str, str]) -> "pandas.DataFrame":
    """An utterance table with labels renamed, merged or left out, as `mapping` of `Labels` has it.

    Raises:
        CorpusError: as `Labels`, or no utterance is left.
    """
    labels = Labels(table["emotion"], mapping)
    emotion = table["emotion"].map(labels.of)
    kept = table.assign(emotion=emotion)[emotion != LEFT_OUT].reset_index(drop=True)
    if kept.empty:
        raise CorpusError("The mapping leaves out every utterance; give one label or more a name.")
    kept.attrs.update(table.attrs)
    return kept


def read_mapping(path: Path | str) -> dict[str, str]:
    """Read a mapping of labels: a CSV in UTF-8 with the columns `label` and `emotion`.

    An empty emotion leaves the label's utterances out.

    Raises:
        CorpusError: no such file, not a CSV, other columns, or a label twice.
    """
    path = expanded(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = list(reader)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; give a CSV with the columns label and emotion") from error
    except (OSError, csv.Error, UnicodeError) as error:
        raise CorpusError(f"{path}: not readable as CSV in UTF-8 ({error})") from error
    if sorted(columns) != ["emotion", "label"]:
        raise CorpusError(f"{path}: must have the columns label and emotion, but has {', '.join(columns) or 'none'}")
    mapping: dict[str, str] = {}
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise CorpusError(f"{path}: line {line} must have a label and an emotion")
        label, emotion = row["label"].strip(), row["emotion"].strip()
        if _plain(label) in map(_plain, mapping):
            raise CorpusError(f"{path}: line {line} names the label {label!r} again; name each once")
        mapping[label] = emotion
    if not mapping:
        raise CorpusError(f"{path}: has a header but no rows; add one row a label")
    return mapping


def _plain(label):
    """A label without differences of case, white space and invisible characters."""
    visible = "".join(mark for mark in unicodedata.normalize("NFKC", label) if unicodedata.category(mark) != "Cf")
    return " ".join(visible.casefold().split())
