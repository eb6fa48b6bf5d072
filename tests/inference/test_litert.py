import pytest

from sertf.inference.card import ModelError
from sertf.inference.litert import litert_runner


def test_no_model_of_ours(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a LiteRT model from sertf"):
        litert_runner(tmp_path / "model.tflite")
