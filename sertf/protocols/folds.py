"""Folds, protocols, and the building blocks of protocols."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sertf.audio.segments import overlapping
from sertf.corpora.utterances import unknown_speakers
from sertf.errors import SertfError

if TYPE_CHECKING:
    import pandas as pd


class ProtocolError(SertfError):
    """A protocol that does not fit a table."""


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
        """The fold, with augmented copies of its training utterances added to its training part.

        Args:
            parents: id of each copy to that of its original, over all utterances.
        """
        originals = set(self.train)
        return replace(self, train=(*self.train, *(copy for copy, parent in parents.items() if parent in originals)))

    def with_copies_alone(self, parents: Mapping[str, str]) -> "Fold":
        """The fold with augmented copies alone in its training part; `parents` as for `with_copies`."""
        return replace(self, train=tuple(utterance for utterance in self.train if utterance in parents))


@dataclass(frozen=True)
class Protocol:
    """A named way to split a table into folds; call it with the table and a seed."""

    name: str
    make: Callable[["pd.DataFrame", int], list[Fold]]
    allows: frozenset[str] = frozenset()
    reads_columns: bool = False
    """Whether columns of the table name the parts, so that it needs no speakers."""

    def __call__(
        self, table: "pd.DataFrame", seed: int = 0, *, audio_digests: Mapping[str, str] | None = None
    ) -> list[Fold]:
        """Split the table into a list of `Fold`. The same table and seed give the same folds.

        Args:
            table: utterance table.
            seed: seed of random choices.
            audio_digests: utterance id to digest of the decoded audio. Random protocols keep equal recordings in one
                part, and overlapping segments too. None treats all recordings as different.
        """
        if len(table) == 0:
            raise ProtocolError(f"Protocol {self.name} needs utterances, but the table is empty.")
        if unknown_speakers(table) and "speaker" not in self.allows and not self.reads_columns:
            raise ProtocolError(
                f"{self.name} parts the speakers, but they are unknown; name them in a column or with --speakers, or use "
                "random-stratified, random-80-20, random-90-10, random-80-20-three, split-column or fold-column."
            )
        known = {**(audio_digests or {}), **overlapping(dict(zip(table["utterance"], table["path"])))}
        recording = table["utterance"].map(lambda utterance: known.get(utterance, utterance))
        return self.make(table.assign(recording=recording).sort_values("utterance"), seed)


def without_validation(base: Protocol) -> Protocol:
    """The protocol's `-all` form, for recipes with a fixed number of epochs: every speaker who is not tested trains."""

    def make(table, seed):
        return [
            replace(f, train=tuple(sorted((*f.train, *f.validation))), validation=()) for f in base.make(table, seed)
        ]

    return replace(base, name=f"{base.name}-all", make=make, allows=base.allows | {"no validation"})


def parting(table: "pd.DataFrame") -> Callable[..., Fold]:
    """A function of a name, test speakers and validation speakers to the fold in which all other speakers train.

    It is quick for many folds of a long table.
    """
    codes, speakers = table["speaker"].factorize()
    code_of = {speaker: code for code, speaker in enumerate(speakers)}
    ids = table["utterance"].to_numpy(dtype=object)

    def part(name: str, *, test: Collection[str], validation: Collection[str]) -> Fold:
        role = np.zeros(len(speakers), int)  # of a speaker: 0 trains, 1 validates, 2 is tested
        for number, names in enumerate((validation, test), 1):
            role[[code_of[speaker] for speaker in names if speaker in code_of]] = number
        roles = role[codes]
        return Fold(name, *(tuple(ids[roles == number]) for number in range(3)))

    return part


def fold_of(table: "pd.DataFrame", name: str, *, test: Collection[str], validation: Collection[str]) -> Fold:
    """The fold with these test and validation speakers; all others train."""
    return parting(table)(name, test=test, validation=validation)


def _validation_count(speakers: int) -> int:
    """Number of validation speakers for a number of speakers."""
    return max(2 if speakers >= 8 else 1, round(0.1 * speakers))


def validation_speakers(candidates: Sequence[str], gender: Mapping[str, str]) -> list[str]:
    """The first candidates, genders in turn. Their number depends on the number of speakers in `gender`."""
    chosen: list[str] = []
    rest = list(candidates)
    for _ in range(_validation_count(len(gender))):
        last = gender[chosen[-1]] if chosen else None
        chosen.append(next((speaker for speaker in rest if gender[speaker] != last), rest[0]))
        rest.remove(chosen[-1])
    return chosen


def folds_of_speakers(table: "pd.DataFrame", groups: Sequence[Sequence[str]]) -> list[Fold]:
    """One fold a group. The group is the test part. One or two speakers of the next groups validate. The rest train.

    From 8 speakers on there are two validation speakers, of different genders if the corpus has both. Larger corpora
    use a tenth of the speakers.
    """
    gender = dict(zip(table["speaker"], table["gender"]))
    part = parting(table)
    folds = []
    for i, test in enumerate(groups):
        following = [speaker for step in range(1, len(groups)) for speaker in groups[(i + step) % len(groups)]]
        validation = validation_speakers(following, gender)
        folds.append(part(f"fold-{i + 1}", test=test, validation=validation))
    return folds


def validation_by_emotions(table: "pd.DataFrame", candidates: Sequence[str]) -> list[str]:
    """The candidates who add emotions to validation, until it has all emotions that several of them speak.

    Their number is that of `validation_speakers` or more, at most a third. Training keeps every emotion it had.

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
    """Raise unless every emotion has the recordings that the protocol `name` needs."""
    counts = table.drop_duplicates("recording")["emotion"].value_counts()
    small = sorted(counts.index[counts < needed])
    if small:
        left_out = f", or leave {', '.join(small)} out" if len(counts) - len(small) > 1 else ""
        raise ProtocolError(
            f"{name} keeps {what} and needs {needed} recordings of each, but '{counts.idxmin()}' has {counts.min()}; "
            f"add utterances{left_out}."
        )


def draw(table: "pd.DataFrame", share: float, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Utterance ids, sorted, of the larger and the smaller part of a random split within each emotion.

    Duplicates of one recording are drawn as one and stay together.
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
