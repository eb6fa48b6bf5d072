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


def without_validation(base: Protocol) -> Protocol:
    """The protocol's `-all` form: every speaker who is not tested trains, for recipes that fix their epochs beforehand."""

    def make(table, seed):
        return [
            replace(f, train=tuple(sorted((*f.train, *f.validation))), validation=()) for f in base.make(table, seed)
        ]

    return Protocol(f"{base.name}-all", make, base.allows | {"no validation"})


def fold_of(table: "pd.DataFrame", name: str, *, test: Collection[str], validation: Collection[str]) -> Fold:
    """The fold of test and validation speakers; all others train."""
    in_test = table["speaker"].isin(test)
    in_validation = table["speaker"].isin(validation)
    ids = table["utterance"]
    return Fold(name, tuple(ids[~in_test & ~in_validation]), tuple(ids[in_validation]), tuple(ids[in_test]))


def _validation_count(speakers: int) -> int:
    """How many of so many speakers validate."""
    return max(2 if speakers >= 8 else 1, round(0.1 * speakers))


def validation_speakers(candidates: Sequence[str], gender: Mapping[str, str]) -> list[str]:
    """The first candidates, genders by turns; as many as the speakers of `gender` call for."""
    chosen: list[str] = []
    while len(chosen) < _validation_count(len(gender)):
        last = gender[chosen[-1]] if chosen else None
        rest = [speaker for speaker in candidates if speaker not in chosen]
        chosen.append(next((speaker for speaker in rest if gender[speaker] != last), rest[0]))
    return chosen


def folds_of_speakers(table: "pd.DataFrame", groups: Sequence[Sequence[str]]) -> list[Fold]:
    """One fold a group: the group is the test part, one or two speakers of the next groups validate, the rest train.

    Two validation speakers (of different genders where the corpus has both) from 8 speakers on, a tenth of them in
    larger corpora.
    """
    gender = dict(zip(table["speaker"], table["gender"]))
    folds = []
    for i, test in enumerate(groups):
        following = [speaker for step in range(1, len(groups)) for speaker in groups[(i + step) % len(groups)]]
        validation = validation_speakers(following, gender)
        folds.append(fold_of(table, f"fold-{i + 1}", test=test, validation=validation))
    return folds


def validation_by_emotions(table: "pd.DataFrame", candidates: Sequence[str]) -> list[str]:
    """Of the candidates those who bring new emotions first, until validation has all that more than one of them speaks.

    They are as many as `validation_speakers` takes or more, at most a third. Training keeps every emotion it had.

    Args:
        table: utterance table of all speakers.
        candidates: speakers who are not tested, in the order of preference.
    """
    emotions = table.groupby("speaker")["emotion"].agg(set)
    gender = dict(zip(table["speaker"], table["gender"]))
    wanted, most = _validation_count(len(gender)), max(1, len(candidates) // 3)
    training = list(candidates)
    chosen: list[str] = []
    while len(chosen) < most:
        heard = set().union(*(emotions[speaker] for speaker in chosen))
        trained = set().union(*(emotions[speaker] for speaker in training))
        fit = [s for s in training if set().union(*(emotions[other] for other in training if other != s)) == trained]
        news = [len(emotions[speaker] - heard) for speaker in fit]
        if not fit or (len(chosen) >= wanted and not max(news)):
            break
        last = gender[chosen[-1]] if chosen else None
        best = max(zip(news, fit), key=lambda pair: (pair[0], gender[pair[1]] != last))[1]
        training.remove(best)
        chosen.append(best)
    return chosen or list(candidates[:1])


def check_smallest(table: "pd.DataFrame", name: str, needed: int, what: str) -> None:
    """Raise unless every emotion has the recordings that the protocol `name` needs to keep `what`."""
    counts = table.drop_duplicates("recording")["emotion"].value_counts()
    small = sorted(counts.index[counts < needed])
    if small:
        left_out = f", or leave {', '.join(small)} out" if len(counts) - len(small) > 1 else ""
        raise ProtocolError(
            f"{name} keeps {what} and needs {needed} recordings of each, but '{counts.idxmin()}' has {counts.min()}; "
            f"add utterances{left_out}."
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
