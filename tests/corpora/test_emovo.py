"""Fields that the parser of EMOVO reads, literally."""

import pytest

from tests.corpora import parsing

# file, and the row that it gives (without path)
ROWS = [
    ("f1/gio-f1-b1.wav", ("emovo-gio-f1-b1", "happiness", "emovo-f1", "female", "it", "b1"), {}),
    ("EMOVO/m3/rab-m3-n5.wav", ("emovo-rab-m3-n5", "anger", "emovo-m3", "male", "it", "n5"), {}),
]
# file, reason
BAD = [
    ("f1/abc-f1-b1.wav", "unknown emotion 'abc'"),
    ("f4/gio-f4-b1.wav", "unknown speaker 'f4'"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "emovo", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "emovo", file, reason)
