"""Own data as an utterance table: a CSV, a folder with one folder a class, or a data set of another library.

Each reader gives `Records`. What follows is the same for all: labels, speakers, segments and checks.
"""

import collections
import itertools
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf.audio import segments
from sertf.corpora import audformat_database, class_folder, csv_table, huggingface, tfds
from sertf.corpora.card import CorpusError, CorpusWarning
from sertf.corpora.labels import LEFT_OUT, Labels
from sertf.corpora.records import NEEDED, Records
from sertf.corpora.utterances import COLUMNS, UNKNOWN, validate
from sertf.errors import expanded, listing

if TYPE_CHECKING:
    import pandas

OF_COPIES = ("parent", "copy")
GENDERS = {"female": "female", "f": "female", "male": "male", "m": "male", "": ""}
_SECONDS = re.compile(r"\d+(\.\d*)?|\.\d+")


def load_table(
    path: Any,
    *,
    labels: Mapping[str, str] | None = None,
    speakers: str | None = None,
    skip_bad: bool = False,
    speakers_needed: bool = True,
) -> "pandas.DataFrame":
    """Load own data.

    A CSV (UTF-8, comma-separated, header in the first line) has the columns path (relative ones count from its folder),
    emotion and speaker. Optional: utterance (the file's name by default), corpus (the CSV's name), gender (female, male,
    f, m), language, sentence, start, end. Other columns stay as texts. The names `parent` and `copy` are reserved for
    augmented copies. A folder has one folder a class, such as `data/angry/1.wav`. It may also be an audformat database, a
    Hugging Face data set that `save_to_disk` wrote, or a TensorFlow data set that TFDS prepared.

    Forms of the canonical emotions such as `happy` or `ang` are known, in any case. Any other label stays as it is. With
    `start` or `end`, in seconds, a row is a segment of its file. Its path then names the times too, as
    `sertf.audio.segments` does.

    Speakers and utterances get the corpus's name as a prefix if they lack it. So they stay unique beside other corpora.

    Args:
        path: the CSV file or the folder, or a `datasets.Dataset` of Hugging Face in memory.
        labels: label to label, as `sertf.corpora.labels.Labels` takes it: renames and merges labels, and leaves out
            utterances of a label that it maps to "".
        speakers: a regular expression that finds the speaker in a path: its group `speaker`, or the first one. "unknown"
            says that nobody knows them. None takes the column; without one the speakers of a folder are unknown.
        skip_bad: leave bad rows out.
        speakers_needed: False makes each utterance its own speaker where the speakers are unknown.

    Raises:
        CorpusError: no such place, not a CSV, needed columns missing, a pattern that cannot be used, or one speaker written
            in two ways. Also bad rows: a label that cannot be used, an unknown gender, no speaker, no such file, a repeated
            file or utterance. All are listed. `skip_bad=True` leaves bad rows out and records them in `attrs["skipped"]`.
        TableError: a speaker of two genders.

    Warns:
        CorpusWarning: a label that may be a typing error.
    """
    records = huggingface.records_of(path) if huggingface.is_dataset(path) else _read(expanded(path))
    path = records.place
    _check_columns(records, speakers, speakers_needed)
    speaker_of = _speaker_of(records, speakers, each_own=not speakers_needed)
    files = dict.fromkeys(segments.segment_of((record["path"] or "").strip()).file for _, record in records.rows)
    stems = collections.Counter(Path(file).stem for file in files)
    known = Labels(((record["emotion"] or "").strip() for _, record in records.rows), labels)
    left_out: collections.Counter[str] = collections.Counter()
    rows: list[dict[str, str]] = []
    bad: list[tuple[str, str]] = []
    seen: dict[tuple[str, str], str] = {}
    for where, record in records.rows:
        try:
            row = _row(record, records, stems, known, speaker_of)
            # A file can be written in several ways: from another folder, or through a link.
            place = segments.segment_of(row["path"])
            recording = str(place._replace(file=os.path.realpath(place.file)))
            for key, value in (("path", recording), ("utterance", row["utterance"])):
                other = seen.setdefault((key, value), where)
                if other != where:
                    raise ValueError(f"{key} {row[key]!r} is in {other} already")
        except ValueError as error:
            bad.append((record["path"] or "", f"{where}: {error}"))
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
    _check_speakers(path, rows)
    import pandas

    table = pandas.DataFrame(rows)
    table.attrs.update(skipped=bad, left_out=dict(left_out), missing=[])
    return validate(table)


def _read(path: Path) -> Records:
    if (path / audformat_database.HEADER).is_file():
        return audformat_database.read(path)
    if any((path / name).is_file() for name in huggingface.HEADERS):
        return huggingface.read(path)
    if (path / tfds.HEADER).is_file():
        return tfds.read(path)
    if path.is_dir():
        return class_folder.read(path)
    if not path.is_file():
        raise CorpusError(
            f"{path}: no such file; give a CSV with the columns {', '.join(NEEDED)}, or a folder with a folder a class"
        )
    return csv_table.read(path)


