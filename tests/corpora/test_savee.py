"""Fields that the parser of SAVEE reads, literally, and what the corpus has of its own."""

import warnings

import pytest

from sertf import corpora
from sertf.corpora import CORPORA
from tests.corpora import parsing, trees

# file, and the row that it gives (without path)
ROWS = [
    ("DC/a01.wav", ("savee-DC_a01", "anger", "savee-DC", "male", "en", "a01"), {}),
    ("KL_sa15.wav", ("savee-KL_sa15", "sadness", "savee-KL", "male", "en", "sa15"), {}),
    ("JE/n30.wav", ("savee-JE_n30", "neutral", "savee-JE", "male", "en", "n30"), {}),
]
# file, reason
BAD = [
    ("DC/b01.wav", "unknown emotion 'b'"),
    ("XX/a01.wav", "unknown speaker .* 'XX'"),
    ("DC/a16.wav", "unknown sentence 16; anger has 01 to 15"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "savee", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "savee", file, reason)


def test_flattened_layout(tmp_path):
    files = [name.replace("/", "_") for name in trees.savee()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(corpora.load("savee", trees.touch(tmp_path, files))) == CORPORA["savee"].utterances
