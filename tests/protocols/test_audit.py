from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.protocols.audit import LeakageError, audit
from sertf.protocols.splits import Fold, protocol
from tests.protocols.test_splits import make_table


@pytest.fixture
def table():
    return make_table(speakers=6)


@pytest.fixture
def folds(table):
    return protocol("speaker-independent-3")(table)


def moved(fold, utterance, *, to):
    parts = {name: [u for u in ids if u != utterance] for name, ids in fold.parts.items()}
    parts[to].append(utterance)
    return Fold(fold.name, *(tuple(parts[name]) for name in ("train", "validation", "test")))


def test_clean_folds(table, folds):
    found = audit(folds, table)
    assert found.verdict == "clean"
    assert found.findings == ("3 of 3 folds train and test on the same sentences",)


def test_speaker_on_both_sides_names_the_speaker(table, folds):
    leaky = moved(folds[0], folds[0].test[0], to="train")
    with pytest.raises(LeakageError, match=r"fold-1: train and test share 1 speakers \(toy-0\d\)"):
        audit([leaky], table)


def test_speakers_shared_by_declaration_are_reported(table, folds):
    leaky = moved(folds[0], folds[0].test[0], to="train")
    found = audit([leaky], table, allows=frozenset({"speaker"}))
    assert found.verdict == "leaks by declaration: speaker"
    assert "train and test share 1 speakers" in found.findings[0]


def test_sentences_of_two_corpora_are_not_the_same_sentence(table, folds):
    other = make_table(speakers=3, corpus="other")
    both = pd.concat([table, other], ignore_index=True)
    fold = Fold("across", tuple(table["utterance"]), (), tuple(other["utterance"]))
    found = audit([fold], both, allows=frozenset({"no validation"}))
    assert not any("sentences" in finding for finding in found.findings)


def test_utterance_in_two_parts(table, folds):
    fold = folds[0]
    twice = Fold(fold.name, (*fold.train, fold.test[0]), fold.validation, fold.test)
    with pytest.raises(LeakageError, match=f"utterance {fold.test[0]} stands in train and in test"):
        audit([twice], table)


def test_utterance_tested_twice(table, folds):
    again = Fold("again", *folds[0].parts.values())
    with pytest.raises(LeakageError, match="again tests utterances that fold-1 tests too"):
        audit([folds[0], again], table)


def test_utterance_outside_the_table(table, folds):
    fold = Fold("odd", (*folds[0].train, "nobody"), folds[0].validation, folds[0].test)
    with pytest.raises(LeakageError, match=r"train names utterances that the table lacks \(nobody\)"):
        audit([fold], table)


def test_duplicate_waveform_on_both_sides(table, folds):
    digests = {u: u for u in table["utterance"]}
    digests[folds[0].test[0]] = digests[folds[0].train[0]]
    twins = f"{folds[0].train[0]} and {folds[0].test[0]}"
    with pytest.raises(LeakageError, match=rf"1 duplicate waveforms \({twins}\); keep one of each in the table"):
        audit([folds[0]], table, audio_digests=digests)


def test_duplicate_waveform_within_a_part_is_no_leak(table, folds):
    digests = {u: u for u in table["utterance"]}
    digests[folds[0].train[1]] = digests[folds[0].train[0]]
    assert audit([folds[0]], table, audio_digests=digests).verdict == "clean"


def test_augmented_parent_on_both_sides(table, folds):
    table = table.assign(parent="")
    table.loc[table["utterance"] == folds[0].train[0], "parent"] = folds[0].test[0]
    with pytest.raises(LeakageError, match="augmented parent"):
        audit([folds[0]], table)


def without(emotion, ids, table):
    kept = set(table["utterance"][table["emotion"] != emotion])
    return tuple(u for u in ids if u in kept)


def test_an_emotion_that_is_never_trained_is_an_error(table, folds):
    poor = replace(folds[0], train=without("anger", folds[0].train, table))
    with pytest.raises(LeakageError, match="fold-1: its train part has no utterance of anger, which 6 speakers have"):
        audit([poor], table)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_emotion_that_another_part_lacks_is_a_finding(table, folds, part):
    poor = replace(folds[0], **{part: without("anger", folds[0].parts[part], table)})
    found = audit([poor], table)
    assert found.verdict == "clean" and f"fold-1: its {part} part has no utterance of anger" in found.findings


def test_an_emotion_of_one_speaker_is_said_once_and_how_to_mend_it(table):
    rare = table[(table["emotion"] != "anger") | (table["speaker"] == table["speaker"].iloc[0])]
    with pytest.raises(LeakageError) as caught:
        audit(protocol("speaker-independent-3")(rare), rare)
    assert str(caught.value).count("anger") == 1
    assert "anger, which 1 speakers have; add utterances of it by other speakers, or leave" in str(caught.value)


