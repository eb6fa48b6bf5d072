"""Fields that the parser of the URDU-Dataset reads, literally."""

import pytest

from tests.corpora import parsing

# file, and the row that it gives (without path)
ROWS = [
    ("Angry/SM4_F48_A0100.wav", ("urdu-SM4_F48_A0100", "anger", "urdu-SM4", "male", "ur", ""), {}),
    ("Sad/SF10_F1_S01.wav", ("urdu-SF10_F1_S01", "sadness", "urdu-SF10", "female", "ur", ""), {}),
]
# file, reason
BAD = [
    ("Angry/SM4_F48_B01.wav", "unknown emotion 'B'"),
    ("Angry/SX4_F48_A01.wav", "the name fits no urdu utterance"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "urdu", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "urdu", file, reason)
