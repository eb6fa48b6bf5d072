"""What the tests of one corpus's parser say of single files."""

import pytest

from sertf import corpora
from sertf.corpora import CorpusError
from tests.corpora import trees


def check_fields(folder, name, file, fields, extras):
    """The row that one file of a corpus gives: its fields literally, and what the corpus adds."""
    table = corpora.load(name, trees.touch(folder, [file]))
    assert len(table) == 1
    row = table.iloc[0].to_dict()
    keys = ("utterance", "emotion", "speaker", "gender", "language", "sentence")
    assert tuple(row[key] for key in keys) == fields
    assert row["corpus"] == name and row["path"] == str(folder / file)
    assert {key: row[key] for key in extras} == extras


def check_refused(folder, name, file, reason):
    """The reason for which one file of a corpus is refused."""
    with pytest.raises(CorpusError, match=f"1 files of {name} are bad(?s:.*){reason}"):
        corpora.load(name, trees.touch(folder, [file]))
