"""Fold lists that others published, by the numbers of RAVDESS's actors."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sertf.protocols.folds import Fold, ProtocolError, fold_of, folds_of_speakers

if TYPE_CHECKING:
    import pandas as pd

# Five folds of Luna-Jiménez et al. (2021), as the authors of ResLSTM-SA took them: test actors, validation actors.
_RESLSTM_SA = (
    ((2, 5, 14, 15, 16), (3, 6)),
    ((3, 6, 7, 13, 18), (10, 11)),
    ((10, 11, 12, 19, 20), (8, 17)),
    ((8, 17, 21, 23, 24), (1, 14)),
    ((1, 4, 9, 22), (2, 5)),
)
# Six folds of EmoBox (Ma et al. 2024): test actors; its list has no validation actors.
_EMOBOX = (
    (1, 11, 20, 21),
    (4, 10, 12, 14),
    (8, 9, 19, 23),
    (3, 5, 7, 24),
    (2, 15, 16, 18),
    (6, 13, 17, 22),
)


def reslstm_sa(table: "pd.DataFrame") -> list[Fold]:
    """Test and validation actors of ResLSTM-SA's authors."""
    _check_actors(table, "reslstm-sa")
    return [
        fold_of(table, f"fold-{i + 1}", test=_named(test), validation=_named(validation))
        for i, (test, validation) in enumerate(_RESLSTM_SA)
    ]


def luna_jimenez_5(table: "pd.DataFrame") -> list[Fold]:
    """Test actors of Luna-Jiménez et al. (2021); two actors of the next fold validate."""
    _check_actors(table, "luna-jimenez-5")
    return folds_of_speakers(table, [_named(test) for test, _ in _RESLSTM_SA])


def emobox_ravdess_6(table: "pd.DataFrame") -> list[Fold]:
    """Test actors of EmoBox (Ma et al. 2024); two actors of the next fold validate."""
    _check_actors(table, "emobox-ravdess-6")
    return folds_of_speakers(table, [_named(test) for test in _EMOBOX])


def _named(actors):
    return [f"ravdess-{actor:02d}" for actor in actors]


def _check_actors(table, name):
    expected, found = set(_named(range(1, 25))), set(table["speaker"])
    if found != expected:
        raise ProtocolError(
            f"Protocol {name} is defined on RAVDESS's 24 speakers ravdess-01 to ravdess-24, but the table has "
            f"{len(found & expected)} of them and {len(found - expected)} others"
        )


LISTS: dict[str, Callable[["pd.DataFrame"], list[Fold]]] = {
    "reslstm-sa": reslstm_sa,
    "luna-jimenez-5": luna_jimenez_5,
    "emobox-ravdess-6": emobox_ravdess_6,
}
"""Functions of a table by the name of their protocol; nothing in them is random."""
