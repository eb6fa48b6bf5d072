"""Fold lists that others published: read from JSON lines or CSV, and what each of their folds shares.

A list takes one of three forms. Each row names one utterance, with its part in a column or in the file's name. Or each
row names one utterance and the fold that tests it. Or each line of JSON holds a whole fold: `train`, `test` and maybe
`validation`, each a list of utterances.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf.audio.segments import segment_of
from sertf.errors import SertfError, expanded
from sertf.protocols.columns import PARTS
from sertf.protocols.folds import Fold

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("utterance", "key", "id", "path", "wav", "file", "filename", "audio", "name")
"""Columns that may name an utterance, the first of them counts: its id, or its file."""
PART_COLUMNS = ("split", "part", "partition", "subset", "set")
"""Columns that may name the part, with a word of `sertf.protocols.columns.PARTS`."""


class FoldListError(SertfError):
    """A file that is no fold list, or one of another corpus."""


@dataclass(frozen=True)
class FoldList:
    """What a fold list holds.

    Attributes:
        folds: of utterances that the table has.
        unmatched: names in the list that the table has no utterance for.
    """

    folds: tuple[Fold, ...]
    unmatched: tuple[str, ...]


@dataclass(frozen=True)
class Shared:
    """What the test part of a fold shares with the parts that a model is trained and chosen by.

    Attributes:
        fold: its name.
        train, validation, test: utterances in each part.
        tested_speakers, speakers: how many speakers are tested, and which of them train or validate too.
        utterances: tested utterances that train or validate too.
        copies: pairs of a tested utterance and another one with the same audio that trains or validates.
        tested_texts, texts: how many texts are tested, and how many of them train or validate too.
    """

    fold: str
    train: int
    validation: int
    test: int
    tested_speakers: int
    speakers: tuple[str, ...]
    utterances: tuple[str, ...]
    copies: tuple[tuple[str, str], ...]
    tested_texts: int
    texts: int

    @property
    def leaks(self) -> list[str]:
        """What leaks, of "speakers", "utterances" and "copies"; many corpora share their texts by design."""
        return [name for name in ("speakers", "utterances", "copies") if getattr(self, name)]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def read(paths: Iterable[Path | str], table: "pd.DataFrame") -> FoldList:
    """Read a fold list, from one file or from a file for each part and fold.

    Args:
        paths: JSON lines, or CSV in UTF-8 with a header.
        table: utterance table that the list is about.

    Raises:
        FoldListError: no such file, incomplete rows, or a list without any utterance of the table.
    """
    find, unmatched = _finder(table), dict[str, None]()
    folds: dict[str, dict[str, dict[str, None]]] = {}

    def put(fold, part, name):
        found = find(name)
        if found is None:
            unmatched[name] = None
        else:
            folds.setdefault(fold, {"train": {}, "validation": {}, "test": {}})[part][found] = None

    tested: dict[str, list[str]] = {}
    files = [expanded(path) for path in paths]
    apart = {_named_part(path) for path in files} >= {"train", "test"}
    for path in files:
        for number, record in _records(path):
            where = f"{path}: row {number}"
            if not isinstance(record, dict):
                raise FoldListError(f"{where} is no object; write one object a line.")
            if isinstance(record.get("train"), list) and isinstance(record.get("test"), list):
                fold = str(record.get("name") or record.get("fold") or f"fold-{len(folds) + 1}")
                for part in ("train", "validation", "test"):
                    for name in record.get(part) or ():
                        put(fold, part, str(name))
                continue
            name = next((str(record[column]) for column in NAMES if record.get(column)), None)
            if name is None:
                raise FoldListError(f"{where} names no utterance; give it in a column of {', '.join(NAMES)}.")
            part, fold = _part(record, where), _fold(path, record)
            # In my_test_folds.csv alone the column `fold` says who is tested; beside train.csv the name of test.csv does.
            if part is None and (apart or record.get("fold") in (None, "") or _named_fold(path)):
                part = _named_part(path)
            if part is not None:
                put(fold or "split", part, name)
            elif fold is not None:
                tested.setdefault(fold, []).append(name)
            else:
                raise FoldListError(
                    f"{where} says neither part nor fold; give a column split or fold, or name the file after its part, "
                    "as in train_fold_1.jsonl."
                )
    for fold in tested:
        for other, names in tested.items():
            for name in names:
                put(fold, "test" if other == fold else "train", name)
    if not folds:
        raise FoldListError(
            f"The table has none of the {len(unmatched)} utterances of the fold list, such as {next(iter(unmatched), '')}; "
            "give the corpus that the list is about."
        )
    for fold, parts in folds.items():
        for part in ("train", "test"):
            if not parts[part]:
                raise FoldListError(
                    f"Fold {fold} has no {part} part that the table knows; give the files of both parts."
                )
    made = (
        Fold(fold, *(tuple(parts[part]) for part in ("train", "validation", "test"))) for fold, parts in folds.items()
    )
    return FoldList(tuple(made), tuple(unmatched))


def shared(
    folds: Sequence[Fold], table: "pd.DataFrame", audio_digests: Mapping[str, str] | None = None
) -> list[Shared]:
    """What each fold's test part shares with its other parts.

    Args:
        folds: of the table's utterances.
        table: utterance table.
        audio_digests: utterance id to digest of the decoded audio; None looks for no copies.
    """
    rows, digests = table.set_index("utterance"), audio_digests or {}
    speaker = rows["speaker"].to_dict()
    text = {u: (corpus, name) for u, corpus, name in zip(rows.index, rows["corpus"], rows["sentence"]) if name}
    made = []
    for fold in folds:
        learned = (*fold.train, *fold.validation)
        both, known = set(learned) & set(fold.test), {digests[u]: u for u in learned if u in digests}
        copies = [(u, known[digests[u]]) for u in fold.test if u not in both and digests.get(u) in known]
        speakers = {speaker[u] for u in fold.test}
        texts = {text[u] for u in fold.test if u in text}
        made.append(
            Shared(
                fold=fold.name,
                train=len(fold.train),
                validation=len(fold.validation),
                test=len(fold.test),
                tested_speakers=len(speakers),
                speakers=tuple(sorted(speakers & {speaker[u] for u in learned})),
                utterances=tuple(sorted(both)),
                copies=tuple(copies),
                tested_texts=len(texts),
                texts=len(texts & {text[u] for u in learned if u in text}),
            )
        )
    return made


def _records(path):
    """(row from 1, dict) of each row of a JSON lines or CSV file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise FoldListError(f"{path}: cannot be read ({error}); give a fold list as JSON lines or CSV.") from error
    if text.lstrip().startswith("{"):
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        try:
            records = [(number, json.loads(line)) for number, line in lines]
        except ValueError as error:
            raise FoldListError(f"{path}: is no JSON lines ({error}); write one object a line.") from error
    else:
        records = list(enumerate(csv.DictReader(text.splitlines(), skipinitialspace=True), 1))
    if not records:
        raise FoldListError(f"{path}: holds no rows; give a fold list as JSON lines or CSV.")
    return records


