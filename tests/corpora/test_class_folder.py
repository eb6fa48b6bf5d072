import pytest

from sertf.corpora import CorpusError, class_folder, load_table
from sertf.corpora.utterances import unknown_speakers
from tests.corpora import trees

FILES = ("angry/01_a.wav", "angry/02_a.m4a", "Wut/deep/01_b.flac", "neutral/01_a.wav", "angry/._x.wav", "notes.txt")


@pytest.fixture
def folder(tmp_path):
    return trees.touch(tmp_path / "data", FILES)


def test_the_folder_is_the_label(folder):
    found = class_folder.read(folder)
    assert found.name == "data" and not found.has_columns
    assert [(record["path"], record["emotion"]) for _, record in found.rows] == [
        ("Wut/deep/01_b.flac", "Wut"),
        ("angry/01_a.wav", "angry"),
        ("angry/02_a.m4a", "angry"),
        ("neutral/01_a.wav", "neutral"),
    ]


def test_a_table_of_it_has_unknown_speakers(folder):
    table = load_table(folder)
    assert table["emotion"].tolist() == ["Wut", "anger", "anger", "neutral"]
    assert table["utterance"].tolist() == ["data-01_b", "data-angry/01_a.wav", "data-02_a", "data-neutral/01_a.wav"]
    assert unknown_speakers(table) and set(table["speaker"]) == {"data-unknown"}
    assert table["path"].tolist()[1] == str(folder / "angry/01_a.wav")


def test_a_pattern_finds_the_speakers(folder):
    table = load_table(folder, speakers=r"(\d+)_")
    assert table["speaker"].tolist() == ["data-01", "data-01", "data-02", "data-01"]
    assert not unknown_speakers(table)
    named = load_table(folder, speakers=r"/(deep/)?(?P<speaker>\d+)_")
    assert named["speaker"].tolist() == table["speaker"].tolist()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "--speakers \\( is no regular expression"),
        ("angry", "must have a group for the speaker"),
        (r"(\d+)_b", r"angry/01_a.wav: --speakers \(\\d\+\)_b finds no speaker in angry/01_a.wav"),
    ],
)
def test_patterns_that_find_nobody(folder, pattern, message):
    with pytest.raises(CorpusError, match=message):
        load_table(folder, speakers=pattern)


def test_files_outside_a_class(tmp_path):
    with pytest.raises(CorpusError, match="1 audio files lie in no folder of a class, such as loose.wav"):
        class_folder.read(trees.touch(tmp_path, ["angry/1.wav", "loose.wav"]))


def test_a_folder_without_sound(tmp_path):
    with pytest.raises(CorpusError, match="holds no audio files; give a folder with one folder a class"):
        class_folder.read(trees.touch(tmp_path, ["notes.txt"]))
