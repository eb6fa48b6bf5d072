"""Fields that the parser of ESD reads, literally, and what the corpus has of its own."""

import pytest

from sertf import corpora
from sertf.corpora import CorpusError
from tests.corpora import parsing, trees

# file, and the row that it gives (without path)
ROWS = [
    (
        "0011/Angry/0011_000351.wav",
        ("esd-0011_000351", "anger", "esd-0011", "male", "en", "en-000"),
        {"part": ""},
    ),
    (
        "0002/Surprise/train/0002_001750.wav",
        ("esd-0002_001750", "surprise", "esd-0002", "female", "zh", "zh-349"),
        {"part": "train"},
    ),
    ("0019_000001.wav", ("esd-0019_000001", "neutral", "esd-0019", "female", "en", "en-000"), {"part": ""}),
]
# file, reason
BAD = [
    ("0011/Angry/0011_000350.wav", "number 000350 is Neutral, its folder Angry"),
    ("0021/Angry/0021_000351.wav", "unknown speaker '0021'"),
    ("0011/Angry/0011_001751.wav", "unknown number 001751"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "esd", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "esd", file, reason)


def test_esd_languages(tmp_path):
    files = trees.esd(speakers=(10, 11))
    trees.touch(tmp_path, files)
    with pytest.warns(corpora.CorpusWarning, match="3500 of 35000"):
        both = corpora.load("esd", tmp_path)
    assert both["sentence"].nunique() == 700 and both.groupby("emotion").size().to_dict() == dict.fromkeys(
        ("anger", "happiness", "neutral", "sadness", "surprise"), 700
    )
    assert both.attrs["missing"][0] == "esd-0001: all 1750 utterances are missing"
    with pytest.warns(corpora.CorpusWarning, match="1750 of 17500"):
        english = corpora.load("esd", tmp_path, language="en")
    assert set(english["speaker"]) == {"esd-0011"} and set(english["language"]) == {"en"}
    assert english.attrs["left_out"] == {"language zh; language='zh' or None includes it": 1750}
    with pytest.raises(CorpusError, match="language must be None, 'en' or 'zh'; got 'de'"):
        corpora.load("esd", tmp_path, language="de")