def test_leaving_emotions_out_is_no_advice_where_one_is_left(table):
    first = table["speaker"].iloc[0]
    rare = table[(table["emotion"] == "neutral") | ((table["emotion"] == "anger") & (table["speaker"] == first))]
    with pytest.raises(LeakageError, match="by other speakers$"):
        audit(protocol("speaker-independent-3")(rare), rare)


def test_a_missing_validation_part_must_be_declared(table, folds):
    bare = [replace(folds[0], train=folds[0].train + folds[0].validation, validation=())]
    with pytest.raises(
        LeakageError, match="its validation part is empty; hold speakers out, or use the protocol's -all form"
    ):
        audit(bare, table)
    checked = audit(bare, table, allows=frozenset({"no validation"}))
    assert checked.verdict == "clean" and "no validation part" in checked.findings[0]


def test_declared_leaks_enter_the_verdict(table, folds):
    found = audit(folds, table, declared=[("scaling", "scaled on everything"), ("tuning", "tuned on test")])
    assert found.verdict == "leaks by declaration: scaling, tuning"
    assert found.findings[-2:] == ("scaled on everything", "tuned on test")


def test_all_leaks_are_listed_at_once(table, folds):
    leaky = [moved(fold, fold.test[0], to="train") for fold in folds]
    with pytest.raises(LeakageError) as caught:
        audit(leaky, table)
    assert all(fold.name in str(caught.value) for fold in folds)


def test_a_recording_under_two_emotions_is_a_finding(table, folds):
    train = folds[0].train
    emotion_of = dict(zip(table["utterance"], table["emotion"]))
    first, second = train[0], next(u for u in train if emotion_of[u] != emotion_of[train[0]])
    digests = {u: u for u in table["utterance"]} | {second: first}
    found = audit(folds[:1], table, audio_digests=digests)
    names = sorted((first, second), key=list(table["utterance"]).index)
    assert found.verdict == "clean"
    assert f"1 recordings stand under several emotions ({' and '.join(names)})" in found.findings
    assert not any("several emotions" in f for f in audit(folds[:1], table, audio_digests={first: 1}).findings)


def test_a_recording_that_stands_twice_is_a_finding_and_a_copy_is_not(table, folds):
    emotion_of = dict(zip(table["utterance"], table["emotion"]))
    first = folds[0].train[0]
    second = next(u for u in folds[0].train[1:] if emotion_of[u] == emotion_of[first])
    names = sorted((first, second), key=list(table["utterance"]).index)
    sentence = f"1 recordings stand several times ({' and '.join(names)})"
    same = {u: u for u in table["utterance"]} | {second: first}
    assert sentence in audit(folds[:1], table, audio_digests=same).findings
    copies = table.assign(parent=np.where(table["utterance"] == second, first, None))
    assert sentence not in audit(folds[:1], copies, audio_digests=same).findings


def test_every_speaker_left_out_of_a_long_table_is_checked(table):
    """What trains is counted by what does not; a speaker of two folds' parts is still found."""
    folds = protocol("leave-one-speaker-out")(table, 0)
    assert audit(folds, table).verdict == "clean"
    moved = folds[0].test[0]
    leaky = replace(folds[0], train=(*folds[0].train, moved), test=folds[0].test[1:])
    with pytest.raises(LeakageError, match="fold-1: train and test share 1 speakers"):
        audit([leaky, *folds[1:]], table)
    absent = replace(folds[0], train=(*folds[0].train[1:], "unknown"))
    with pytest.raises(LeakageError, match=r"fold-1: train names utterances that the table lacks \(unknown\)"):
        audit([absent, *folds[1:]], table)


def test_overlapping_segments_on_both_sides_are_a_leak(table, folds):
    paths = {folds[0].train[0]: "call.wav#t=0,5", folds[0].test[0]: "call.wav#t=4,9"}
    cut = table.assign(path=[paths.get(name, path) for name, path in zip(table["utterance"], table["path"])])
    with pytest.raises(LeakageError, match="train and test share 1 overlapping segments .* and .*; part their times"):
        audit(folds, cut)
    beside = cut.assign(path=cut["path"].str.replace("t=4,9", "t=5,9"))
    assert audit(folds, beside).verdict == "clean"


def test_unknown_speakers_are_a_declared_leak(table):
    unknown = table.assign(speaker="toy-unknown")
    found = audit(protocol("random-80-20")(unknown), unknown, allows=protocol("random-80-20").allows)
    assert found.verdict == "leaks by declaration: speakers unknown"
    assert "The speakers are unknown. Training and test may share them" in found.findings[0]
    assert not any("toy-unknown" in finding for finding in found.findings)
