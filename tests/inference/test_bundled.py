import pytest

import sertf
from sertf.errors import SertfError
from sertf.inference.bundled import DEFAULT, folder_of, names
from sertf.inference.card import read_card


def test_the_default_is_there_and_named():
    assert DEFAULT in names()
    assert read_card(folder_of())["name"] == DEFAULT
    assert folder_of(DEFAULT) == folder_of()


def test_a_folder_or_the_nearest_name(tmp_path):
    assert folder_of(tmp_path) == tmp_path
    with pytest.raises(SertfError, match="did you mean reslstm_sa_h64_ravdess.*Or give the folder"):
        folder_of("reslstm_sa_h64")


def test_load_without_a_name_takes_the_default(monkeypatch):
    monkeypatch.setattr("sertf.inference.recognizer.load", lambda folder: folder)
    assert sertf.load() == folder_of()


def test_presets_have_one_line_each_the_default_first():
    presets = sertf.presets()
    assert list(presets) == names() and names()[0] == DEFAULT and names()[1:] == sorted(names()[1:])
    lines = repr(presets).splitlines()
    assert len(lines) == len(names()) and all(name in line for name, line in zip(presets, lines))
    card = read_card(folder_of("reslstm_sa_h64_ravdess"))
    assert f"UAR {card['held_out']['uar']:.2f}" in presets["reslstm_sa_h64_ravdess"]
