"""A training recipe: everything that decides a fit besides the model, the data and the seed."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sertf.errors import SertfError, is_number

OPTIMIZERS = ("adam", "sgd")
LOSSES = ("cross_entropy", "balanced_margin")
MONITORS = {"uar": "max", "loss": "min"}
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        learning_rate: the optimizer's rate; the highest one with annealing.
        optimizer: "adam" or "sgd".
        momentum: momentum of SGD.
        l2: penalty added to the gradient of every trainable weight, l2 · w (PyTorch's coupled weight decay).
        dropout: rate for the model's builder; None leaves the builder's default.
        batch_size: utterances a step.
        loss: "cross_entropy", or SpeechNet's "balanced_margin", which weighs classes by their inverse frequency.
        margins: margins of the balanced margin loss, (α1, α2, α3).
        epochs: passes over the training part.
        restart_epochs: cosine annealing down to 1 % of the rate, restarted every so many epochs; None keeps the rate.
        monitor: validation score that picks the weights to keep: highest "uar", or lowest "loss". The loss includes the
            penalty of `l2`, which falls during training. None keeps the last epoch's weights, for protocols without a
            validation part.
        patience: epochs without improvement of `monitor` before stopping; None trains all epochs.
        decay_epochs: multiply the rate by `decay_factor` after every so many epochs; None keeps the rate.
        decay_factor: see `decay_epochs`.
        accumulation: batches whose gradients are averaged to one optimizer step. A step then covers accumulation ·
            batch_size utterances with the memory of one batch. Batches left over at the end make no step.
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
        for name in ("learning_rate", "momentum", "l2", "decay_factor"):
            _check(name, getattr(self, name), is_number(getattr(self, name)), "a number")
        _check("dropout", self.dropout, self.dropout is None or is_number(self.dropout), "a number, or None")
        _check("learning_rate", self.learning_rate, 0 < self.learning_rate < math.inf, "a finite number above 0")
        _check("optimizer", self.optimizer, self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}")
        _check("momentum", self.momentum, 0 <= self.momentum < 1, "from 0 to below 1")
        _check("momentum", self.momentum, self.momentum == 0 or self.optimizer == "sgd", "0 but for sgd")
        _check("l2", self.l2, 0 <= self.l2 < math.inf, "finite, 0 or more")
        _check("dropout", self.dropout, self.dropout is None or 0 <= self.dropout < 1, "from 0 to below 1, or None")
        for name in ("batch_size", "epochs", "accumulation"):
            _check(name, getattr(self, name), _is_count(getattr(self, name)), "a whole number of 1 or more")
        for name in ("restart_epochs", "patience", "decay_epochs"):
            value = getattr(self, name)
            _check(name, value, value is None or _is_count(value), "a whole number of 1 or more, or None")
        three = isinstance(self.margins, tuple) and len(self.margins) == 3
        three = three and all(is_number(margin) and 0 <= margin <= 1 for margin in self.margins)
        _check("margins", self.margins, three, "three numbers from 0 to 1")
        _check("loss", self.loss, self.loss in LOSSES, f"one of {', '.join(LOSSES)}")
        _check("monitor", self.monitor, self.monitor in (*MONITORS, None), f"one of {', '.join(MONITORS)}, or None")
        _check("patience", self.patience, self.patience is None or self.monitor is not None, "None without a monitor")
        only_one = self.decay_epochs is None or self.restart_epochs is None
        _check("decay_epochs", self.decay_epochs, only_one, "None with restart_epochs")
        _check("decay_factor", self.decay_factor, 0 < self.decay_factor <= 1, "above 0 and at most 1")
        _check("precision", self.precision, self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")

    def learning_rate_at(self, epoch: float) -> float:
        """The rate at the start of (possibly fractional) `epoch`, counted from 0."""
        if self.decay_epochs is not None:
            return self.learning_rate * self.decay_factor ** (epoch // self.decay_epochs)
        if self.restart_epochs is None:
            return self.learning_rate
        fraction = (epoch % self.restart_epochs) / self.restart_epochs
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fraction)))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for manifests and digests.

        Fields added later are left out at their defaults, so that the digests of earlier runs still hold.
        """
        defaults = {field.name: field.default for field in fields(self) if field.name in _LATER}
        return {name: value for name, value in asdict(self).items() if name not in _LATER or value != defaults[name]}


