"""Scores of each epoch as events for TensorBoard."""

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path

from sertf.errors import SertfError

LOGGER = "sertf.training"
"""Logs each epoch's scores, as `scores` and `epoch` of a record."""


def check_installed() -> None:
    """Raise SertfError unless TensorBoard is there, which writes the events."""
    if importlib.util.find_spec("tensorboard") is None:
        raise SertfError("TensorBoard is not installed; pip install 'sertf[tensorboard]', or leave --tensorboard out.")


@contextlib.contextmanager
def events(folder: Path | None) -> Iterator[None]:
    """Write the scores of the epochs that are trained meanwhile to `<folder>/train` and `<folder>/validation`.

    Both have the same names, so that TensorBoard draws them in one figure. None writes nothing.
    """
    if folder is None:
        yield
        return
    logger, handler = logging.getLogger(LOGGER), _Events(folder)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


class _Events(logging.Handler):
    def __init__(self, folder):
        import tensorflow as tf

        super().__init__(logging.DEBUG)
        self.writers = {part: tf.summary.create_file_writer(str(folder / part)) for part in ("train", "validation")}

    def emit(self, record):
        if not hasattr(record, "scores"):
            return
        import tensorflow as tf

        for name, value in record.scores.items():
            with self.writers["validation" if name.startswith("val_") else "train"].as_default():
                tf.summary.scalar(name.removeprefix("val_"), value, step=record.epoch)
        for writer in self.writers.values():
            writer.flush()

    def close(self):
        for writer in self.writers.values():
            writer.close()
        super().close()
