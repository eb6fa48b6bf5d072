"""LiteRT models as functions. LiteRT loads in a tenth of a second, TensorFlow in several."""

import contextlib
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sertf.inference.card import Card, ModelError
from sertf.parallel.environment import standard_error_hidden

FILE = "model.tflite"
SHARED = "litert.npz"
"""A LiteRT model without the weights that stand in its SavedModel. Arrays: `rest`, the other bytes; `pieces`, one row for
each array of weights: `Piece`; `crc32` of the whole."""
VARIABLES = Path("variables") / "variables.data-00000-of-00001"
LARGEST_DIFFERENCE = 1e-3
"""A LiteRT model serves in place of its SavedModel if no score of the compared clips differs by more."""
MOST_THREADS = 4


def can_serve(card: Card) -> bool:
    """Whether an exported model has a LiteRT file that takes waveforms and scores as the SavedModel does."""
    lite = card.get("litert")
    return lite is not None and lite["input"] == "waveform" and lite["difference"] <= LARGEST_DIFFERENCE


class Piece(NamedTuple):
    """Weights in a LiteRT model that stand in its SavedModel's file of variables too.

    Attributes:
        position: first byte in the LiteRT model.
        offset: first byte in the file of variables.
        width: bytes of a number.
        shape: of the variable, with ones in front up to three axes.
        axes: the order of these axes in the LiteRT model.
    """

    position: int
    offset: int
    width: int
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    def cut_from(self, variables: np.ndarray) -> np.ndarray:
        """The bytes as the LiteRT model has them, from those of the file of variables; uint8 (n,) both."""
        own = variables[self.offset : self.offset + self.width * int(np.prod(self.shape))]
        return (
            np.ascontiguousarray(own.view(f"<u{self.width}").reshape(self.shape).transpose(self.axes))
            .view("u1")
            .ravel()
        )

    def row(self) -> list[int]:
        """The piece as a row of `pieces`."""
        return [self.position, self.offset, self.width, *self.shape, *self.axes]

    @classmethod
    def of_row(cls, row: np.ndarray) -> "Piece":
        """The piece of a row."""
        position, offset, width, *both = row.tolist()
        return cls(position, offset, width, tuple(both[:3]), tuple(both[3:]))


def joined(path: Path) -> bytes:
    """The LiteRT model of a file `SHARED` and the SavedModel around it.

    Raises:
        ModelError: one of the two files is missing or damaged, or they do not belong together.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            rest, pieces, expected = (
                arrays["rest"],
                [Piece.of_row(row) for row in arrays["pieces"]],
                int(arrays["crc32"]),
            )
        variables = np.fromfile(path.parent / VARIABLES, np.uint8)
        parts, end, used = [], 0, 0
        for piece in pieces:
            gap = piece.position - end
            parts += [rest[used : used + gap], piece.cut_from(variables)]
            end, used = piece.position + len(parts[-1]), used + gap
        content = np.concatenate([*parts, rest[used:]]).tobytes()
        if zlib.crc32(content) != expected:
            raise ValueError("it does not fit the SavedModel's variables")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} cannot be used ({error}); export the model again with `--litert shared`.") from error
    return content


def litert_runner(path: Path) -> Callable[..., dict[str, np.ndarray]]:
    """A LiteRT model as a function of its input, by name, to a dict of its outputs.

    Args:
        path: `FILE` or `SHARED` in the folder of an exported model.

    Raises:
        ModelError: the file is not from `sertf.export.litert.write_litert`.
    """
    from ai_edge_litert.interpreter import Interpreter

    given = {"model_content": joined(path)} if path.name == SHARED else {"model_path": str(path)}
    try:
        with standard_error_hidden():
            interpreter = Interpreter(**given, num_threads=min(MOST_THREADS, os.cpu_count() or 1))
            runner = interpreter.get_signature_runner()
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"{path} is not a LiteRT model from sertf ({reason}); export the model again with `--litert`."
        ) from error
    started = False

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        nonlocal started
        # The interpreter prints its delegates when it first meets an input.
        with contextlib.nullcontext() if started else standard_error_hidden():
            started = True
            return runner(**inputs)

    return run
