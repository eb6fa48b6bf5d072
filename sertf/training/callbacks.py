"""What happens at the end of each epoch of a fit: scores are kept and logged, and the state is stored."""

import logging
import math
import time
from collections.abc import Callable

import keras

from sertf.training.checkpoint import Checkpoint, State

LOG = logging.getLogger("sertf.training")
LEAST_SECONDS = 10.0
"""Between two lines of the log."""
CHECKPOINT_SECONDS = 10.0
"""Least time between two writes of the state. A killed training loses no more than this and an epoch."""


class EndOfEpoch(keras.callbacks.Callback):
    """The last callback of a fit, which can put it back to where an earlier process left it.

    Args:
        epochs: of the whole training.
        best: the callback that keeps the best epoch's weights; None keeps the last epoch's.
        averaging: the callback that puts averaged weights in the model's place; None where there are none.
        watch: function of nothing to watched scores.
        checkpoint: where states are stored, at most one each `CHECKPOINT_SECONDS`; None stores none.

    Attributes:
        logs: what Keras logged of each epoch.
        watched: watched scores of each epoch.
        seconds_before: that earlier processes trained.
    """

    def __init__(
        self,
        epochs: int,
        *,
        best: keras.callbacks.EarlyStopping | None,
        averaging: keras.callbacks.SwapEMAWeights | None,
        watch: Callable[[], dict[str, float]] | None,
        checkpoint: Checkpoint | None,
    ):
        super().__init__()
        self.epochs, self.best, self.averaging = epochs, best, averaging
        self.watch, self.checkpoint = watch, checkpoint
        self.logs: list[dict[str, float]] = []
        self.watched: list[dict[str, float]] = []
        self.seconds_before = 0.0
        self._start = time.monotonic()
        self._said, self._stored = -math.inf, self._start
        self._state: State | None = None

    def restore(self, model: keras.Model) -> None:
        """Bring a compiled model with a built optimizer to the stored state, if there is one."""
        self._state = self.checkpoint.read() if self.checkpoint else None
        if self._state is None:
            return
        for variable, value in zip(_variables(model), self._state.variables, strict=True):
            variable.assign(value)
        self.logs, self.watched = list(self._state.logs), list(self._state.watched)
        self.seconds_before = self._state.seconds
        LOG.info("goes on behind epoch %d of %d", len(self.logs), self.epochs)

    @property
    def is_over(self) -> bool:
        """Whether the restored training has no epoch left, or lost patience."""
        waited = 0 if self._state is None or self._state.best is None else self._state.best[2]
        return len(self.logs) >= self.epochs or (self.best is not None and waited >= self.best.patience)

    def finish(self, model: keras.Model) -> None:
        """Give a model whose restored training is over the weights that the end of the fit would have given it."""
        self._restore_best()
        if self.best is not None:
            model.set_weights(self.best.best_weights)

    def on_train_begin(self, logs=None):
        if self._state is not None:
            self._restore_best()
            if self.averaging is not None:
                self.averaging._ema_weights_in_model = True  # as at the end of any epoch

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append({name: float(value) for name, value in (logs or {}).items()})
        if self.watch is not None:
            self.watched.append(self.watch())
        scores = self.logs[-1]
        LOG.debug("epoch %d", epoch + 1, extra={"epoch": epoch + 1, "scores": scores})
        if time.monotonic() - self._said >= LEAST_SECONDS or epoch + 1 == self.epochs:
            self._said = time.monotonic()
            shown = ", ".join(f"{name} {scores[name]:.3f}" for name in ("loss", "uar", "val_uar") if name in scores)
            LOG.info("epoch %d of %d: %s", epoch + 1, self.epochs, shown)
        due = time.monotonic() - self._stored >= CHECKPOINT_SECONDS
        if self.checkpoint is not None and due and math.isfinite(scores["loss"]):
            self.checkpoint.write(self._reached())
            self._stored = time.monotonic()

    def _restore_best(self):
        if self._state is not None and self._state.best is not None:
            self.best.best_epoch, self.best.best, self.best.wait = self._state.best
            self.best.best_weights = list(self._state.best_weights)

    def _reached(self):
        best = self.best and (int(self.best.best_epoch), float(self.best.best), int(self.best.wait))
        return State(
            variables=[keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)],
            logs=self.logs,
            watched=self.watched,
            seconds=self.seconds_before + time.monotonic() - self._start,
            best=best,
            best_weights=self.best.best_weights if self.best else [],
        )


def _variables(model):
    """All that a step changes, seeds of dropout included."""
    return [*model.variables, *model.optimizer.variables]
