import json

import keras
import pytest

from sertf import cli
from sertf.inference.card import read_card

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_a_run_becomes_a_model(done, tmp_path, capsys):
    out = tmp_path / "saved"
    assert cli.main(["export", str(done[1]), str(out), "--repeat", "0", "--fold", "fold-2"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert read_card(out)["run"]["fold"] == "fold-2"
    assert cli.main(["export", str(done[1]), str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["card"]["name"] == "saved"


def test_mistakes(done, tmp_path, capsys):
    assert cli.main(["export", str(done[1]), str(tmp_path / "saved"), "--repeat", "9"]) == 2
    assert "no finished run of repeat 9" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert cli.main(["export", str(done[1]), str(tmp_path / "file" / "saved")]) == 2
    assert "Cannot write to" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
