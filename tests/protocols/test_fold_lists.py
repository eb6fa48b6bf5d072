import json

import pytest

from sertf.protocols import fold_lists
from sertf.protocols.fold_lists import FoldListError
from tests.protocols.test_splits import make_table


@pytest.fixture
def table():
    made = make_table(speakers=4)
    return made.assign(path=[f"/clips/{u.removeprefix('toy-')}.wav" for u in made["utterance"]])


def lines(path, records):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_file_for_each_part_and_fold(table, tmp_path):
    """As EmoBox publishes its lists; keys as here."""
    paths = []
    for fold in (1, 2):
        tested = table["speaker"] == f"toy-0{fold}"
        for part, rows in (("train", table[~tested]), ("test", table[tested])):
            records = [{"key": u, "wav": f"downloads/{u}.wav"} for u in rows["utterance"]]
            paths.append(lines(tmp_path / f"fold_{fold}" / f"toy_{part}_fold_{fold}.jsonl", records))
    found = fold_lists.read(paths, table)
    assert [fold.name for fold in found.folds] == ["fold-1", "fold-2"] and found.unmatched == ()
    first, second = fold_lists.shared(found.folds, table)
    assert (first.train, first.test, first.tested_speakers, first.speakers, first.leaks) == (18, 6, 1, (), [])
    assert (second.texts, second.tested_texts) == (2, 2)


def test_shared_speakers_and_utterances_are_named(table, tmp_path):
    rows = [f"{path},{'test' if i % 2 else 'train'}" for i, path in enumerate(table["path"])]
    rows.append(f"{table['path'].iloc[1]},dev")
    (tmp_path / "list.csv").write_text("file,split\n" + "\n".join(rows) + "\n")
    found = fold_lists.read([tmp_path / "list.csv"], table)
    (one,) = fold_lists.shared(found.folds, table)
    assert one.speakers == ("toy-01", "toy-02", "toy-03", "toy-04") and one.tested_speakers == 4
    assert one.utterances == (table["utterance"].iloc[1],) and one.leaks == ["speakers", "utterances"]


def test_a_fold_column_tests_each_fold_in_turn(table, tmp_path):
    records = [{"utterance": u, "fold": s[-1]} for u, s in zip(table["utterance"], table["speaker"])]
    found = fold_lists.read([lines(tmp_path / "list.jsonl", records)], table)
    assert [(fold.name, len(fold.train), len(fold.test)) for fold in found.folds] == [
        (f"fold-{i}", 18, 6) for i in (1, 2, 3, 4)
    ]
    assert not any(one.leaks for one in fold_lists.shared(found.folds, table))


def test_a_fold_column_counts_before_a_word_of_the_files_name(table, tmp_path):
    rows = [f"{path},{s[-1]}" for path, s in zip(table["path"], table["speaker"])]
    (tmp_path / "my_test_folds.csv").write_text("file,fold\n" + "\n".join(rows) + "\n")
    found = fold_lists.read([tmp_path / "my_test_folds.csv"], table)
    assert [(fold.name, len(fold.train), len(fold.test)) for fold in found.folds] == [
        (f"fold-{i}", 18, 6) for i in (1, 2, 3, 4)
    ]


def test_files_of_both_parts_may_have_a_fold_column(table, tmp_path):
    paths = []
    for part, tested in (("train", False), ("test", True)):
        rows = [f"{u},{f}" for f in "12" for u, s in zip(table["path"], table["speaker"]) if (s[-1] == f) is tested]
        (tmp_path / f"{part}.csv").write_text("file,fold\n" + "\n".join(rows) + "\n")
        paths.append(tmp_path / f"{part}.csv")
    found = fold_lists.read(paths, table)
    assert [(fold.name, len(fold.train), len(fold.test)) for fold in found.folds] == [
        ("fold-1", 18, 6),
        ("fold-2", 18, 6),
    ]


def test_a_line_may_hold_a_whole_fold(table, tmp_path):
    ids = list(table["utterance"])
    record = {"name": "ours", "train": ids[12:], "validation": ids[6:12], "test": [*ids[:6], "nobody"]}
    found = fold_lists.read([lines(tmp_path / "list.jsonl", [record])], table)
    assert found.unmatched == ("nobody",)
    assert found.folds[0].parts == {"train": tuple(ids[12:]), "validation": tuple(ids[6:12]), "test": tuple(ids[:6])}


def test_the_same_audio_under_another_name_is_a_copy(table):
    from sertf.protocols.folds import Fold

    ids = list(table["utterance"])
    fold = Fold("split", tuple(ids[6:]), (), tuple(ids[:6]))
    (one,) = fold_lists.shared([fold], table, {u: u for u in ids} | {ids[0]: ids[20]})
    assert one.copies == ((ids[0], ids[20]),) and one.leaks == ["copies"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.csv", "file,split\na.wav,tset\n", "row 1 has 'tset' as its split; allowed are train"),
        ("list.csv", "who,split\na.wav,test\n", "row 1 names no utterance; give it in a column of utterance, key"),
        ("list.csv", "file\na.wav\n", "says neither part nor fold; give a column split or fold"),
        ("list.csv", "file,split\n", "holds no rows"),
        ("list.jsonl", '{"key": "a"\n', "is no JSON lines"),
        ("list.jsonl", '{"key": "a", "split": "test"}\n["b"]\n', r"row 2 is no object; write one object a line\.$"),
        ("list.csv", "file,split\na.wav,test\n", "has none of the 1 utterances of the fold list, such as a.wav"),
        ("list.csv", "file,split\n01-anger-0.wav,test\n", "Fold split has no train part that the table knows"),
    ],
)
def test_a_file_that_is_no_fold_list_says_why(table, tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(FoldListError, match=message):
        fold_lists.read([tmp_path / name], table)


def test_a_missing_file_is_told(table, tmp_path):
    with pytest.raises(FoldListError, match="cannot be read"):
        fold_lists.read([tmp_path / "nowhere.csv"], table)
