"""Fields that the parser of CREMA-D reads, literally."""

import warnings

import pytest

from sertf import corpora
from sertf.corpora import CorpusError
from tests.corpora import parsing, trees

# file, and the row that it gives (without path)
ROWS = [
    (
        "AudioWAV/1001_DFA_ANG_XX.wav",
        ("cremad-1001_DFA_ANG_XX", "anger", "cremad-1001", "male", "en", "DFA"),
        {"level": "unspecified", "intended": "anger"},
    ),
    (
        "1091_IEO_HAP_HI.wav",
        ("cremad-1091_IEO_HAP_HI", "happiness", "cremad-1091", "female", "en", "IEO"),
        {"level": "high"},
    ),
    (
        "1040_ITH_SAD_X.wav",
        ("cremad-1040_ITH_SAD_X", "sadness", "cremad-1040", "male", "en", "ITH"),
        {"level": "unspecified"},
    ),
]
# file, reason
BAD = [
    ("1001_DFA_SUR_XX.wav", "unknown emotion 'SUR'"),
    ("1092_DFA_ANG_XX.wav", "unknown actor 1092; allowed are 1001 to 1091"),
    ("1001_ABC_ANG_XX.wav", "unknown sentence 'ABC'"),
    ("1001_DFA_ANG_ZZ.wav", "unknown level 'ZZ'"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "cremad", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "cremad", file, reason)


HEAD = '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"\n'


def with_votes(folder, votes):
    """The corpus's layout with the clips of {name: vote}."""
    rows = "".join(
        f'"{i}","{name}","{vote}","50","N","50","N","50"\n' for i, (name, vote) in enumerate(votes.items(), 1)
    )
    (folder / "processedResults").mkdir(parents=True)
    (folder / "processedResults" / "summaryTable.csv").write_text(HEAD + rows)
    return trees.touch(folder, [f"AudioWAV/{name}.wav" for name in votes])


def test_votes_of_listeners_replace_what_actors_were_asked_for(tmp_path):
    votes = {"1001_IEO_HAP_LO": "N", "1001_IEO_ANG_MD": "A:D", "1001_IEO_HAP_HI": "H", "1002_TIE_FEA_XX": "F"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("cremad", with_votes(tmp_path, votes), votes=True)
    assert table["emotion"].tolist() == ["happiness", "neutral", "fear"]
    assert table["intended"].tolist() == ["happiness", "happiness", "fear"]
    assert table.attrs["left_out"] == {"two emotions have as many votes": 1}
    assert table.attrs["missing"] == []


def test_votes_need_their_table(tmp_path):
    trees.touch(tmp_path / "none", ["AudioWAV/1001_IEO_HAP_LO.wav"])
    with pytest.raises(CorpusError, match="holds no summaryTable.csv, which has the listeners' votes"):
        corpora.load("cremad", tmp_path / "none", votes=True)
    folder = trees.touch(with_votes(tmp_path / "some", {"1001_IEO_HAP_LO": "N"}), ["AudioWAV/1001_IEO_HAP_HI.wav"])
    with pytest.raises(CorpusError, match="summaryTable.csv has no row of it"):
        corpora.load("cremad", folder, votes=True)


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_mp3s_beside_are_left_out(tmp_path):
    trees.touch(tmp_path, ["AudioWAV/1001_IEO_HAP_LO.wav", "AudioMP3/1001_IEO_HAP_LO.mp3"])
    table = corpora.load("cremad", tmp_path)
    assert len(table) == 1 and table.attrs["left_out"] == {"the same clip as an MP3": 1}
