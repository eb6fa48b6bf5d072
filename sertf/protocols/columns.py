"""Custom splits: a column `split` or `fold` of the table gives the part or the fold of each utterance."""

import re
from typing import TYPE_CHECKING

from sertf.protocols.folds import Fold, ProtocolError, validation_speakers

if TYPE_CHECKING:
    import pandas as pd

PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}
"""The part that a word of a split column stands for."""


def split_column(table: "pd.DataFrame", seed: int) -> list[Fold]:
    """One split, as the column `split` has it; the seed changes nothing.

    Raises:
        ProtocolError: no such column, an unknown word in it, or nobody to train on or to test.
    """
    words = _column(table, "split", f"with train, validation or test in each row ({', '.join(PARTS)})").str.lower()
    unknown = sorted(set(words) - set(PARTS))
    if unknown:
        raise ProtocolError(f"Column split has {unknown[0]!r} in a row; allowed are {', '.join(PARTS)}.")
    part = words.map(PARTS)
    for name in ("train", "test"):
        if not (part == name).any():
            raise ProtocolError(f"Column split puts no utterance into the {name} part; write {name} in some rows.")
    ids = table["utterance"]
    return [Fold("split", *(tuple(ids[part == name]) for name in ("train", "validation", "test")))]


def fold_column(table: "pd.DataFrame", seed: int) -> list[Fold]:
    """One fold a value of the column `fold`, whose utterances it tests; speakers of the next values validate.

    The seed changes nothing.

    Raises:
        ProtocolError: no such column, a value that cannot name a folder, or one value alone.
    """
    values = _column(table, "fold", "with the number or name of the fold that tests it in each row")
    names = sorted(set(values), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    odd = [name for name in names if not re.fullmatch(r"[\w-]+", name)]
    if odd:
        raise ProtocolError(f"Column fold has {odd[0]!r} in a row; use letters, digits, - and _ alone.")
    if len(names) < 2:
        raise ProtocolError(f"Column fold needs two values or more, but has {names[0]!r} alone.")
    ids, folds = table["utterance"], []
    for i, name in enumerate(names):
        tested = values == name
        order = [*names[i + 1 :], *names[:i]]
        rest = table[~tested].assign(place=values[~tested].map(order.index)).sort_values(["place", "speaker"])
        following = list(dict.fromkeys(rest["speaker"]))
        gender = dict(zip(rest["speaker"], rest["gender"]))
        # One speaker alone trains; the audit then asks for the -all form.
        chosen = validation_speakers(following, gender) if len(following) > 1 else []
        held = table["speaker"].isin(chosen) & ~tested
        folds.append(Fold(f"fold-{name}", tuple(ids[~tested & ~held]), tuple(ids[held]), tuple(ids[tested])))
    return folds


def _column(table, name, holds):
    if name not in table:
        raise ProtocolError(f"Protocol {name}-column needs a column {name} in the table, {holds}.")
    return table[name].astype(str).str.strip()
