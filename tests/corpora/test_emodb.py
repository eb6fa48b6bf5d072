"""Fields that the parser of EmoDB reads, literally, and what the corpus has of its own."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA
from tests.corpora import parsing, trees
from tests.corpora.real_data import DATA, needs_data

# file, and the row that it gives (without path)
ROWS = [
    ("wav/03a01Fa.wav", ("emodb-03a01Fa", "happiness", "emodb-03", "male", "de", "a01"), {"take": "a"}),
    ("16b10Lc.WAV", ("emodb-16b10Lc", "boredom", "emodb-16", "female", "de", "b10"), {"take": "c"}),
    ("wav/08a02Wa.wav", ("emodb-08a02Wa", "anger", "emodb-08", "female", "de", "a02"), {}),
    ("wav/09a04Ab.wav", ("emodb-09a04Ab", "fear", "emodb-09", "female", "de", "a04"), {}),
]
# file, reason
BAD = [
    ("wav/03a01Xa.wav", "unknown emotion 'X'; allowed are W, L, E, A, F, T, N"),
    ("wav/04a01Fa.wav", "unknown speaker '04'"),
    ("wav/03a03Fa.wav", "unknown sentence 'a03'"),
    ("wav/03a01F.wav", "a name looks like 03a01Fa.wav"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "emodb", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "emodb", file, reason)


def test_emodb_counts(tmp_path):
    with pytest.warns(corpora.CorpusWarning, match="535 of 535"):
        table = corpora.load("emodb", trees.touch(tmp_path, trees.emodb()))
    assert table["emotion"].value_counts()["anger"] == 127
    card = CORPORA["emodb"]
    assert card.utterances == len(table)


@needs_data
def test_real_emodb():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("emodb", Path(DATA) / "emodb")
    assert len(table) == 535 and table["speaker"].nunique() == 10 and table["sentence"].nunique() == 10
    counts = {"anger": 127, "boredom": 81, "disgust": 46, "fear": 69, "happiness": 71, "sadness": 62, "neutral": 79}
    assert table["emotion"].value_counts().to_dict() == counts
