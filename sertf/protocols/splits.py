"""Evaluation protocols: from an utterance table to folds, by name.

A protocol is deterministic in the table and the seed, and declares what its parts may share: `allows` holds "speaker"
where speakers stand on both sides, "absent emotion" where a test or validation part may lack one, "no validation" where
nothing is held out to choose by. `sertf.protocols.audit` raises on everything that is not declared.
"""

import numpy as np

from sertf.errors import unknown
from sertf.protocols import zero_shot
from sertf.protocols.folds import Fold, Protocol, ProtocolError, check_smallest, draw, fold_of, validation_speakers


def protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    "speaker-independent-k" exists for every k of 2 or more, "zero-shot-c" and "zero-shot-90-10-c" for every corpus c.

    Raises:
        ProtocolError: an unknown name; the message lists the known ones.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    prefix, _, count = name.rpartition("-")
    if prefix == "speaker-independent" and count.isdecimal() and int(count) >= 2:
        return _speaker_independent(int(count))
    for prefix, make in (("zero-shot-90-10-", zero_shot.random_90_10), ("zero-shot-", zero_shot.speakers_apart)):
        if name.startswith(prefix) and len(name) > len(prefix):
            return make(name.removeprefix(prefix))
    raise ProtocolError(
        f"{unknown('protocol', name, PROTOCOLS)} There is also speaker-independent-k for any k of 2 or more, and "
        "zero-shot-c and zero-shot-90-10-c for any corpus c that shall be trained on."
    )


def speakers_apart(speakers: int) -> str:
    """Name of the protocol for so many speakers: five folds, as many as speakers of fewer; of two, each is tested once."""
    return "leave-one-of-two-out" if speakers == 2 else f"speaker-independent-{max(2, min(5, speakers))}"


def _speaker_independent(count):
    def make(table, seed):
        return _folds_of_speakers(table, _deal_speakers(table, count, seed))

    return Protocol(f"speaker-independent-{count}", make)


def _deal_speakers(table, count, seed):
    """Speakers dealt to `count` groups at random, women and men in turn so that each group has its share of both."""
    speakers = table.drop_duplicates("speaker").sort_values("speaker")
    # Two folds of three speakers would leave a fold that tests two of them and validates with the third.
    needed = max(count, 4 if count == 2 else 3)
    if len(speakers) < needed:
        fewer = f"ask for {len(speakers)} folds or fewer, or " if len(speakers) > 3 else ""
        instead = {1: "add speakers", 2: "use leave-one-of-two-out"}.get(len(speakers), "use leave-one-speaker-out")
        raise ProtocolError(
            f"{count} speaker-independent folds need at least {needed} speakers (test, validation and training share "
            f"none), but the table has {len(speakers)}; {fewer}{instead}."
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


def _leave_one_of_two_out(table, seed):
    """Two folds of a corpus of two speakers, each tests one and trains on the other; nobody is left to validate."""
    speakers = sorted(set(table["speaker"]))
    if len(speakers) != 2:
        raise ProtocolError(
            f"leave-one-of-two-out is for two speakers, but the table has {len(speakers)}; use speaker-independent-k or "
            "leave-one-speaker-out, which hold speakers out for validation too."
        )
    return [fold_of(table, f"fold-{i + 1}", test=[speaker], validation=[]) for i, speaker in enumerate(speakers)]


def _folds_of_speakers(table, groups):
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


def _random_stratified(table, seed):
    """One split, 80/10/10 at random within each emotion; speakers stand in every part."""
    check_smallest(table, "random-stratified", 10, "10 % of each emotion for testing and for validation")
    train, rest = draw(table, 0.2, seed)
    validation, test = draw(table[table["utterance"].isin(set(rest))], 0.5, seed)
    return [Fold("split", train, validation, test)]


def _random_80_20(table, seed):
    """One split, 80/20 at random within each emotion, nothing held out to choose by; speakers stand in both parts."""
    check_smallest(table, "random-80-20", 5, "20 % of each emotion for testing")
    train, test = draw(table, 0.2, seed)
    return [Fold("split", train, (), test)]


def _random_90_10(table, seed):
    """One split, 90/10 at random within each emotion, nothing held out to choose by; speakers stand in both parts."""
    check_smallest(table, "random-90-10", 10, "10 % of each emotion for testing")
    train, test = draw(table, 0.1, seed)
    return [Fold("split", train, (), test)]


def _random_80_20_three(table, seed):
    """Three splits whose test parts are each another fifth of every emotion, at random; speakers stand in both parts."""
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
    return [fold_of(table, f"fold-{i + 1}", test=pairs[i], validation=pairs[(i + 1) % 3]) for i in range(3)]


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
            f"{len(found & expected)} of them and {len(found - expected)} others; use speaker-independent-k instead, for any "
            "k up to the number of speakers."
        )
    return [
        fold_of(
            table,
            f"fold-{i + 1}",
            test=[f"ravdess-{actor:02d}" for actor in test],
            validation=[f"ravdess-{actor:02d}" for actor in validation],
        )
        for i, (test, validation) in enumerate(_RESLSTM_SA_FOLDS)
    ]


PROTOCOLS: dict[str, Protocol] = {
    "speaker-independent-4": _speaker_independent(4),
    "speaker-independent-5": _speaker_independent(5),
    "speaker-independent-10": _speaker_independent(10),
    "leave-one-speaker-out": Protocol("leave-one-speaker-out", _leave_one_speaker_out, frozenset({"absent emotion"})),
    "leave-one-of-two-out": Protocol("leave-one-of-two-out", _leave_one_of_two_out, frozenset({"no validation"})),
    "random-stratified": Protocol("random-stratified", _random_stratified, frozenset({"speaker"})),
    "random-80-20": Protocol("random-80-20", _random_80_20, frozenset({"speaker", "no validation"})),
    "random-90-10": Protocol("random-90-10", _random_90_10, frozenset({"speaker", "no validation"})),
    "random-80-20-three": Protocol("random-80-20-three", _random_80_20_three, frozenset({"speaker", "no validation"})),
    "pairs-out-three": Protocol("pairs-out-three", _pairs_out_three, frozenset({"absent emotion"})),
    "reslstm-sa": Protocol("reslstm-sa", _reslstm_sa),
}
