import json

import pytest
import soundfile

from sertf import cli
from sertf.extraction.cache import FeatureCache
from sertf.features import FEATURES
from sertf.papers.own_data import system


@pytest.fixture
def table(corpus, tmp_path):
    """The tiny corpus as own data."""
    path = tmp_path / "mine.csv"
    corpus[["path", "emotion", "speaker"]].to_csv(path, index=False)
    return path


def extract(*arguments):
    return cli.main(["extract", *map(str, arguments)])


def test_what_a_model_trains_on_is_in_the_cache(table, corpus, tmp_path, capsys, monkeypatch):
    assert extract("--table", table, "--model", "cnn_transformer", "--cache", tmp_path / "cache", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["utterances"] == 32 and said["front_end"] == "log_mel" and said["skipped"] == []
    monkeypatch.setattr("sertf.extraction.clip.store", None)  # every entry is a hit
    features = FeatureCache(tmp_path / "cache").extract(
        corpus, FEATURES["log_mel"](**system("cnn_transformer").front_end_options), progress=False
    )
    assert sum(features.lengths.values()) == said["frames"]


def test_a_corpus_by_name(corpus, tmp_path, capsys):
    root = corpus["path"].iloc[0].rsplit("/", 1)[0]
    code = extract("embedded", "--data", root, "--front-end", "waveform", "--cache", tmp_path / "cache")
    # The tiny corpus is not the whole one, which the loader says.
    assert code == 2 and "embedded" in capsys.readouterr().err


def test_unusable_clips_are_named(table, tmp_path, capsys):
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", [0.1, -0.1], 16_000)
    with table.open("a") as file:
        file.write("text.wav,anger,x\nshort.wav,anger,x\n")
    arguments = ["--table", table, "--front-end", "waveform", "--cache", tmp_path / "cache"]
    assert extract(*arguments) == 2
    said = capsys.readouterr().err
    assert "2 of 34 clips cannot be used" in said and "text.wav" in said and "short.wav" in said
    assert extract(*arguments, "--skip-bad") == 0
    assert "skipped" in capsys.readouterr().out
