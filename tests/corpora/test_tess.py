"""Fields that the parser of TESS reads, literally, and what the corpus has of its own."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA
from tests.corpora import parsing, trees

# file, and the row that it gives (without path)
ROWS = [
    (
        "OAF_angry/OAF_back_angry.wav",
        ("tess-OAF_back_angry", "anger", "tess-OAF", "female", "en", "back"),
        {},
    ),
    ("OA_bite_neutral.wav", ("tess-OAF_bite_neutral", "neutral", "tess-OAF", "female", "en", "bite"), {}),
    (
        "YAF_pleasant_surprised/YAF_wag_ps.wav",
        ("tess-YAF_wag_ps", "surprise", "tess-YAF", "female", "en", "wag"),
        {},
    ),
]
# file, reason
BAD = [
    ("OAF_back_bored.wav", "unknown emotion 'bored'"),
    ("XAF_back_angry.wav", "unknown speaker 'XAF'"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "tess", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "tess", file, reason)


def test_flattened_layout(tmp_path):
    files = [Path(name).name for name in trees.tess()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(corpora.load("tess", trees.touch(tmp_path, files))) == CORPORA["tess"].utterances
