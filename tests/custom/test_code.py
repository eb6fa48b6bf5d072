import importlib

import numpy as np
import pytest

from sertf.custom.code import check_plain, import_named, source_digest
from sertf.errors import SertfError
from sertf.features import FrontEnd
from tests.own_front_end import Energy


def test_the_digest_of_a_class_is_that_of_its_file(tmp_path, monkeypatch):
    place = tmp_path / "front_end_of_mine.py"
    place.write_text("class Mine:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module, found = import_named("front end", "front_end_of_mine:Mine")
    before = source_digest(found)
    assert module.Mine is found and before == source_digest(found) != source_digest(Energy)
    place.write_text("class Mine:\n    value = 2\n")
    with pytest.raises(
        SertfError, match="front_end_of_mine.py has changed since Mine was imported from it; restart Python"
    ):
        source_digest(found)
    importlib.reload(module)
    assert source_digest(module.Mine) != before


def test_what_is_typed_in_has_no_digest():
    typed = type("Typed", (FrontEnd,), {"__module__": "builtins"})
    with pytest.raises(SertfError, match="Typed is in no Python file, so .* define it in a file and import it"):
        source_digest(typed)


@pytest.mark.parametrize("value", [np.float32(1), float("inf"), {1, 2}, np.zeros(2), {1: 2}, [{2: 3}]])
def test_options_that_no_manifest_can_hold(value):
    check_plain("Model x:y", {"units": 3, "names": ["a", None], "of": {"b": 1.5}})
    with pytest.raises(SertfError, match="Model x:y: the option units must be a plain value"):
        check_plain("Model x:y", {"units": value})
