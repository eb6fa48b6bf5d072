import numpy as np
import pandas as pd
import pytest

from sertf.protocols.audit import audit
from sertf.protocols.published import LISTS
from sertf.protocols.splits import PROTOCOLS, ProtocolError, protocol, speakers_apart

OF_OTHER_TABLES = {*LISTS, "leave-one-of-two-out", "leave-one-corpus-out", "split-column", "fold-column"}


def make_table(speakers=10, per_emotion=2, emotions=("neutral", "anger", "sadness"), corpus="toy"):
    rows = [
        {
            "utterance": f"{corpus}-{s:02d}-{emotion}-{i}",
            "path": "x.wav",
            "corpus": corpus,
            "emotion": emotion,
            "speaker": f"{corpus}-{s:02d}",
            "gender": "female" if s % 2 == 0 else "male",
            "language": "en",
            "sentence": str(i),
        }
        for s in range(1, speakers + 1)
        for emotion in emotions
        for i in range(per_emotion)
    ]
    return pd.DataFrame(rows)


def speakers_of(table, ids):
    return set(table.set_index("utterance").loc[list(ids), "speaker"])


@pytest.mark.parametrize("name", sorted(set(PROTOCOLS) - OF_OTHER_TABLES))
def test_parts_are_disjoint_and_tests_cover_what_they_should(name):
    table = make_table(speakers=10, per_emotion=4)
    folds = PROTOCOLS[name](table, seed=1)
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert not set(fold.train) & set(fold.validation)
        assert not set(fold.validation) & set(fold.test)
        assert set(fold.train) | set(fold.validation) | set(fold.test) == set(table["utterance"])
    tested = [u for fold in folds for u in fold.test]
    assert len(tested) == len(set(tested))
    if "random" not in name and "three" not in name:
        assert set(tested) == set(table["utterance"])


@pytest.mark.parametrize(
    "name", ["speaker-independent-5", "leave-one-speaker-out", "speaker-independent-3", "pairs-out-three"]
)
def test_no_speaker_on_two_sides(name):
    table = make_table()
    for fold in protocol(name)(table, seed=0):
        train, validation, test = (speakers_of(table, part) for part in (fold.train, fold.validation, fold.test))
        assert not (train & test or train & validation or validation & test)
        assert len(validation) == 2  # a woman and a man
        assert {int(s[-2:]) % 2 for s in validation} == {0, 1}


def test_folds_hold_women_and_men():
    table = make_table(speakers=10)
    for fold in protocol("speaker-independent-5")(table, seed=4):
        assert {int(s[-2:]) % 2 for s in speakers_of(table, fold.test)} == {0, 1}


def test_same_seed_same_folds_whatever_the_row_order():
    table = make_table()
    shuffled = table.sample(frac=1, random_state=3)
    for name in ("speaker-independent-5", "random-stratified", "random-80-20", "random-90-10"):
        assert protocol(name)(table, seed=7) == protocol(name)(shuffled, seed=7)
        assert protocol(name)(table, seed=7) != protocol(name)(table, seed=8)


def test_random_80_20_holds_out_a_fifth_of_each_emotion_and_nothing_to_choose_by():
    table = make_table(speakers=10, per_emotion=4)
    (fold,) = protocol("random-80-20")(table)
    assert fold.validation == ()
    assert table.set_index("utterance").loc[list(fold.test), "emotion"].value_counts().to_dict() == {
        "neutral": 8,
        "anger": 8,
        "sadness": 8,
    }


def test_three_random_folds_test_a_fifth_of_each_emotion_and_never_twice():
    table = make_table(per_emotion=5)
    folds = protocol("random-80-20-three")(table, seed=2)
    assert [fold.name for fold in folds] == ["fold-1", "fold-2", "fold-3"]
    emotion = table.set_index("utterance")["emotion"]
    for fold in folds:
        assert emotion[list(fold.test)].value_counts().tolist() == [10, 10, 10] and fold.validation == ()
    assert audit(folds, table, allows=protocol("random-80-20-three").allows).verdict == "leaks by declaration: speaker"


