import numpy as np
import pytest

from sertf.inference.card import ModelError
from sertf.inference.litert import Piece, litert_runner


def test_a_piece_is_cut_out_in_the_other_order_of_axes():
    values = np.arange(24, dtype="float16").reshape(2, 3, 4)
    variables = np.frombuffer(b"\x07" + values.tobytes() + b"\x07", np.uint8)
    piece = Piece(5, 1, 2, (2, 3, 4), (2, 0, 1))
    assert piece.cut_from(variables).tobytes() == values.transpose(2, 0, 1).tobytes()
    assert Piece.of_row(np.array(piece.row())) == piece


def test_no_model_of_ours(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a LiteRT model from sertf"):
        litert_runner(tmp_path / "model.tflite")
