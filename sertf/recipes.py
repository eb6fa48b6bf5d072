"""A training recipe: everything that decides a fit besides the model, the data and the seed."""

import math
from dataclasses import asdict, dataclass, fields

from sertf.errors import SertfError

OPTIMIZERS = ("adam", "sgd")
LOSSES = ("cross_entropy", "balanced_margin")
MONITORS = {"uar": "max", "loss": "min"}
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        learning_rate: the optimizer's rate; the highest one where the rate is annealed.
        optimizer: "adam" or "sgd".
        momentum: of SGD.
        l2: penalty added to the gradient of every trainable weight, l2 · w (PyTorch's coupled weight decay).
        dropout: handed to the model's builder; None leaves the builder's own.
        batch_size: utterances a step.
        loss: "cross_entropy", or SpeechNet's "balanced_margin", which weighs classes by their inverse frequency.
        margins: of the balanced margin loss, (α1, α2, α3).
        epochs: passes over the training part.
        restart_epochs: cosine annealing down to 1 % of the rate, restarted every so many epochs; None keeps the rate.
        monitor: what of the validation part picks the kept weights: highest "uar" or lowest "loss"; None keeps the last
            epoch's, for protocols without a validation part.
        patience: epochs without improvement of `monitor` before stopping; None trains all epochs.
        decay_epochs: the rate is multiplied by `decay_factor` whenever so many epochs are over; None keeps the rate.
        decay_factor: see `decay_epochs`.
        accumulation: batches whose gradients are averaged to one step of the optimizer, so that a step counts
            accumulation · batch_size utterances with the memory of one batch.
        precision: "float32", or "bfloat16" for the arithmetic between weights, scores and loss, which stay float32.
    """

    learning_rate: float = 1e-3
    optimizer: str = "adam"
    momentum: float = 0.0
    l2: float = 0.0
    dropout: float | None = None
    batch_size: int = 32
    loss: str = "cross_entropy"
    margins: tuple[float, float, float] = (0.5, 0.5, 0.5)
    epochs: int = 100
    restart_epochs: int | None = None
    monitor: str | None = "uar"
    patience: int | None = None
    decay_epochs: int | None = None
    decay_factor: float = 0.1
    accumulation: int = 1
    precision: str = "float32"

    def __post_init__(self):
        _check("learning_rate", self.learning_rate, self.learning_rate > 0, "a number above 0")
        _check("optimizer", self.optimizer, self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}")
        _check("momentum", self.momentum, 0 <= self.momentum < 1, "from 0 to below 1")
        _check("l2", self.l2, self.l2 >= 0, "0 or more")
        _check("dropout", self.dropout, self.dropout is None or 0 <= self.dropout < 1, "from 0 to below 1, or None")
        _check("batch_size", self.batch_size, self.batch_size >= 1, "1 or more")
        _check("epochs", self.epochs, self.epochs >= 1, "1 or more")
        _check("margins", self.margins, all(0 <= margin <= 1 for margin in self.margins), "three numbers from 0 to 1")
        _check(
            "restart_epochs",
            self.restart_epochs,
            self.restart_epochs is None or self.restart_epochs >= 1,
            "1 or more, or None",
        )
        _check("loss", self.loss, self.loss in LOSSES, f"one of {', '.join(LOSSES)}")
        _check("monitor", self.monitor, self.monitor in (*MONITORS, None), f"one of {', '.join(MONITORS)}, or None")
        _check("patience", self.patience, self.patience is None or self.patience >= 1, "1 or more, or None")
        _check("patience", self.patience, self.patience is None or self.monitor is not None, "None without a monitor")
        _check(
            "decay_epochs", self.decay_epochs, self.decay_epochs is None or self.decay_epochs >= 1, "1 or more, or None"
        )
        only_one = self.decay_epochs is None or self.restart_epochs is None
        _check("decay_epochs", self.decay_epochs, only_one, "None with restart_epochs")
        _check("decay_factor", self.decay_factor, 0 < self.decay_factor <= 1, "above 0 and at most 1")
        _check("accumulation", self.accumulation, self.accumulation >= 1, "1 or more")
        _check("precision", self.precision, self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")

    def learning_rate_at(self, epoch):
        """The rate at the start of (possibly fractional) `epoch`, counted from 0."""
        if self.decay_epochs is not None:
            return self.learning_rate * self.decay_factor ** (epoch // self.decay_epochs)
        if self.restart_epochs is None:
            return self.learning_rate
        fraction = (epoch % self.restart_epochs) / self.restart_epochs
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))

    def to_dict(self):
        """The recipe as plain values, for manifests and digests.

        What joined later is left out at its default, so that the digests of earlier runs still hold.
        """
        defaults = {field.name: field.default for field in fields(self) if field.name in _LATER}
        return {name: value for name, value in asdict(self).items() if name not in _LATER or value != defaults[name]}


_LATER = ("decay_epochs", "decay_factor", "accumulation", "precision")


def _check(name, value, holds, allowed):
    if not holds:
        raise SertfError(f"Recipe {name} must be {allowed}, but is {value!r}.")
