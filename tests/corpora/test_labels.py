import warnings

import pytest

from sertf import corpora
from sertf.corpora import CorpusError, CorpusWarning
from sertf.corpora.labels import Labels, read_mapping, relabelled
from sertf.corpora.utterances import EMOTIONS
from tests.corpora import trees

GERMAN = ("Wut", "Freude", "Überraschung")


def load(folder, labels, mapping=None, **options):
    """The table of a CSV with one row a label."""
    names = [f"{place}.wav" for place in range(len(labels))]
    trees.touch(folder, names)
    rows = "".join(f"{name},{label},01\n" for name, label in zip(names, labels))
    (folder / "mine.csv").write_text(f"path,emotion,speaker\n{rows}", encoding="utf-8")
    return corpora.load_table(folder / "mine.csv", labels=mapping, **options)


def of(*written, mapping=None):
    labels = Labels(written, mapping)
    return [labels.of(label) for label in written]


def test_forms_and_codes_in_use_are_known_in_any_case():
    assert of("joy", "Hap", "HAPPY") == ["happiness"] * 3
    assert of("ang", "neu", "sur", "exc", "fru", "fea", "dis", "bor", "sad") == [
        "anger",
        "neutral",
        "surprise",
        "excitement",
        "frustration",
        "fear",
        "disgust",
        "boredom",
        "sadness",
    ]
    assert of(*EMOTIONS) == list(EMOTIONS)


def test_letters_of_emodb_are_known_where_they_stand_together():
    assert of("W", "A", "F", "N") == ["anger", "fear", "happiness", "neutral"]
    assert of("W", "L") == ["W", "L"]  # as well won and lost
    assert of("A", "F", "N", "E") == ["A", "F", "N", "E"]  # without EmoDB's anger they may be anyone's
    assert of("W", "A", "F", "N", "S") == ["W", "A", "F", "N", "S"]


def test_any_other_label_stays_as_it_is(tmp_path):
    assert load(tmp_path, GERMAN)["emotion"].tolist() == list(GERMAN)
    assert load(tmp_path, ("0", "1", "愤怒", "not so sure"))["emotion"].tolist() == ["0", "1", "愤怒", "not so sure"]


def test_a_mapping_renames_merges_and_leaves_out(tmp_path):
    mapping = {"happy": "positive", "Joy": "positive", "xxx": ""}
    table = load(tmp_path, ("happy", "joy", "anger", "xxx", "neutral"), {**mapping, "anger": "negative"})
    assert table["emotion"].tolist() == ["positive", "positive", "negative", "neutral"]
    assert table.attrs["left_out"] == {"label 'xxx' is mapped to nothing": 1}
    # Keys may be canonical, and values are kept as they are.
    assert of("happy", "HAP", mapping={"happiness": "joy"}) == ["joy", "joy"]


def test_a_mapping_that_fits_no_row_warns(tmp_path):
    with pytest.warns(CorpusWarning, match="The mapping names 'furious', which no row has; the labels are Wut, Freude"):
        load(tmp_path, GERMAN, {"furious": "anger"})


def test_a_label_like_a_known_one_warns_beside_known_ones_alone(tmp_path):
    with pytest.warns(CorpusWarning, match="the label 'hapiness' is no known form of an emotion .* 'happiness' is one"):
        load(tmp_path, ("hapiness", "sad"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path, GERMAN)
        load(tmp_path, ("stressed", "neutral"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("Wut", "wut"), "labels 'Wut' and 'wut' differ only in case, white space or invisible characters"),
        (("fold", "Wut"), "line 2: emotion 'fold': it is the name of another column or verdict; rename it"),
        (("silence", "Wut"), "line 2: emotion 'silence'"),
        (("a|b", "Wut"), "it holds | or a mark that cannot be printed"),
        (("", "Wut"), "line 2: emotion is empty"),
        (("xxx", "ang"), "xxx is IEMOCAP's code for no agreement"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path, labels, message):
    with pytest.raises(CorpusError) as caught:
        load(tmp_path, labels)
    assert message in str(caught.value)


@pytest.mark.parametrize("mapping", [{"Wut": "verdict"}, {"Wut": " wild "}])
def test_a_mapping_to_a_label_that_cannot_be_used(tmp_path, mapping):
    with pytest.raises(CorpusError, match="The mapping gives the label"):
        load(tmp_path, GERMAN, mapping)


def test_a_mapping_that_leaves_everything_out(tmp_path):
    with pytest.raises(CorpusError, match="the mapping leaves out every row"):
        load(tmp_path, ("Wut",), {"Wut": ""})


def test_a_table_of_a_corpus_gets_other_labels(tmp_path):
    table = load(tmp_path, ("happy", "angry", "neutral"))
    found = relabelled(table, {"happiness": "Freude", "neutral": ""})
    assert found["emotion"].tolist() == ["Freude", "anger"]
    with pytest.raises(CorpusError, match="leaves out every utterance"):
        relabelled(table, dict.fromkeys(("happiness", "anger", "neutral"), ""))


def test_a_mapping_comes_from_a_csv(tmp_path):
    path = tmp_path / "mapping.csv"
    path.write_text("label,emotion\nhappy, positive\nxxx,\n", encoding="utf-8-sig")
    assert read_mapping(path) == {"happy": "positive", "xxx": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("from,to\na,b\n", "must have the columns label and emotion, but has from, to"),
        ("label,emotion\n", "no rows"),
        ("label,emotion\na,b\nA,c\n", "line 3 names the label 'A' again"),
        ("label,emotion\na\n", "line 2 must have a label and an emotion"),
        (None, "no such file"),
    ],
)
def test_mistakes_in_a_mapping(tmp_path, content, message):
    path = tmp_path / "mapping.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CorpusError, match=message):
        read_mapping(path)