def _part(record, where):
    column = next((name for name in PART_COLUMNS if record.get(name)), None)
    if column is None:
        return None
    word = str(record[column]).strip().lower()
    if word not in PARTS:
        raise FoldListError(f"{where} has {word!r} as its {column}; allowed are {', '.join(PARTS)}.")
    return PARTS[word]


def _named_part(path):
    """The part that the name of the file says."""
    words = [word for word in re.split(r"[^a-z]+", path.stem.lower()) if word in PARTS]
    return PARTS[words[-1]] if words else None


def _fold(path, record):
    if record.get("fold") not in (None, ""):
        return f"fold-{record['fold']}"
    return _named_fold(path)


def _named_fold(path):
    """The fold that the name of the file or of its folder numbers."""
    found = re.search(r"fold[_-]?(\d+)", path.stem.lower()) or re.search(r"fold[_-]?(\d+)", path.parent.name.lower())
    return f"fold-{found[1]}" if found else None


def _finder(table):
    """Function of a name in a list: the utterance of this id or file; None where there is none or several."""
    ids = set(table["utterance"])
    by_stem = {}
    for utterance, corpus, path in zip(table["utterance"], table["corpus"], table["path"]):
        for stem in {Path(segment_of(path).file).stem, utterance.removeprefix(f"{corpus}-")}:
            by_stem[stem] = utterance if by_stem.get(stem, utterance) == utterance else None

    def find(name):
        stem = Path(name).stem if "/" in name or Path(name).suffix else name
        return name if name in ids else by_stem.get(stem, by_stem.get(name))

    return find
