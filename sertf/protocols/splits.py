"""Evaluation protocols: from an utterance table to folds, by name.

A protocol is deterministic in the table and the seed. It declares what its parts may share. `allows` holds "speaker" if
training and test may share speakers, and "no validation" if no data is held out for choices. `sertf.protocols.audit`
raises on everything that is not declared.
"""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from sertf.corpora.utterances import unknown_speakers
from sertf.errors import SertfError, unknown
from sertf.protocols import columns, published, zero_shot
from sertf.protocols.audit import absent_emotions, audit, untrained_emotions
from sertf.protocols.folds import (
    Fold,
    Protocol,
    ProtocolError,
    check_smallest,
    draw,
    fold_of,
    folds_of_speakers,
    validation_by_emotions,
    without_validation,
)

if TYPE_CHECKING:
    import pandas as pd

LEAST_OF_RANDOM_STRATIFIED = 10
"""Recordings of each emotion that `random-stratified` needs."""


def protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    "speaker-independent-k" exists for every k of 2 or more, "zero-shot-c" and "zero-shot-90-10-c" for every corpus c.
    "NAME-all" exists for every NAME that parts the speakers and has a validation part, which then trains too.

    Raises:
        ProtocolError: an unknown name; the message lists the known ones.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    prefix, _, count = name.rpartition("-")
    if prefix == "speaker-independent" and count.isdecimal() and int(count) >= 2:
        return _speaker_independent(int(count))
    if name.endswith("-all"):
        base = protocol(name.removesuffix("-all"))
        if not base.allows:
            return without_validation(base)
    for prefix, make in (("zero-shot-90-10-", zero_shot.random_90_10), ("zero-shot-", zero_shot.speakers_apart)):
        if name.startswith(prefix) and len(name) > len(prefix):
            return make(name.removeprefix(prefix))
    raise ProtocolError(
        f"{unknown('protocol', name, PROTOCOLS)} There is also speaker-independent-k for any k of 2 or more, and "
        "zero-shot-c and zero-shot-90-10-c to train on any corpus c. A name that ends in -all trains on the validation speakers "
        "too, if the protocol has them."
    )


def speakers_apart(speakers: int) -> str:
    """Name of the protocol for so many speakers: five folds, or one a speaker below five; two speakers are tested once each."""
    return "leave-one-of-two-out" if speakers == 2 else f"speaker-independent-{max(2, min(5, speakers))}"


def usual(table: "pd.DataFrame") -> str:
    """Name of the protocol for a table, unless a person names one. Unknown speakers leave random splits alone."""
    if not unknown_speakers(table):
        return speakers_apart(table["speaker"].nunique())
    return (
        "random-stratified" if table["emotion"].value_counts().min() >= LEAST_OF_RANDOM_STRATIFIED else "random-80-20"
    )


def _speaker_independent(count):
    def make(table, seed):
        folds = folds_of_speakers(table, _deal_speakers(table, count, seed))
        emotion_of = table.set_index("utterance")["emotion"]
        usable = not untrained_emotions(folds, emotion_of)
        if usable and not absent_emotions(folds, emotion_of):
            return folds
        others = _with_emotions(table, _deal_by_emotions(table, count, seed))
        # The audit refuses training parts without an emotion. Other parts without one are findings.
        return folds if usable and untrained_emotions(others, emotion_of) else others

    return Protocol(f"speaker-independent-{count}", make)


def _deal_speakers(table, count, seed):
    """Speakers in `count` random groups. Women and men are dealt in turn, so that each group has its share of both."""
    speakers = table.drop_duplicates("speaker").sort_values("speaker")
    # With two folds of three speakers, one fold would test two of them and validate with the third.
    needed = max(count, 4 if count == 2 else 3)
    if len(speakers) < needed:
        fewer = [f"speaker-independent-{len(speakers)}"] if 3 <= len(speakers) < count else []
        others = {1: [], 2: ["leave-one-of-two-out"]}.get(len(speakers), [*fewer, "leave-one-speaker-out"])
        raise ProtocolError(
            f"{count} speaker-independent folds need at least {needed} speakers (test, validation and training share "
            f"none), but the table has {len(speakers)}; {_instead(table, seed, others)}."
        )
    rng = np.random.default_rng(seed)
    groups = [[] for _ in range(count)]
    position = 0
    for _, same_gender in speakers.groupby("gender"):
        for speaker in rng.permutation(same_gender["speaker"].to_numpy(dtype=object)):
            groups[position % count].append(speaker)
            position += 1
    return groups


def _instead(table, seed, names):
    """Advice: those of the protocols that pass the audit on this table, or more speakers where none does."""

    def works(name):
        other = protocol(name)
        try:
            audit(other(table, seed), table, allows=other.allows)
        except SertfError:
            return False
        return True

    working = [name for name in names if works(name)]
    return f"use {' or '.join(working)}" if working else "add speakers"


def _deal_by_emotions(table, count, seed):
    """Speakers dealt to `count` groups that have, as far as can be, each its share of every emotion of women and men."""
    from sklearn.model_selection import StratifiedGroupKFold

    kinds = (table["emotion"] + " " + table["gender"], table["emotion"], table["emotion"].str.slice(0, 0))
    # The library refuses kinds of which none has an utterance for each fold.
    kind = next(kind for kind in kinds if kind.value_counts().max() >= count)
    speaker = table["speaker"].to_numpy(dtype=object)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        parts = list(
            StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(
                speaker, kind.to_numpy(dtype=object).astype(str), table["speaker"].astype(str)
            )
        )
    return [sorted(set(speaker[tested])) for _, tested in parts]


