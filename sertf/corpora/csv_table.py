"""Own data: a CSV with one row an utterance."""

import collections
import csv
import os
import re
import unicodedata
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.audio import segments
from sertf.corpora.card import CorpusError, CorpusWarning
from sertf.corpora.labels import LEFT_OUT, Labels
from sertf.corpora.utterances import COLUMNS, validate
from sertf.errors import expanded, listing

if TYPE_CHECKING:
    import pandas

NEEDED = ("path", "emotion", "speaker")
_SECONDS = re.compile(r"\d+(\.\d*)?|\.\d+")
OF_COPIES = ("parent", "copy")
GENDERS = {"female": "female", "f": "female", "male": "male", "m": "male", "": ""}


def load_table(
    path: Path | str,
    *,
    labels: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    speakers_needed: bool = True,
) -> "pandas.DataFrame":
    """Load own data from a CSV file (UTF-8, comma-separated, header in the first line).

    Needed columns: path (relative ones count from the CSV's folder), emotion, speaker. Forms of the canonical emotions
    such as `happy` or `ang` are known, in any case. Any other label stays as it is. Optional: utterance (the file's name by default), corpus (the CSV's name), gender
    (female, male, f, m), language, sentence. Other columns stay as texts. The names `parent` and `copy` are reserved for
    augmented copies.

    With `start` or `end`, in seconds, a row is a segment of its file. Its path then names the times too, as
    `sertf.audio.segments` does.

    Speakers and utterances get the corpus's name as a prefix if they lack it. So they stay unique beside other corpora.

    Args:
        path: the CSV file.
        labels: label to label, as `sertf.corpora.labels.Labels` takes it: renames and merges labels, and leaves out
            utterances of a label that it maps to "".
        skip_bad: leave bad rows out.
        speakers_needed: False lets a table without the column speaker through. Each utterance is then its own speaker.

    Raises:
        CorpusError: no such file, not a CSV, needed columns missing, or one speaker written in two ways. Also bad rows:
            a label that cannot be used, an unknown gender, no speaker, no such file, a repeated file or utterance. All
            are listed.
            `skip_bad=True` leaves bad rows out and records them in `attrs["skipped"]`.
        TableError: a speaker of two genders.

    Warns:
        CorpusWarning: a label that may be a typing error.
    """
    path = expanded(path)
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; give a CSV with the columns {', '.join(NEEDED)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            records = [(reader.line_num, record) for record in reader]
    except (OSError, csv.Error, UnicodeError) as error:
        raise CorpusError(
            f"{path}: not readable as CSV in UTF-8 ({error}); save it as comma-separated UTF-8"
        ) from error
    twice = [column for column, count in collections.Counter(columns).items() if count > 1]
    if "" in twice:
        raise CorpusError(f"{path}: has {columns.count('')} columns without a name; name each in its first line")
    if twice:
        raise CorpusError(f"{path}: its first line names the columns {', '.join(twice)} twice; name each once")
    needed = NEEDED if speakers_needed else NEEDED[:2]
    absent = [column for column in needed if column not in columns]
    if absent:
        separated = len(columns) == 1 and any(mark in columns[0] for mark in ";\t")  # by something else
        raise CorpusError(
            f"{path}: lacks the columns {', '.join(absent)}; its first line has {', '.join(columns) or 'nothing'} and "
            f"needs {', '.join(needed)}{'; separate them by commas' if separated else ''}"
        )
    taken = [column for column in OF_COPIES if column in columns]
    if taken:
        raise CorpusError(f"{path}: the column name {taken[0]} is reserved for augmented copies; rename the column")
    if not records:
        raise CorpusError(f"{path}: has a header but no rows; add one row an utterance")

    files = dict.fromkeys(segments.segment_of((record["path"] or "").strip()).file for _, record in records)
    stems = collections.Counter(Path(file).stem for file in files)
    known = Labels(((record["emotion"] or "").strip() for _, record in records), labels)
    left_out: collections.Counter[str] = collections.Counter()
    rows: list[dict[str, str]] = []
    bad: list[tuple[str, str]] = []
    seen: dict[tuple[str, str], int] = {}
    for line, record in records:
        if "speaker" not in columns:
            record["speaker"] = str(line)
        try:
            row = _row(record, path, stems, known)
            # A file can be written in several ways: from another folder, or through a link.
            place = segments.segment_of(row["path"])
            recording = str(place._replace(file=os.path.realpath(place.file)))
            for key, value in (("path", recording), ("utterance", row["utterance"])):
                other = seen.setdefault((key, value), line)
                if other != line:
                    raise ValueError(f"{key} {row[key]!r} is in line {other} already")
        except ValueError as error:
            bad.append((record["path"] or "", f"line {line}: {error}"))
        else:
            if row["emotion"] == LEFT_OUT:
                left_out[f"label {record['emotion'].strip()!r} is mapped to nothing"] += 1
            else:
                rows.append(row)
    if bad and not skip_bad:
        raise CorpusError(
            f"{path}: {len(bad)} rows are bad; mend or remove them, or continue without them with skip_bad=True "
            f"(--skip-bad):\n{listing(reason for _, reason in bad)}"
        )
    if not rows and not bad:
        raise CorpusError(f"{path}: the mapping leaves out every row; give one label or more a name")
    if not rows:
        raise CorpusError(f"{path}: all {len(bad)} rows are bad; mend them:\n{listing(reason for _, reason in bad)}")
    for label, near in known.doubtful():
        warnings.warn(
            f"{path}: the label {label!r} is no known form of an emotion and counts as its own; {near!r} is one.",
            CorpusWarning,
            stacklevel=2,
        )
    _check_spelling(path, [row["speaker"] for row in rows])
    import pandas

    table = pandas.DataFrame(rows)
    table.attrs.update(skipped=bad, left_out=dict(left_out), missing=[])
    return validate(table)


def _check_spelling(path, speakers):
    """Raise CorpusError if a speaker is written in two ways: the training and the test part could share the speaker."""
    written = {}
    for speaker in dict.fromkeys(speakers):
        visible = "".join(mark for mark in unicodedata.normalize("NFKC", speaker) if unicodedata.category(mark) != "Cf")
        plain = " ".join(visible.casefold().split())
        other = written.setdefault(plain, speaker)
        if other != speaker:
            raise CorpusError(
                f"{path}: speakers {other!r} and {speaker!r} differ only in case, white space or invisible characters; use one "
                "spelling for one speaker, or clearly different names for two"
            )


def _row(record, source, stems, labels):
    """One utterance from one CSV row; a ValueError names the fault."""
    # csv's DictReader gives a short row None values and a long row a None key.
    if None in record or None in record.values():
        raise ValueError("the row and the first line differ in their number of fields; quote texts that hold a comma")
    record = {key: value.strip() for key, value in record.items()}
    faults, emotion = [], LEFT_OUT
    try:
        emotion = labels.of(record["emotion"])
    except ValueError as error:
        faults.append(str(error))
    gender = GENDERS.get(record.get("gender", "").lower())
    if gender is None:
        faults.append(f"unknown gender {record['gender']!r}; allowed are female, male or empty")
    if not record["speaker"]:
        faults.append("speaker is empty")
    place = segments.segment_of(record["path"])
    file = source.parent / _at_home(place.file)
    if not record["path"]:
        faults.append("path is empty")
    elif not file.is_file():
        faults.append(f"no such file: {file}")
    try:
        place = _times(place, record)
    except ValueError as error:
        faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    corpus = record.get("corpus") or source.stem
    stem = Path(place.file).stem
    # A stem that several files share would not be unique. The path as written is.
    name = stem if stems[stem] == 1 else place.file
    utterance = record.get("utterance") or (name if place.is_whole else f"{name}_{place.times}")
    known = {
        "utterance": _prefixed(utterance, corpus),
        "path": str(place._replace(file=str(file))),
        "corpus": corpus,
        "emotion": emotion,
        "speaker": _prefixed(record["speaker"], corpus),
        "gender": gender,
        "language": record.get("language", ""),
        "sentence": record.get("sentence", ""),
    }
    return {**known, **{key: value for key, value in record.items() if key not in COLUMNS}}


def _times(place, record):
    """The segment with the times of a row, where it has some; a ValueError names the fault."""
    start, end = record.get("start", ""), record.get("end", "")
    for name, text in (("start", start), ("end", end)):
        if text and not _SECONDS.fullmatch(text):
            raise ValueError(f"{name} {text!r} must be a number of seconds, as 12.5")
    if start or end:
        place = place._replace(start=float(start or 0), end=float(end) if end else None)
    if place.end is not None and place.end <= place.start:
        raise ValueError(f"end {place.end:g} must lie behind start {place.start:g}")
    return place


def _at_home(path):
    """The path with `~` resolved; ValueError if there is no such user."""
    return expanded(path) if path.startswith("~") else Path(path)


def _prefixed(name, corpus):
    return name if name.startswith(f"{corpus}-") else f"{corpus}-{name}"
