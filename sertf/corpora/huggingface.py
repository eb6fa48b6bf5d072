"""Own data in a Hugging Face data set: a folder of `save_to_disk`, or a `datasets.Dataset` in memory.

The first column of recordings gives the sound, `emotion` or `label` the label. Names of splits become the column `split`.
Recordings inside the data set are written below the cache folder. Nothing is decoded here, so torchcodec is not needed.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from sertf.corpora.card import CorpusError
from sertf.corpora.records import GENDERS, Records, columns_of, kept, needs

HEADERS = ("state.json", "dataset_dict.json")
_ROWS = 64  # read at a time: recordings may lie inside


def read(folder: Path) -> Records:
    """Read a folder that `save_to_disk` wrote.

    Raises:
        CorpusError: datasets is not installed, the folder is damaged, or a column is missing.
    """
    try:
        import datasets
    except ImportError as error:
        raise needs("datasets", folder, "a Hugging Face data set") from error
    try:
        found = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{folder}: not readable as a Hugging Face data set ({error}); save it again.") from error
    return records_of(found, folder, folder.resolve().name)


def is_dataset(given: Any) -> bool:
    """Whether something is a data set in memory."""
    return hasattr(given, "with_format") and (hasattr(given, "features") or hasattr(given, "column_names"))


def records_of(dataset: Any, place: Path | None = None, name: str | None = None) -> Records:
    """Rows of a `datasets.Dataset`, or of all splits of a `DatasetDict`.

    Raises:
        CorpusError: no column of recordings or of labels, or a recording that is not there.
    """
    splits = dict(dataset) if isinstance(dataset, dict) else {"": dataset}
    features = next(iter(splits.values())).features
    if name is None:
        name = getattr(next(iter(splits.values())).info, "dataset_name", None) or "dataset"
    place = place or Path(name)
    audio, label, speaker, gender = columns_of(features, place)
    columns = ["path", "emotion", *(["speaker"] if speaker else []), *(["split"] if "" not in splits else [])]
    rows: list[tuple[str, dict[Any, Any]]] = []
    for split, part in splits.items():
        part = part.with_format("arrow")
        for start in range(0, len(part), _ROWS):
            for number, row in enumerate(part[start : start + _ROWS].to_pylist(), start):
                where = f"{split} row {number}".strip()
                path, written = _path(row[audio] or {}, place, name, where)
                record = {"path": str(path), "emotion": _text(row[label], features[label]), "utterance": written}
                if speaker:
                    record["speaker"] = _text(row[speaker], features[speaker])
                if gender:
                    record["gender"] = GENDERS.get(_text(row[gender], features[gender]).lower(), "")
                if split:
                    record["split"] = split
                rows.append((where, record))
    _name(rows)
    return Records(place, name, place.parent, columns, False, rows)


def _path(recording, place, name, where):
    """Path of a recording, and the stem of the name that the data set has for it."""
    path, content = recording.get("path") or "", recording.get("bytes")
    if content:
        return kept(content, Path(path).suffix or ".wav", name), Path(path).stem
    if not path:
        raise CorpusError(f"{place}: {where} has neither a recording nor a path; remove it.")
    return path, Path(path).stem


def _text(value, feature):
    """A value as text: the name of a class, or the value itself."""
    if value is None:
        return ""
    names = getattr(feature, "names", None)
    return names[value] if names and isinstance(value, int) and value >= 0 else str(value)


def _name(rows):
    """Give rows the place in the data set as their name, unless the names of the recordings tell them apart."""
    counts = Counter(record["utterance"] for _, record in rows)
    apart = "" not in counts and max(counts.values(), default=1) == 1
    for where, record in rows:
        record["utterance"] = record["utterance"] if apart else where.replace(" ", "-")
