import pandas
import pytest

from sertf.corpora import utterances
from sertf.corpora.utterances import COLUMNS, EMOTIONS, TableError
from sertf.errors import SertfError


def make_table(**changes):
    columns = {
        "take": [1, 2, 1],
        "utterance": ["x-1", "x-2", "x-3"],
        "path": ["a.wav", "b.wav", "c.wav"],
        "corpus": ["x", "x", "x"],
        "emotion": ["sadness", "neutral", "sadness"],
        "speaker": ["x-01", "x-01", "x-02"],
        "gender": ["female", "female", ""],
        "language": ["en", "en", ""],
        "sentence": ["", "s1", ""],
    }
    return pandas.DataFrame({**columns, **changes})


def test_validate_orders_columns_and_keeps_attrs():
    table = make_table()
    table.index = [7, 8, 9]
    table.attrs["skipped"] = [("d.wav", "silent")]
    checked = utterances.validate(table)
    assert list(checked.columns) == [*COLUMNS, "take"]
    assert list(checked.index) == [0, 1, 2]
    assert checked.attrs == {"skipped": [("d.wav", "silent")]}
    assert checked["take"].tolist() == [1, 2, 1]


def test_missing_columns_are_all_named():
    with pytest.raises(TableError, match="lacks the columns emotion, sentence"):
        utterances.validate(make_table().drop(columns=["emotion", "sentence"]))


def test_empty_table():
    with pytest.raises(TableError, match="no rows"):
        utterances.validate(make_table().iloc[:0])


def test_all_faults_are_listed_at_once():
    table = make_table(
        utterance=["x-1", "x-1", "x-3"], emotion=["verdict", "neutral", "a|b"], speaker=["x-01", "x-01", " "]
    )
    table["gender"] = ["female", "male", "other"]
    with pytest.raises(TableError) as caught:
        utterances.validate(table)
    message = str(caught.value)
    assert isinstance(caught.value, SertfError)
    assert "6 faults" in message
    for part in (
        "rows 0, 1: utterance 'x-1' comes 2 times",
        "row 0: emotion 'verdict': it is the name of another column or verdict; rename it",
        "row 2: emotion 'a|b': it holds |",
        "row 2: gender 'other' is unknown",
        "row 2: speaker is empty",
        "speaker 'x-01' has several genders: 'female', 'male'",
    ):
        assert part in message


@pytest.mark.parametrize("value", [None, float("nan"), 3])
def test_only_texts(value):
    with pytest.raises(TableError, match="row 1: sentence is"):
        utterances.validate(make_table(sentence=["", value, ""]))


def test_emotions_of_is_in_canonical_order():
    assert utterances.emotions_of(make_table()) == ["neutral", "sadness"]
    assert len(EMOTIONS) == len(set(EMOTIONS)) == 11


def test_labels_of_ones_own_follow_the_emotions_numbers_by_value():
    table = make_table(emotion=["10", "sadness", "2"])
    assert utterances.emotions_of(table) == ["sadness", "2", "10"]
    assert utterances.emotions_of(make_table(emotion=["Wut", "Ärger", "neutral"])) == ["neutral", "Wut", "Ärger"]
    assert utterances.validate(table)["emotion"].tolist() == ["10", "sadness", "2"]


def test_no_label_may_be_a_column_or_verdict_of_predictions():
    from sertf.evaluation.scores import FACT_COLUMNS
    from sertf.inference import recognizer, verdicts

    assert {*FACT_COLUMNS, *recognizer.COLUMNS} <= utterances.RESERVED
    assert {verdicts.SILENCE, verdicts.NO_SPEECH, verdicts.UNCERTAIN} <= utterances.RESERVED
    assert not utterances.RESERVED & set(EMOTIONS)


def test_merged_emotions():
    table = make_table(emotion=["calm", "neutral", "sadness"])
    table.attrs["skipped"] = [("d.wav", "silent")]
    found = utterances.merged(table, {"calm": "neutral"})
    assert found["emotion"].tolist() == ["neutral", "neutral", "sadness"]
    assert found.attrs == table.attrs and table["emotion"].tolist() == ["calm", "neutral", "sadness"]
    assert utterances.merged(table, {})["emotion"].tolist() == table["emotion"].tolist()


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ({"clam": "neutral"}, "merged names the emotion 'clam', which is unknown; known are neutral, calm"),
        ({"calm": "none"}, "merged names the emotion 'none', which is unknown"),
        ({"calm": "neutral", "neutral": "boredom"}, "merged counts calm as neutral, and neutral as boredom"),
    ],
)
def test_emotions_that_cannot_be_merged(merges, message):
    with pytest.raises(TableError, match=message):
        utterances.merged(make_table(), merges)


def test_digest():
    digest = utterances.digest(make_table())
    assert digest == utterances.digest(make_table(path=["else/a.flac", "b", "c"]).iloc[::-1])
    assert digest != utterances.digest(make_table(emotion=["sadness", "neutral", "neutral"]))
    assert digest != utterances.digest(make_table(speaker=["x-01", "x-02", "x-02"]))
    assert digest != utterances.digest(make_table().iloc[:2])
    assert len(digest) == 32
