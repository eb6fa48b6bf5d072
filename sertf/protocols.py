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

    def with_copies_alone(self, parents):
        """The fold with nothing but the augmented copies in its training part; `parents` as for `with_copies`."""
        return replace(self, train=tuple(utterance for utterance in self.train if utterance in parents))


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
    """Look a protocol up by name.

    "speaker-independent-k" exists for every k of 2 or more, "zero-shot-c" and "zero-shot-90-10-c" for every corpus c.

    Raises:
        ProtocolError: an unknown name; the message lists the known ones.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    prefix, _, count = name.rpartition("-")
    if prefix == "speaker-independent" and count.isdigit() and int(count) >= 2:
        return _speaker_independent(int(count))
    for prefix, make in (("zero-shot-90-10-", _zero_shot_90_10), ("zero-shot-", _zero_shot)):
        if name.startswith(prefix) and len(name) > len(prefix):
            return make(name.removeprefix(prefix))
    raise ProtocolError(
        f"Unknown protocol '{name}'; known are {', '.join(PROTOCOLS)}, speaker-independent-k for any k of 2 or more, and "
        "zero-shot-c and zero-shot-90-10-c for any corpus c that shall be trained on."
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
    folds = []
    for i, test in enumerate(groups):
        following = [speaker for step in range(1, len(groups)) for speaker in groups[(i + step) % len(groups)]]
        validation = _validation_speakers(following, gender)
        folds.append(_fold(table, f"fold-{i + 1}", test=test, validation=validation))
    return folds


def _validation_speakers(candidates, gender):
    """The first candidates, genders by turns; as many as the speakers of `gender` call for."""
    wanted = max(2 if len(gender) >= 8 else 1, round(0.1 * len(gender)))
    chosen = []
    while len(chosen) < wanted:
        last = gender[chosen[-1]] if chosen else None
        rest = [speaker for speaker in candidates if speaker not in chosen]
        chosen.append(next((speaker for speaker in rest if gender[speaker] != last), rest[0]))
    return chosen


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


def _random_90_10(table, seed):
    """One split, 90/10 at random within each emotion, nothing held out to choose by; speakers stand in both parts."""
    _check_smallest(table, "random-90-10", 10, "10 % of each emotion for testing")
    train, test = _draw(table, 0.1, seed)
    return [Fold("split", train, (), test)]


def _random_80_20_three(table, seed):
    """Three splits whose test parts are each another fifth of every emotion, at random; speakers stand in both parts."""
    from sklearn.model_selection import StratifiedKFold

    _check_smallest(table, "random-80-20-three", 5, "20 % of each emotion for testing")
    recordings = table.drop_duplicates("recording")
    names, emotions = (recordings[column].to_numpy(dtype=object) for column in ("recording", "emotion"))
    folds = []
    for _, drawn in list(StratifiedKFold(5, shuffle=True, random_state=seed).split(names, emotions.astype(str)))[:3]:
        inside = table["recording"].isin(set(names[drawn]))
        ids = table["utterance"]
        folds.append(Fold(f"fold-{len(folds) + 1}", tuple(ids[~inside]), (), tuple(ids[inside])))
    return folds


def _pairs_out_three(table, seed):
    """Three folds that each test another woman and man, drawn at random; the pair of the next fold validates."""
    rng = np.random.default_rng(seed)
    speakers = table.drop_duplicates("speaker").sort_values("speaker")
    drawn = {}
    for gender in ("female", "male"):
        of_gender = speakers["speaker"][speakers["gender"] == gender].to_numpy(dtype=object)
        if len(of_gender) < 4:
            raise ProtocolError(
                f"pairs-out-three tests three pairs of a woman and a man and trains on others, so it needs 4 speakers of "
                f"each gender, but the table has {len(of_gender)} {gender} ones; use speaker-independent-k instead."
            )
        drawn[gender] = rng.permutation(of_gender)[:3]
    pairs = list(zip(drawn["female"], drawn["male"]))
    return [_fold(table, f"fold-{i + 1}", test=pairs[i], validation=pairs[(i + 1) % 3]) for i in range(3)]


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


def shared_emotions(table):
    """The utterances of a table of two or more corpora whose emotion every corpus has, for the zero-shot protocols.

    Raises:
        ProtocolError: one corpus, or fewer than two shared emotions; the message lists what each corpus has.
    """
    found = {corpus: set(rows["emotion"]) for corpus, rows in table.groupby("corpus")}
    if len(found) < 2:
        raise ProtocolError(
            f"Shared emotions need two corpora or more, but the table has {', '.join(found) or 'none'}."
        )
    shared = set.intersection(*found.values())
    if len(shared) < 2:
        listed = "; ".join(f"{corpus} has {', '.join(sorted(emotions))}" for corpus, emotions in found.items())
        raise ProtocolError(f"The corpora share {len(shared)} emotions, and 2 are needed to tell apart: {listed}.")
    kept = table[table["emotion"].isin(shared)]
    kept.attrs.update(table.attrs)
    return kept


def _zero_shot(corpus):
    """Train on one corpus, choose by speakers of it that are held out, test on each other corpus in a fold of its own."""

    def make(table, seed):
        own, tests = _trained_and_tested(table, f"zero-shot-{corpus}", corpus)
        gender = dict(zip(own["speaker"], own["gender"]))
        if len(gender) < 2:
            raise ProtocolError(
                f"zero-shot-{corpus} holds out a speaker of {corpus} for validation, but the table has {len(gender)} of "
                f"it; use zero-shot-90-10-{corpus}, which has no validation part."
            )
        speakers = list(np.random.default_rng(seed).permutation(np.array(sorted(gender), dtype=object)))
        validation = _validation_speakers(speakers, gender)
        split = _fold(own, "split", test=[], validation=validation)
        return [Fold(name, split.train, split.validation, test) for name, test in tests.items()]

    return Protocol(f"zero-shot-{corpus}", make)


def _zero_shot_90_10(corpus):
    """Train on the nine tenths of a corpus that random-90-10 trains on, test on each other corpus; nothing to choose by."""

    def make(table, seed):
        own, tests = _trained_and_tested(table, f"zero-shot-90-10-{corpus}", corpus)
        (split,) = _random_90_10(own, seed)
        return [Fold(name, split.train, (), test) for name, test in tests.items()]

    return Protocol(f"zero-shot-90-10-{corpus}", make, frozenset({"no validation"}))


def _trained_and_tested(table, name, corpus):
    """Rows of the corpus that is trained on, and the utterance ids of each other corpus by its name."""
    found = {other: rows for other, rows in table.groupby("corpus")}
    if corpus not in found or len(found) < 2:
        raise ProtocolError(
            f"{name} needs a table of {corpus} and another corpus to test on, but it holds {', '.join(found)}."
        )
    emotions = set(table["emotion"])
    for other, rows in found.items():
        absent = sorted(emotions - set(rows["emotion"]))
        if absent:
            raise ProtocolError(
                f"{name} needs emotions that all corpora have, but {other} lacks {', '.join(absent)}; leave them out, as "
                "sertf.protocols.shared_emotions does."
            )
    return found[corpus], {other: tuple(rows["utterance"]) for other, rows in found.items() if other != corpus}


PROTOCOLS = {
    "speaker-independent-4": _speaker_independent(4),
    "speaker-independent-5": _speaker_independent(5),
    "speaker-independent-10": _speaker_independent(10),
    "leave-one-speaker-out": Protocol("leave-one-speaker-out", _leave_one_speaker_out, frozenset({"absent emotion"})),
    "random-stratified": Protocol("random-stratified", _random_stratified, frozenset({"speaker"})),
    "random-80-20": Protocol("random-80-20", _random_80_20, frozenset({"speaker", "no validation"})),
    "random-90-10": Protocol("random-90-10", _random_90_10, frozenset({"speaker", "no validation"})),
    "random-80-20-three": Protocol("random-80-20-three", _random_80_20_three, frozenset({"speaker", "no validation"})),
    "pairs-out-three": Protocol("pairs-out-three", _pairs_out_three, frozenset({"absent emotion"})),
    "reslstm-sa": Protocol("reslstm-sa", _reslstm_sa),
}