def test_three_pairs_of_a_woman_and_a_man():
    table = make_table()
    gender = dict(zip(table["speaker"], table["gender"]))
    folds = protocol("pairs-out-three")(table, seed=3)
    for fold in folds:
        for part in (fold.test, fold.validation):
            assert sorted(gender[s] for s in speakers_of(table, part)) == ["female", "male"]
    assert audit(folds, table).verdict == "clean"
    with pytest.raises(ProtocolError, match="needs 4 speakers of each gender, but the table has 0 male ones"):
        protocol("pairs-out-three")(table[table["gender"] == "female"], seed=3)


def test_random_90_10_holds_out_a_tenth_of_each_emotion():
    table = make_table(speakers=10, per_emotion=4)
    (fold,) = protocol("random-90-10")(table)
    assert fold.validation == () and len(fold.train) == 108
    tested = table.set_index("utterance").loc[list(fold.test), "emotion"]
    assert tested.value_counts().to_dict() == {"neutral": 4, "anger": 4, "sadness": 4}


@pytest.mark.parametrize("name", ["random-stratified", "random-80-20", "random-90-10"])
def test_duplicate_recordings_stay_in_one_part(name):
    table = make_table(speakers=10, per_emotion=10)
    # Every second utterance is the same recording as the one before it.
    digests = {u: f"recording {i // 2}" for i, u in enumerate(sorted(table["utterance"]))}
    (fold,) = protocol(name)(table, seed=3, audio_digests=digests)
    parts = [{digests[u] for u in ids} for ids in fold.parts.values()]
    assert sum(map(len, parts)) == len(set(digests.values()))
    assert sum(map(len, fold.parts.values())) == len(table)


@pytest.mark.parametrize(("name", "needed"), [("random-stratified", 10), ("random-80-20", 5), ("random-90-10", 10)])
def test_random_splits_name_the_emotion_that_is_too_small(name, needed):
    table = make_table(speakers=10, per_emotion=4)
    table = table[(table["emotion"] != "anger") | table["speaker"].isin(["toy-01"])]
    with pytest.raises(ProtocolError, match=f"needs {needed} recordings of each, but 'anger' has 4"):
        protocol(name)(table)


def test_random_stratified_is_80_10_10_within_each_emotion():
    table = make_table(speakers=10, per_emotion=4)
    (fold,) = protocol("random-stratified")(table)
    emotion = table.set_index("utterance")["emotion"]
    assert emotion[list(fold.test)].value_counts().to_dict() == {"neutral": 4, "anger": 4, "sadness": 4}
    assert emotion[list(fold.validation)].value_counts().to_dict() == {"neutral": 4, "anger": 4, "sadness": 4}


def test_too_few_speakers():
    with pytest.raises(ProtocolError, match="at least 5 speakers.*has 4"):
        protocol("speaker-independent-5")(make_table(speakers=4))


@pytest.mark.parametrize("count", range(2, 12))
def test_enough_speakers_give_folds_that_pass_the_audit(count):
    """From the number on that the refusal names."""
    needed = 4 if count == 2 else count
    for speakers in range(needed, 25):
        table = make_table(speakers=speakers)
        folds = protocol(f"speaker-independent-{count}")(table)
        assert len(folds) == count and audit(folds, table).verdict == "clean"
    with pytest.raises(ProtocolError, match=f"need at least {max(needed, 3)} speakers.*has {needed - 1}; "):
        protocol(f"speaker-independent-{count}")(make_table(speakers=needed - 1))


def test_the_way_out_of_too_few_speakers():
    for name, speakers, way_out in (
        ("speaker-independent-2", 3, "has 3; use leave-one-speaker-out"),
        ("speaker-independent-5", 4, "has 4; use speaker-independent-4 or leave-one-speaker-out"),
        ("speaker-independent-5", 2, "has 2; use leave-one-of-two-out"),
        ("leave-one-speaker-out", 1, "has 1; add speakers"),
    ):
        with pytest.raises(ProtocolError, match=rf"{way_out}\.$"):
            protocol(name)(make_table(speakers=speakers))
    table = make_table(speakers=3)
    cut = protocol("leave-one-speaker-out")
    assert audit(cut(table), table, allows=cut.allows).verdict == "clean"