def _check_columns(records, speakers, speakers_needed):
    columns = records.columns
    needed = NEEDED if records.has_columns and speakers_needed and speakers is None else NEEDED[:2]
    absent = [column for column in needed if column not in columns]
    if absent == ["speaker"]:
        raise CorpusError(
            f"{records.place}: lacks the column speaker; add it, or give --speakers with a pattern that finds the speaker in "
            "a path, or --speakers unknown"
        )
    if absent:
        separated = len(columns) == 1 and any(mark in columns[0] for mark in ";\t")  # by something else
        raise CorpusError(
            f"{records.place}: lacks the columns {', '.join(absent)}; its first line has {', '.join(columns) or 'nothing'} "
            f"and needs {', '.join(needed)}{'; separate them by commas' if separated else ''}"
        )
    taken = [column for column in OF_COPIES if column in columns]
    if taken:
        raise CorpusError(
            f"{records.place}: the column name {taken[0]} is reserved for augmented copies; rename the column"
        )
    if not records.rows:
        raise CorpusError(f"{records.place}: has a header but no rows; add one row an utterance")


def _speaker_of(records: Records, speakers: str | None, *, each_own: bool) -> Callable[[dict[str, str]], str]:
    """The function of a record to its speaker. It raises ValueError for a record without one."""
    if speakers is None and "speaker" in records.columns:

        def written(record):
            if not record["speaker"]:
                raise ValueError("speaker is empty")
            return record["speaker"]

        return written
    if speakers in (None, UNKNOWN):
        numbers = itertools.count(1)
        return lambda record: str(next(numbers)) if each_own else UNKNOWN
    try:
        pattern = re.compile(speakers)
    except re.error as error:
        raise CorpusError(f"--speakers {speakers} is no regular expression: {error}.") from error
    if not pattern.groups:
        raise CorpusError(f"--speakers {speakers} must have a group for the speaker, as in '(\\d+)_'.")
    group = "speaker" if "speaker" in pattern.groupindex else 1

    def found(record):
        match = pattern.search(record["path"])
        if match is None or not match[group]:
            raise ValueError(f"--speakers {speakers} finds no speaker in {record['path']}")
        return match[group]

    return found


def _check_speakers(path, rows):
    """Raise CorpusError if a speaker is written in two ways, or is unknown in some rows alone.

    The training and the test part could share such a speaker.
    """
    written: dict[str, str] = {}
    for speaker in dict.fromkeys(row["speaker"] for row in rows):
        visible = "".join(mark for mark in unicodedata.normalize("NFKC", speaker) if unicodedata.category(mark) != "Cf")
        plain = " ".join(visible.casefold().split())
        other = written.setdefault(plain, speaker)
        if other != speaker:
            raise CorpusError(
                f"{path}: speakers {other!r} and {speaker!r} differ only in case, white space or invisible characters; use one "
                "spelling for one speaker, or clearly different names for two"
            )
    unknown = sum(row["speaker"] == _prefixed(UNKNOWN, row["corpus"]) for row in rows)
    if 0 < unknown < len(rows):
        raise CorpusError(
            f"{path}: the speaker is unknown in {unknown} of {len(rows)} rows; name all speakers, or none with --speakers "
            "unknown"
        )


def _row(record, source, stems, labels, speaker_of):
    """One utterance from one record; a ValueError names the fault."""
    # csv's DictReader gives a short row None values and a long row a None key.
    if None in record or None in record.values():
        raise ValueError("the row and the first line differ in their number of fields; quote texts that hold a comma")
    record = {key: value.strip() for key, value in record.items()}
    place = segments.segment_of(record["path"])
    file = source.folder / _at_home(place.file)
    faults: list[str] = []

    def tried(read, *given):
        try:
            return read(*given)
        except ValueError as error:
            faults.append(str(error))

    emotion = tried(labels.of, record["emotion"])
    gender = tried(_gender, record)
    speaker = tried(speaker_of, record)
    if not record["path"]:
        faults.append("path is empty")
    elif not file.is_file():
        faults.append(f"no such file: {file}")
    place = tried(_times, place, record)
    if faults:
        raise ValueError("; ".join(faults))
    corpus = record.get("corpus") or source.name
    stem = Path(place.file).stem
    # A stem that several files share would not be unique. The path as written is.
    name = stem if stems[stem] == 1 else place.file
    utterance = record.get("utterance") or (name if place.is_whole else f"{name}_{place.times}")
    known = {
        "utterance": _prefixed(utterance, corpus),
        "path": str(place._replace(file=str(file))),
        "corpus": corpus,
        "emotion": emotion,
        "speaker": _prefixed(speaker, corpus),
        "gender": gender,
        "language": record.get("language", ""),
        "sentence": record.get("sentence", ""),
    }
    return {**known, **{key: value for key, value in record.items() if key not in COLUMNS}}


def _gender(record):
    written = record.get("gender", "").lower()
    if written not in GENDERS:
        raise ValueError(f"unknown gender {record['gender']!r}; allowed are female, male or empty")
    return GENDERS[written]


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
