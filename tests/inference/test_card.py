import json
import shutil

import keras
import pytest

from sertf.errors import SertfError
from sertf.inference.recognizer import load

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_a_card_that_lacks_something(exported, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(exported, copy)
    card = json.loads((copy / "model_card.json").read_text())
    del card["sample_rates"], card["held_out"]
    (copy / "model_card.json").write_text(json.dumps(card))
    with pytest.raises(SertfError, match="copy/model_card.json lacks sample_rates, held_out; export the model again"):
        load(copy)
    (copy / "model_card.json").write_text("[]")
    with pytest.raises(SertfError, match="copy/model_card.json cannot be read"):
        load(copy)