def test_too_few_utterances_to_stratify():
    with pytest.raises(ProtocolError, match="needs 10 recordings"):
        protocol("random-stratified")(make_table(speakers=3))


def test_unknown_protocol_lists_the_known():
    with pytest.raises(ProtocolError, match="Unknown protocol 'random-80-20-all'"):
        protocol("random-80-20-all")
    for name in ("speaker-independent-1", "speaker-independent-\u00b2"):
        with pytest.raises(ProtocolError, match="Unknown protocol"):
            protocol(name)
    with pytest.raises(ProtocolError, match="Unknown protocol 'speaker-dependent'.*leave-one-speaker-out"):
        protocol("speaker-dependent")


def test_two_speakers_are_each_tested_by_a_model_of_the_other():
    table = make_table(speakers=2)
    folds = protocol("leave-one-of-two-out")(table, seed=3)
    sides = [(speakers_of(table, fold.train), fold.validation, speakers_of(table, fold.test)) for fold in folds]
    assert sides == [({"toy-02"}, (), {"toy-01"}), ({"toy-01"}, (), {"toy-02"})]
    assert audit(folds, table, allows=protocol("leave-one-of-two-out").allows).verdict == "clean"
    with pytest.raises(ProtocolError, match="leave-one-of-two-out is for two speakers, but the table has 3"):
        protocol("leave-one-of-two-out")(make_table(speakers=3))
    with pytest.raises(ProtocolError, match="the table has 2; use leave-one-of-two-out"):
        protocol("leave-one-speaker-out")(table)


@pytest.mark.parametrize(
    ("speakers", "folds"), [(2, "leave-one-of-two-out"), (3, "speaker-independent-3"), (24, "speaker-independent-5")]
)
def test_speakers_apart_in_as_many_folds_as_the_speakers_allow(speakers, folds):
    assert speakers_apart(speakers) == folds
    table = make_table(speakers=speakers, per_emotion=4)
    cut = protocol(folds)
    assert set().union(*(speakers_of(table, fold.test) for fold in cut(table, seed=0))) == set(table["speaker"])


def test_one_speaker_cannot_be_apart():
    with pytest.raises(ProtocolError, match="add speakers"):
        protocol(speakers_apart(1))(make_table(speakers=1), seed=0)


def scarce_table(seed=0, clips=140, speakers=29):
    """As real corpora of few clips a speaker are: nobody speaks all emotions, and some speak twice as much."""
    rng = np.random.default_rng(seed)
    who = [*range(1, speakers + 1), *rng.integers(1, speakers + 1, clips - speakers)]
    table = make_table(speakers=speakers, emotions=("neutral", "anger", "sadness", "fear"))
    emotions = rng.permutation(np.repeat(["neutral", "anger", "sadness", "fear"], [60, 40, 30, 10])[:clips])
    rows = [
        table[(table["speaker"] == f"toy-{s:02d}") & (table["emotion"] == e)].iloc[0] for s, e in zip(who, emotions)
    ]
    return pd.DataFrame(rows).reset_index(drop=True).assign(utterance=[f"clip-{i:03d}" for i in range(clips)])


@pytest.mark.parametrize("seed", range(5))
def test_few_clips_of_many_speakers_are_parted_by_emotion(seed):
    table = scarce_table(seed)
    cut = protocol("speaker-independent-5")
    folds = cut(table, seed=seed)
    emotion = table.set_index("utterance")["emotion"]
    assert audit(folds, table, allows=cut.allows).verdict == "clean"
    assert sorted(u for fold in folds for u in fold.test) == sorted(table["utterance"])
    for fold in folds:
        assert set(emotion[list(fold.train)]) == set(emotion[list(fold.test)]) == set(emotion)
        assert 20 <= len(fold.test) <= 36 and len(fold.validation) >= 8 and len(fold.train) > 70
        sides = [speakers_of(table, ids) for ids in fold.parts.values()]
        assert len(set().union(*sides)) == sum(map(len, sides))


