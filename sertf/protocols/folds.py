"""Folds, protocols, and the pieces that protocols are made of."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sertf.errors import SertfError

if TYPE_CHECKING:
    import pandas as pd


class ProtocolError(SertfError):
    """A table that a protocol cannot be applied to."""


@dataclass(frozen=True)
class Fold:
    """One split: utterance ids of the training, validation and test part."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def with_copies(self, parents: Mapping[str, str]) -> "Fold":
        """The fold with augmented copies of its training utterances in its training part.

        Args:
            parents: each copy's id to that of its original, of all utterances.
        """
        originals = set(self.train)
        return replace(self, train=(*self.train, *(copy for copy, parent in parents.items() if parent in originals)))

    def with_copies_alone(self, parents: Mapping[str, str]) -> "Fold":
        """The fold with nothing but the augmented copies in its training part; `parents` as for `with_copies`."""
        return replace(self, train=tuple(utterance for utterance in self.train if utterance in parents))


@dataclass(frozen=True)
class Protocol:
    """A named way to cut a table into folds; call it with the table and a seed."""

    name: str
    make: Callable[["pd.DataFrame", int], list[Fold]]
    allows: frozenset[str] = frozenset()

    def __call__(
        self, table: "pd.DataFrame", seed: int = 0, *, audio_digests: Mapping[str, str] | None = None
    ) -> list[Fold]:
        """Cut the table into a list of `Fold`, the same for the same table and seed.

        Args:
            table: utterance table.
            seed: of random choices.
            audio_digests: utterance id to digest of the decoded audio; random protocols keep equal recordings in one
                part. None takes every recording for different.
        """
        if len(table) == 0:
            raise ProtocolError(f"Protocol {self.name} needs utterances, but the table is empty.")
        known = audio_digests or {}
        recording = table["utterance"].map(lambda utterance: known.get(utterance, utterance))
        return self.make(table.assign(recording=recording).sort_values("utterance"), seed)


def fold_of(table: "pd.DataFrame", name: str, *, test: Collection[str], validation: Collection[str]) -> Fold:
    """The fold of test and validation speakers; all others train."""
    in_test = table["speaker"].isin(test)
    in_validation = table["speaker"].isin(validation)
    ids = table["utterance"]
    return Fold(name, tuple(ids[~in_test & ~in_validation]), tuple(ids[in_validation]), tuple(ids[in_test]))


def validation_speakers(candidates: Sequence[str], gender: Mapping[str, str]) -> list[str]:
    """The first candidates, genders by turns; as many as the speakers of `gender` call for."""
    wanted = max(2 if len(gender) >= 8 else 1, round(0.1 * len(gender)))
    chosen: list[str] = []
    while len(chosen) < wanted:
        last = gender[chosen[-1]] if chosen else None
        rest = [speaker for speaker in candidates if speaker not in chosen]
        chosen.append(next((speaker for speaker in rest if gender[speaker] != last), rest[0]))
    return chosen


def check_smallest(table: "pd.DataFrame", name: str, needed: int, what: str) -> None:
    """Raise unless every emotion has the recordings that the protocol `name` needs to keep `what`."""
    counts = table.drop_duplicates("recording")["emotion"].value_counts()
    if counts.min() < needed:
        raise ProtocolError(
            f"{name} keeps {what} and needs {needed} recordings of each, but '{counts.idxmin()}' has {counts.min()}; "
            "add utterances or leave the emotion out."
        )


def draw(table: "pd.DataFrame", share: float, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Utterance ids, sorted, of the larger and the smaller part of a random cut within each emotion.

    Utterances of one recording (duplicates in a corpus) stay together: they are drawn as one.
    """
    from sklearn.model_selection import train_test_split

    recordings = table.drop_duplicates("recording")
    _, drawn = train_test_split(
        recordings["recording"].to_numpy(dtype=object),
        test_size=share,
        stratify=recordings["emotion"].to_numpy(dtype=object),
        random_state=seed,
    )
    inside = table["recording"].isin(set(drawn))
    return tuple(table["utterance"][~inside]), tuple(table["utterance"][inside])
