"""Evaluation protocols: from an utterance table to folds, by name.

A protocol is deterministic in the table and the seed, and declares what its parts may share: `allows` holds "speaker"
where speakers stand on both sides, "absent emotion" where a test or validation part may lack one, "no validation" where
nothing is held out to choose by. `sertf.audit` raises on everything that is not declared.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sertf.errors import SertfError


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
    def parts(self):
        """The parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def with_copies(self, parents):
        """The fold with augmented copies of its training utterances in its training part.

        Args:
            parents: each copy's id to that of its original, of all utterances.
        """
        originals = set(self.train)
        return replace(self, train=(*self.train, *(copy for copy, parent in parents.items() if parent in originals)))


@dataclass(frozen=True)
class Protocol:
    """A named way to cut a table into folds; call it with the table and a seed."""

    name: str
    make: Callable
    allows: frozenset = frozenset()

    def __call__(self, table, seed=0, *, audio_digests=None):
        """Cut the table into a list of `Fold`, the same for the same table and seed.

        Args:
            table: utterance table.
            seed: of random choices.
            audio_digests: utterance id to digest of the decoded audio; random protocols keep equal recordings in one
                part. None takes every recording for different.
        """
        if len(table) == 0:
            raise ProtocolError(f"Protocol {self.name} needs utterances, but the table is empty.")
        recording = table["utterance"].map(audio_digests or {}).fillna(table["utterance"])
        return self.make(table.assign(recording=recording).sort_values("utterance"), seed)


def protocol(name):
    """Look a protocol up by name; "speaker-independent-k" exists for every k of 2 or more.

    Raises:
        ProtocolError: an unknown name; the message lists the known ones.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    prefix, _, count = name.rpartition("-")
    if prefix == "speaker-independent" and count.isdigit() and int(count) >= 2:
        return _speaker_independent(int(count))
    raise ProtocolError(
        f"Unknown protocol '{name}'; known are {', '.join(PROTOCOLS)}, and speaker-independent-k for any k of 2 or more."
    )


def _speaker_independent(count):
    def make(table, seed):
        return _folds_of_speakers(table, _deal_speakers(table, count, seed))

    return Protocol(f"speaker-independent-{count}", make)


def _deal_speakers(table, count, seed):
    """Speakers dealt to `count` groups at random, women and men in turn so that each group has its share of both."""
    speakers = table.drop_duplicates("speaker").sort_values("speaker")
    if len(speakers) < max(count, 3):
        raise ProtocolError(
            f"{count} speaker-independent folds need at least {max(count, 3)} speakers (test, validation and training "
            f"share none), but the table has {len(speakers)}; ask for fewer folds or add speakers."
        )
    rng = np.random.default_rng(seed)
    groups = [[] for _ in range(count)]
    position = 0
    for _, same_gender in speakers.groupby("gender"):
        for speaker in rng.permutation(same_gender["speaker"].to_numpy(dtype=object)):
            groups[position % count].append(speaker)
            position += 1
    return groups


def _leave_one_speaker_out(table, seed):
    return _folds_of_speakers(table, _deal_speakers(table, table["speaker"].nunique(), seed))


def _folds_of_speakers(table, groups):
    """One fold a group: the group is the test part, one or two speakers of the next groups validate, the rest train.

    Two validation speakers (of different genders where the corpus has both) from 8 speakers on, a tenth of them in
    larger corpora.
    """
    gender = dict(zip(table["speaker"], table["gender"]))
    wanted = max(2 if len(gender) >= 8 else 1, round(0.1 * len(gender)))
    folds = []
    for i, test in enumerate(groups):
        following = [speaker for step in range(1, len(groups)) for speaker in groups[(i + step) % len(groups)]]
        validation = []
        while len(validation) < wanted:
            last = gender[validation[-1]] if validation else None
            rest = [speaker for speaker in following if speaker not in validation]
            validation.append(next((speaker for speaker in rest if gender[speaker] != last), rest[0]))
        folds.append(_fold(table, f"fold-{i + 1}", test=test, validation=validation))
    return folds


def _fold(table, name, *, test, validation):
    in_test = table["speaker"].isin(test)
    in_validation = table["speaker"].isin(validation)
    ids = table["utterance"]
    return Fold(name, tuple(ids[~in_test & ~in_validation]), tuple(ids[in_validation]), tuple(ids[in_test]))


def _random_stratified(table, seed):
    """One split, 80/10/10 at random within each emotion; speakers stand in every part."""
    _check_smallest(table, "random-stratified", 10, "10 % of each emotion for testing and for validation")
    train, rest = _draw(table, 0.2, seed)
    validation, test = _draw(table[table["utterance"].isin(set(rest))], 0.5, seed)
    return [Fold("split", train, validation, test)]


def _random_80_20(table, seed):
    """One split, 80/20 at random within each emotion, nothing held out to choose by; speakers stand in both parts."""
    _check_smallest(table, "random-80-20", 5, "20 % of each emotion for testing")
    train, test = _draw(table, 0.2, seed)
    return [Fold("split", train, (), test)]


def _check_smallest(table, name, needed, what):
    counts = table.drop_duplicates("recording")["emotion"].value_counts()
    if counts.min() < needed:
        raise ProtocolError(
            f"{name} keeps {what} and needs {needed} recordings of each, but '{counts.idxmin()}' has {counts.min()}; "
            "add utterances or leave the emotion out."
        )


def _draw(table, share, seed):
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


# Five folds of Luna-Jiménez et al. (2021), as the authors of ResLSTM-SA took them: test actors, validation actors.
_RESLSTM_SA_FOLDS = (
    ((2, 5, 14, 15, 16), (3, 6)),
    ((3, 6, 7, 13, 18), (10, 11)),
    ((10, 11, 12, 19, 20), (8, 17)),
    ((8, 17, 21, 23, 24), (1, 14)),
    ((1, 4, 9, 22), (2, 5)),
)


def _reslstm_sa(table, seed):
    """The published folds; the seed changes nothing."""
    expected = {f"ravdess-{actor:02d}" for actor in range(1, 25)}
    found = set(table["speaker"])
    if found != expected:
        raise ProtocolError(
            f"Protocol reslstm-sa is defined on RAVDESS's 24 speakers ravdess-01 to ravdess-24, but the table has "
            f"{len(found & expected)} of them and {len(found - expected)} others; use speaker-independent-5 instead."
        )
    return [
        _fold(
            table,
            f"fold-{i + 1}",
            test=[f"ravdess-{actor:02d}" for actor in test],
            validation=[f"ravdess-{actor:02d}" for actor in validation],
        )
        for i, (test, validation) in enumerate(_RESLSTM_SA_FOLDS)
    ]


PROTOCOLS = {
    "speaker-independent-4": _speaker_independent(4),
    "speaker-independent-5": _speaker_independent(5),
    "speaker-independent-10": _speaker_independent(10),
    "leave-one-speaker-out": Protocol("leave-one-speaker-out", _leave_one_speaker_out, frozenset({"absent emotion"})),
    "random-stratified": Protocol("random-stratified", _random_stratified, frozenset({"speaker"})),
    "random-80-20": Protocol("random-80-20", _random_80_20, frozenset({"speaker", "no validation"})),
    "reslstm-sa": Protocol("reslstm-sa", _reslstm_sa),
}
