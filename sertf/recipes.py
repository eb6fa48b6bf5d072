"""A training recipe: everything that decides a fit besides the model, the data and the seed."""

import math
from dataclasses import asdict, dataclass

from sertf.errors import SertfError

OPTIMIZERS = ("adam", "sgd")
LOSSES = ("cross_entropy", "balanced_margin")
MONITORS = {"uar": "max", "loss": "min"}


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

    def learning_rate_at(self, epoch):
        """The rate at the start of (possibly fractional) `epoch`, counted from 0."""
        if self.restart_epochs is None:
            return self.learning_rate
        fraction = (epoch % self.restart_epochs) / self.restart_epochs
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))

    def to_dict(self):
        """The recipe as plain values, for manifests and digests."""
        return asdict(self)


def _check(name, value, holds, allowed):
    if not holds:
        raise SertfError(f"Recipe {name} must be {allowed}, but is {value!r}.")
