"""Fields that the parser of CASIA reads, literally, and what the corpus has of its own."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA
from tests.corpora import parsing, trees

# file, and the row that it gives (without path)
ROWS = [
    (
        "liuchanhg/angry/201.wav",
        ("casia-201-angry-liuchanhg", "anger", "casia-liuchanhg", "", "zh", "201"),
        {},
    ),
    (
        "happy/250-happy-ZhaoZuoxiang.wav",
        ("casia-250-happy-ZhaoZuoxiang", "happiness", "casia-ZhaoZuoxiang", "", "zh", "250"),
        {},
    ),
    ("233-fear-wangzhe.wav", ("casia-233-fear-wangzhe", "fear", "casia-wangzhe", "", "zh", "233"), {}),
]
# file, reason
BAD = [
    ("liuchanhg/bored/201.wav", "unknown emotion .* 'bored'"),
    ("nobody/angry/201.wav", "unknown speaker .* 'nobody'"),
    ("liuchanhg/angry/251.wav", "unknown text 251"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "casia", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "casia", file, reason)


def test_flattened_layout(tmp_path):
    files = ["{2}-{1}-{0}.wav".format(*Path(name).with_suffix("").parts) for name in trees.casia()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(corpora.load("casia", trees.touch(tmp_path, files))) == CORPORA["casia"].utterances
