from argparse import Namespace

import pytest

from sertf.cli import shared
from sertf.corpora import CorpusWarning
from sertf.errors import SertfError
from tests.corpora import trees


def load(name, folder):
    return shared.load_corpus(name, Namespace(data=folder, skip_bad=False))


def test_a_corpus_of_two_languages_and_either_alone(tmp_path):
    trees.touch(tmp_path, trees.esd(speakers=(1, 11))[::50])
    with pytest.warns(CorpusWarning):
        both, english, mandarin = (load(name, tmp_path) for name in ("esd", "esd_en", "esd_zh"))
    assert set(both["language"]) == {"en", "zh"} and set(both["corpus"]) == {"esd"}
    assert set(english["language"]) == {"en"} and set(english["corpus"]) == {"esd_en"}
    assert len(english) + len(mandarin) == len(both) and len(english) == len(mandarin)


def test_unknown_corpora_and_languages(tmp_path, monkeypatch):
    monkeypatch.delenv("SERTF_DATA", raising=False)
    with pytest.raises(SertfError, match="Unknown corpus 'esd_fr'; did you mean .*esd_en"):
        load("esd_fr", tmp_path)
    with pytest.raises(SertfError, match="ravdess needs --data, the folder that holds it, or SERTF_DATA"):
        load("ravdess", None)
