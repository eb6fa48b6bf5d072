import pytest

import sertf
from sertf import bundled
from sertf.errors import SertfError
from sertf.recognizer import read_card


def test_the_default_is_there_and_named():
    assert bundled.DEFAULT in bundled.names()
    assert read_card(bundled.folder_of())["name"] == bundled.DEFAULT
    assert bundled.folder_of(bundled.DEFAULT) == bundled.folder_of()


def test_a_folder_or_the_nearest_name(tmp_path):
    assert bundled.folder_of(tmp_path) == tmp_path
    with pytest.raises(SertfError, match=f"did you mean {bundled.DEFAULT}.*Or give the folder"):
        bundled.folder_of("reslstm_sa_h64")


def test_load_without_a_name_takes_the_default(monkeypatch):
    monkeypatch.setattr(sertf.recognizer, "load", lambda folder: folder)
    assert sertf.load() == bundled.folder_of()