def test_an_emotion_of_two_speakers_is_trained_in_every_fold():
    table = make_table(speakers=8)
    table = table[(table["emotion"] != "anger") | table["speaker"].isin(["toy-01", "toy-02"])]
    for seed in range(10):
        found = audit(protocol("speaker-independent-4")(table, seed=seed), table)
        assert any("part has no utterance of anger" in finding for finding in found.findings)


def test_all_forms_test_the_same_and_train_everybody_else():
    table = make_table()
    cut, everybody = protocol("speaker-independent-5"), protocol("speaker-independent-5-all")
    assert everybody.name == "speaker-independent-5-all"
    for fold, other in zip(cut(table, seed=3), everybody(table, seed=3), strict=True):
        assert (other.name, other.test, other.validation) == (fold.name, fold.test, ())
        assert set(other.train) == set(table["utterance"]) - set(fold.test)
    assert audit(everybody(table), table, allows=everybody.allows).verdict == "clean"


def test_leave_one_corpus_out_trains_on_all_others():
    both = pd.concat([make_table(corpus=name) for name in ("a", "b", "c")], ignore_index=True)
    cut = protocol("leave-one-corpus-out")
    folds = cut(both, seed=1)
    corpus = dict(zip(both["utterance"], both["corpus"]))
    assert [fold.name for fold in folds] == ["a", "b", "c"]
    for fold in folds:
        assert {corpus[u] for u in fold.test} == {fold.name} and len(fold.test) == 60
        assert {corpus[u] for u in (*fold.train, *fold.validation)} == {"a", "b", "c"} - {fold.name}
    assert audit(folds, both, allows=cut.allows).verdict == "clean"
    with pytest.raises(ProtocolError, match="needs a table of a and another corpus, but it holds a"):
        cut(make_table(corpus="a"))
    with pytest.raises(ProtocolError, match="beside b the table has one alone; add speakers"):
        cut(pd.concat([make_table(speakers=1, corpus="a"), make_table(corpus="b")]))


def test_advice_names_only_what_works_on_the_table():
    table = make_table(speakers=4)
    alone = table[(table["emotion"] != "anger") | (table["speaker"] == "toy-01")]
    with pytest.raises(ProtocolError, match="has 4; add speakers"):  # nobody else is left to learn anger from
        protocol("speaker-independent-5")(alone)


def test_the_plain_deal_stays_where_the_other_leaves_training_without_an_emotion():
    """The deal by emotions would train fold-2 on s3 alone, who is never sad."""
    emotions = ("anger", "fear", "neutral", "sadness")
    table = pd.concat(
        make_table(speakers=1, per_emotion=count, emotions=(emotion,)).assign(
            utterance=lambda rows, speaker=speaker: speaker + rows["utterance"], speaker=speaker, gender=gender
        )
        for speaker, gender, *counts in (
            ("s0", "male", 10, 0, 28, 26),
            ("s1", "male", 10, 10, 6, 2),
            ("s2", "female", 0, 1, 0, 1),
            ("s3", "male", 7, 9, 7, 0),
            ("s4", "male", 2, 2, 0, 2),
        )
        for emotion, count in zip(emotions, counts)
        if count
    )
    assert audit(protocol("speaker-independent-2")(table, seed=0), table).verdict == "clean"


def test_the_usual_protocol_fits_the_speakers():
    from sertf.protocols.splits import usual

    assert usual(make_table(speakers=2)) == "leave-one-of-two-out"
    assert usual(make_table(speakers=9)) == "speaker-independent-5"
    unknown = make_table(speakers=6, per_emotion=2).assign(speaker="toy-unknown")
    assert usual(unknown) == "random-stratified"
    assert usual(unknown[unknown["utterance"].str.endswith("-0")]) == "random-80-20"
