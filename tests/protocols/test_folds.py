"""Folds, and the pieces that protocols are made of."""

import pytest

from sertf.protocols.folds import (
    Fold,
    Protocol,
    ProtocolError,
    check_smallest,
    draw,
    fold_of,
    validation_speakers,
)
from sertf.protocols.splits import protocol
from tests.protocols.test_splits import make_table, speakers_of

FOLD = Fold("fold-1", ("a", "b"), ("c",), ("d",))
PARENTS = {"a~1": "a", "a~2": "a", "c~1": "c", "d~1": "d"}


def recordings(**options):
    table = make_table(**options)
    return table.assign(recording=table["utterance"])


def test_copies_join_their_originals_in_training_alone():
    fold = FOLD.with_copies(PARENTS)
    assert fold.parts == {"train": ("a", "b", "a~1", "a~2"), "validation": ("c",), "test": ("d",)}
    assert fold.name == "fold-1" and FOLD.train == ("a", "b")


def test_copies_alone_leave_the_originals_out():
    fold = FOLD.with_copies(PARENTS).with_copies_alone(PARENTS)
    assert fold.parts == {"train": ("a~1", "a~2"), "validation": ("c",), "test": ("d",)}


def test_empty_table():
    with pytest.raises(ProtocolError, match="empty"):
        protocol("speaker-independent-5")(make_table(speakers=0, per_emotion=0).reindex(columns=make_table().columns))


def test_a_protocol_cuts_sorted_rows_that_bear_their_recordings():
    seen = []
    table = make_table(speakers=2, per_emotion=1)
    first, second = sorted(table["utterance"])[:2]
    made = Protocol("mine", lambda rows, seed: seen.append((rows, seed)) or [])
    made(table.sample(frac=1, random_state=0), 7, audio_digests={first: "same", second: "same"})
    ((rows, seed),) = seen
    assert list(rows["utterance"]) == sorted(table["utterance"]) and seed == 7
    assert list(rows["recording"]) == ["same", "same", *sorted(table["utterance"])[2:]]
    assert "recording" not in table


def test_the_fold_of_speakers_trains_on_all_others():
    table = make_table(speakers=4)
    fold = fold_of(table, "mine", test=["toy-01"], validation=["toy-02"])
    assert [speakers_of(table, ids) for ids in fold.parts.values()] == [{"toy-03", "toy-04"}, {"toy-02"}, {"toy-01"}]
    assert sum(len(ids) for ids in fold.parts.values()) == len(table)


@pytest.mark.parametrize(("speakers", "expected"), [(4, 1), (7, 1), (8, 2), (24, 2), (30, 3), (100, 10)])
def test_a_tenth_of_the_speakers_validates_and_two_from_eight_on(speakers, expected):
    gender = {f"s{i:03d}": "female" if i < speakers / 2 else "male" for i in range(speakers)}
    chosen = validation_speakers(list(gender), gender)
    assert len(chosen) == len(set(chosen)) == expected
    genders = [gender[speaker] for speaker in chosen]
    assert all(one != other for one, other in zip(genders, genders[1:]))


def test_one_gender_left_still_validates():
    gender = dict.fromkeys("abcdefgh", "female")
    assert validation_speakers(["c", "a", "b"], gender) == ["c", "a"]


def test_equal_recordings_count_once_towards_what_a_split_needs():
    table = recordings(speakers=4, per_emotion=1)
    check_smallest(table, "mine", 4, "each emotion in each part")
    angry = table["emotion"] == "anger"
    table.loc[angry, "recording"] = "one"
    with pytest.raises(ProtocolError, match="mine keeps each emotion .* needs 4 recordings of each, but 'anger' has 1"):
        check_smallest(table, "mine", 4, "each emotion in each part")


def test_a_draw_takes_its_share_of_each_emotion_and_depends_on_the_seed():
    table = recordings(speakers=10, per_emotion=2)
    larger, smaller = draw(table, 0.2, seed=1)
    assert set(larger) | set(smaller) == set(table["utterance"]) and not set(larger) & set(smaller)
    emotion = table.set_index("utterance")["emotion"]
    assert emotion[list(smaller)].value_counts().to_dict() == {"neutral": 4, "anger": 4, "sadness": 4}
    assert draw(table, 0.2, seed=1) == (larger, smaller) != draw(table, 0.2, seed=2)


def test_a_draw_keeps_equal_recordings_together():
    table = recordings(speakers=10, per_emotion=2)
    table["recording"] = table["utterance"].str[:-2]
    _, smaller = draw(table, 0.2, seed=1)
    drawn = table[table["utterance"].isin(smaller)]
    assert (drawn["recording"].value_counts() == 2).all()


def test_overlapping_segments_are_one_recording():
    seen = []
    table = make_table(speakers=2, per_emotion=1)
    names = sorted(table["utterance"])
    paths = {names[0]: "call.wav#t=0,5", names[1]: "call.wav#t=4,9", names[2]: "call.wav#t=9,12"}
    table = table.assign(path=table["utterance"].map(lambda name: paths.get(name, f"{name}.wav")))
    Protocol("mine", lambda rows, seed: seen.append(rows) or [])(table)
    recordings = list(seen[0]["recording"])
    assert recordings[0] == recordings[1] and len(set(recordings)) == len(recordings) - 1


def test_unknown_speakers_leave_random_splits_and_columns():
    table = make_table(speakers=4, per_emotion=5).assign(speaker="toy-unknown", split="train")
    with pytest.raises(ProtocolError, match="parts the speakers, but they are unknown; .* random-stratified"):
        protocol("speaker-independent-4")(table)
    with pytest.raises(ProtocolError, match="parts the speakers"):
        protocol("luna-jimenez-5")(table)
    assert protocol("random-80-20")(table)
    table.loc[::3, "split"] = "test"
    assert protocol("split-column")(table)[0].test
