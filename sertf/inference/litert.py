"""LiteRT models as functions. LiteRT loads in a tenth of a second, TensorFlow in several."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sertf.inference.card import ModelError
from sertf.parallel.environment import standard_error_hidden

FILE = "model.tflite"


def litert_runner(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """A LiteRT model as a function of its input, by name, to a dict of its outputs.

    Raises:
        ModelError: the file is not from `sertf.export.litert.write_litert`.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with standard_error_hidden():  # the interpreter prints its delegates
            return Interpreter(model_path=str(path), num_threads=1).get_signature_runner()
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"{path} is not a LiteRT model from sertf ({reason}); export the model again with `--litert`."
        ) from error