def _with_emotions(table, groups):
    """One fold a group, as `folds_of_speakers`, with validation speakers who have the emotions."""
    folds = []
    for i, test in enumerate(groups):
        following = [speaker for step in range(1, len(groups)) for speaker in groups[(i + step) % len(groups)]]
        folds.append(fold_of(table, f"fold-{i + 1}", test=test, validation=validation_by_emotions(table, following)))
    return folds


def _leave_one_speaker_out(table, seed):
    return folds_of_speakers(table, _deal_speakers(table, table["speaker"].nunique(), seed))


def _leave_one_of_two_out(table, seed):
    """Two folds of a corpus of two speakers. Each tests one and trains on the other. There is no validation part."""
    speakers = sorted(set(table["speaker"]))
    if len(speakers) != 2:
        raise ProtocolError(
            f"leave-one-of-two-out is for two speakers, but the table has {len(speakers)}; "
            f"{_instead(table, seed, [speakers_apart(len(speakers))] if len(speakers) > 2 else [])}."
        )
    return [fold_of(table, f"fold-{i + 1}", test=[speaker], validation=[]) for i, speaker in enumerate(speakers)]


def _random_stratified(table, seed):
    """One random 80/10/10 split within each emotion; all parts share speakers."""
    check_smallest(
        table, "random-stratified", LEAST_OF_RANDOM_STRATIFIED, "10 % of each emotion for testing and for validation"
    )
    train, rest = draw(table, 0.2, seed)
    validation, test = draw(table[table["utterance"].isin(set(rest))], 0.5, seed)
    return [Fold("split", train, validation, test)]


def _random_80_20(table, seed):
    """One random 80/20 split within each emotion, without a validation part; both parts share speakers."""
    check_smallest(table, "random-80-20", 5, "20 % of each emotion for testing")
    train, test = draw(table, 0.2, seed)
    return [Fold("split", train, (), test)]


def _random_90_10(table, seed):
    """One random 90/10 split within each emotion, without a validation part; both parts share speakers."""
    check_smallest(table, "random-90-10", 10, "10 % of each emotion for testing")
    train, test = draw(table, 0.1, seed)
    return [Fold("split", train, (), test)]


def _random_80_20_three(table, seed):
    """Three random splits. Each tests another fifth of every emotion; both parts share speakers."""
    from sklearn.model_selection import StratifiedKFold

    check_smallest(table, "random-80-20-three", 5, "20 % of each emotion for testing")
    recordings = table.drop_duplicates("recording")
    names, emotions = (recordings[column].to_numpy(dtype=object) for column in ("recording", "emotion"))
    folds = []
    for _, drawn in list(StratifiedKFold(5, shuffle=True, random_state=seed).split(names, emotions.astype(str)))[:3]:
        inside = table["recording"].isin(set(names[drawn]))
        ids = table["utterance"]
        folds.append(Fold(f"fold-{len(folds) + 1}", tuple(ids[~inside]), (), tuple(ids[inside])))
    return folds


def _pairs_out_three(table, seed):
    """Three folds. Each tests another woman and man, drawn at random; the pair of the next fold validates."""
    rng = np.random.default_rng(seed)
    speakers = table.drop_duplicates("speaker").sort_values("speaker")
    drawn = {}
    for gender in ("female", "male"):
        of_gender = speakers["speaker"][speakers["gender"] == gender].to_numpy(dtype=object)
        if len(of_gender) < 4:
            raise ProtocolError(
                f"pairs-out-three needs 4 speakers of each gender, but the table has {len(of_gender)} {gender} ones; "
                f"{_instead(table, seed, [speakers_apart(len(speakers))])}."
            )
        drawn[gender] = rng.permutation(of_gender)[:3]
    pairs = list(zip(drawn["female"], drawn["male"]))
    return [fold_of(table, f"fold-{i + 1}", test=pairs[i], validation=pairs[(i + 1) % 3]) for i in range(3)]


def _published(name, make):
    """A protocol of a published list, which gives way to another on any other table than its corpus."""

    def checked(table, seed):
        try:
            return make(table)
        except ProtocolError as error:
            speakers = table["speaker"].nunique()
            mend = _instead(table, seed, [speakers_apart(speakers)] if speakers > 1 else [])
            raise ProtocolError(f"{error}; {mend}.") from None

    return Protocol(name, checked)


PROTOCOLS: dict[str, Protocol] = {
    "speaker-independent-4": _speaker_independent(4),
    "speaker-independent-5": _speaker_independent(5),
    "speaker-independent-10": _speaker_independent(10),
    "leave-one-speaker-out": Protocol("leave-one-speaker-out", _leave_one_speaker_out),
    "leave-one-of-two-out": Protocol("leave-one-of-two-out", _leave_one_of_two_out, frozenset({"no validation"})),
    "leave-one-corpus-out": Protocol("leave-one-corpus-out", zero_shot.leave_one_corpus_out),
    "random-stratified": Protocol("random-stratified", _random_stratified, frozenset({"speaker"})),
    "random-80-20": Protocol("random-80-20", _random_80_20, frozenset({"speaker", "no validation"})),
    "random-90-10": Protocol("random-90-10", _random_90_10, frozenset({"speaker", "no validation"})),
    "random-80-20-three": Protocol("random-80-20-three", _random_80_20_three, frozenset({"speaker", "no validation"})),
    "pairs-out-three": Protocol("pairs-out-three", _pairs_out_three),
    **{name: _published(name, make) for name, make in published.LISTS.items()},
    "split-column": Protocol("split-column", columns.split_column, reads_columns=True),
    "fold-column": Protocol("fold-column", columns.fold_column, reads_columns=True),
}
