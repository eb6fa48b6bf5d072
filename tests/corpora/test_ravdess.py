"""Fields that the parser of RAVDESS reads, literally, and what the corpus has of its own."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA, CorpusError
from sertf.corpora.utterances import digest, emotions_of
from tests.corpora import parsing, trees
from tests.corpora.real_data import DATA, needs_data

# file, and the row that it gives (without path)
ROWS = [
    (
        "Actor_12/03-01-06-02-02-01-12.wav",
        ("ravdess-03-01-06-02-02-01-12", "fear", "ravdess-12", "female", "en", "02"),
        {"intensity": "strong", "take": 1, "channel": "speech"},
    ),
    (
        "03-01-01-01-01-02-01.flac",
        ("ravdess-03-01-01-01-01-02-01", "neutral", "ravdess-01", "male", "en", "01"),
        {"intensity": "normal", "take": 2},
    ),
]
# file, reason
BAD = [
    ("03-01-06-01-03-01-12.wav", "the name fits no ravdess utterance"),
    ("03-03-06-01-02-01-12.wav", "unknown channel '03'; allowed are 01, 02"),
    ("03-01-06-03-02-01-12.wav", "unknown intensity '03'"),
]


@pytest.mark.parametrize(("file", "fields", "extras"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, file, fields, extras):
    parsing.check_fields(tmp_path, "ravdess", file, fields, extras)


@pytest.mark.parametrize(("file", "reason"), BAD, ids=[row[0] for row in BAD])
def test_bad_names(tmp_path, file, reason):
    parsing.check_refused(tmp_path, "ravdess", file, reason)


def test_ravdess_song(tmp_path):
    songs = [
        name.replace("/03-01-", "/03-02-")
        for name in trees.ravdess()
        if name.split("-")[2] not in ("07", "08") and "Actor_18" not in name
    ]
    assert len(songs) == 1012
    trees.touch(tmp_path, trees.ravdess() + songs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = corpora.load("ravdess", tmp_path)
        both = corpora.load("ravdess", tmp_path, song=True)
    assert len(speech) == 1440 and speech.attrs["left_out"] == {"song; song=True includes it": 1012}
    assert len(both) == 2452 and (both["channel"] == "song").sum() == 1012
    only_songs = trees.touch(tmp_path / "songs", songs[:1])
    with pytest.raises(CorpusError, match="asked for; 1 left out: song; song=True includes it"):
        corpora.load("ravdess", only_songs)


def test_flattened_with_other_suffixes(tmp_path):
    suffixes = (".flac", ".WAV", ".ogg", ".aiff", ".mp3")
    names = [Path(name).stem + suffixes[index % 5] for index, name in enumerate(trees.ravdess())]
    assert len(corpora.load("ravdess", trees.touch(tmp_path, names))) == 1440


@needs_data
def test_real_ravdess():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = corpora.load("ravdess", DATA)
    assert len(table) == 1440 and table["speaker"].nunique() == 24
    assert table["emotion"].value_counts().to_dict() == {
        emotion: 96 if emotion == "neutral" else 192 for emotion in CORPORA["ravdess"].emotions.values()
    }
    assert emotions_of(table) == list(CORPORA["ravdess"].emotions.values())
    assert digest(table) == "c306677630e8157ec10b867f77bb9291"
