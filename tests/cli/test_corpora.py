import json

import pytest

from sertf import cli, corpora
from sertf.corpora import download
from tests.corpora import trees


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    monkeypatch.delenv("SERTF_DATA", raising=False)


def test_every_corpus_with_licence_size_and_place(capsys):
    assert cli.main(["corpora"]) == 0
    said = capsys.readouterr().out
    for name, corpus in corpora.CORPORA.items():
        assert name in said and corpus.licence in said and f"{corpus.utterances} utterances" in said
    assert "sertf corpora fetch ravdess" in said and "https://sail.usc.edu/iemocap" in said and "SERTF_DATA" in said


@pytest.mark.parametrize("by", ["--data", "SERTF_DATA", "the corpus's own folder"])
def test_what_is_there(tmp_path, monkeypatch, capsys, by):
    folder = tmp_path / "SAVEE"
    trees.touch(folder, trees.savee()[:7])
    arguments = {"--data": ["--data", str(tmp_path)], "SERTF_DATA": []}.get(by, ["--data", str(folder)])
    if by == "SERTF_DATA":
        monkeypatch.setenv("SERTF_DATA", str(tmp_path))
    assert cli.main(["corpora", *arguments, "--json"]) == 0
    listed = {corpus["name"]: corpus for corpus in json.loads(capsys.readouterr().out)}
    assert (listed["savee"]["found"], listed["savee"]["audio_files"]) == (str(folder), 7)
    assert listed["ravdess"]["found"] is None and listed["ravdess"]["fetch"]
    cli.main(["corpora", *arguments])
    assert f"found: {folder}, 7 audio files" in capsys.readouterr().out


def test_fetch_says_where_it_is_and_how_to_cite(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "fetch", lambda name, folder: folder / name)
    assert cli.main(["corpora", "fetch", "emodb", "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'emodb'}: 535 utterances") and "Its publisher gives no checksum" in said
    assert "Burkhardt" in said
    assert cli.main(["corpora", "fetch", "ravdess", "--to", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["checksum"].startswith("md5:")