@dataclass(frozen=True)
class Tuned:
    """The result of a search: a model and its recipe, as in a recipe file.

    Attributes:
        model: name in `sertf.models.MODELS`, or "module:function" of a custom model.
        recipe: `Recipe`.
        options: searched keyword arguments of the model's builder; they replace those of an experiment.
        corpus: the corpus whose speakers the search used; None for a recipe without a search.
    """

    model: str
    recipe: Recipe
    options: dict = field(default_factory=dict)
    corpus: str | None = None


def write_recipe(path: Path | str, tuned: Tuned) -> None:
    """Write a recipe file, JSON: model, options, recipe and the corpus of the search, null without one."""
    content: dict[str, Any] = {"model": tuned.model, "options": dict(tuned.options), "recipe": asdict(tuned.recipe)}
    content["corpus"] = tuned.corpus
    Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_recipe(path: Path | str) -> Tuned:
    """Read a recipe file.

    Args:
        path: JSON of a model's name, its options, the corpus of the search, and a recipe. Options and corpus may be left
            out. Fields missing in the recipe have their defaults.

    Returns:
        Tuned.

    Raises:
        SertfError: no such file, not JSON, an unknown or missing key, or a value of the wrong type or range.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SertfError(f"{path}: cannot be read ({error.strerror}); give a recipe file.") from error
    except ValueError as error:
        raise SertfError(
            f"{path} is not a recipe file: it is not JSON ({error}); give a file from sertf tune."
        ) from error
    _check_table(path, "the file", content, {"model", "recipe"}, {"model", "options", "recipe", "corpus"})
    corpus = content.get("corpus")
    for name, value in (("model", content["model"]), ("corpus", "" if corpus is None else corpus)):
        if not isinstance(value, str):
            raise SertfError(f"{path}: {name} must be a name, but is {value!r}.")
    options, values = content.get("options", {}), content["recipe"]
    _check_table(path, "recipe", values, set(), {entry.name for entry in fields(Recipe)})
    if not isinstance(options, dict):
        raise SertfError(f"{path}: options must be a table of names and values, but is {options!r}.")
    # JSON has lists only; builders and recipes take tuples.
    options = {name: _tuples(value) for name, value in options.items()}
    values = {entry.name: _typed(path, entry, values[entry.name]) for entry in fields(Recipe) if entry.name in values}
    try:
        return Tuned(content["model"], Recipe(**values), options, corpus)
    except SertfError as error:
        raise SertfError(f"{path}: {error}") from error


def _check_table(path, name, table, needed, known):
    if not isinstance(table, dict):
        raise SertfError(f"{path}: {name} must be a table of names and values, but is {table!r}.")
    unknown, missing = sorted(set(table) - known), sorted(needed - set(table))
    if unknown:
        raise SertfError(f"{path}: {name} has the unknown key '{unknown[0]}'; known are {', '.join(sorted(known))}.")
    if missing:
        raise SertfError(f"{path}: {name} lacks {', '.join(missing)}.")


def _typed(path, entry, value):
    """A recipe's value as its field's type; raise unless JSON has that type."""
    if isinstance(value, list):
        value = tuple(value)
    numbers = [is_number(part) for part in _parts(value)]
    fits = {
        float: all(numbers) and not isinstance(value, tuple),
        float | None: value is None or (all(numbers) and not isinstance(value, tuple)),
        int: isinstance(value, int) and all(numbers),
        int | None: value is None or (isinstance(value, int) and all(numbers)),
        str: isinstance(value, str),
        str | None: value is None or isinstance(value, str),
        tuple[float, float, float]: isinstance(value, tuple) and len(value) == 3 and all(numbers),
    }[entry.type]
    if not fits:
        wanted = entry.type.__name__ if entry.type in (float, int, str) else str(entry.type)
        raise SertfError(f"{path}: recipe {entry.name} must be of type {wanted}, but is {value!r}.")
    return value


def _parts(value):
    return value if isinstance(value, tuple) else (value,)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


_LATER = ("decay_epochs", "decay_factor", "accumulation", "precision")


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check(name, value, holds, allowed):
    if not holds:
        raise SertfError(f"Recipe {name} must be {allowed}, but is {value!r}.")
