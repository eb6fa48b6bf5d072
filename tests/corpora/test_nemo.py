"""Fields that the parser of nEMO reads, literally."""

import pytest

from tests.corpora import parsing

# file, and the row that it gives (without path)
ROWS = [
    (
        "samples/WR0_surprised_64.wav",
        ("nemo-WR0_surprised_64", "surprise", "nemo-WR0", "male", "pl", "64"),
        {},
    ),
    ("EB0_fear_1.wav", ("nemo-EB0_fear_1", "fear", "nemo-EB0", "female", "pl", "1"), {}),
]
# file, reason
BAD = [
    ("EB0_calm_1.wav", "unknown emotion 'calm'"),
    ("XX0_anger_1.wav", "unknown speaker 'XX0'"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "nemo", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "nemo", file, reason)
