import pytest

from sertf.corpora import CorpusError, csv_table


def test_rows_are_texts_with_their_lines(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text('path, emotion\na.wav,"big, sad"\n\nb.wav,joy\n', encoding="utf-8-sig")
    found = csv_table.read(path)
    assert (found.place, found.name, found.folder) == (path, "mine", tmp_path)
    assert found.columns == ["path", "emotion"] and found.has_columns
    assert found.rows == [
        ("line 2", {"path": "a.wav", "emotion": "big, sad"}),
        ("line 4", {"path": "b.wav", "emotion": "joy"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"path,path\na,b\n", "names the columns path twice"),
        (b"path,,\na,b,c\n", "has 2 columns without a name"),
        ("path\nÄ\n".encode("latin-1"), "not readable as CSV in UTF-8"),
        (b'path\n"a\n', "not readable as CSV"),
    ],
)
def test_what_is_no_csv(tmp_path, content, message):
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        csv_table.read(tmp_path / "mine.csv")
