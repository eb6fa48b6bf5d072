"""A training recipe: everything that decides a fit besides the model, the data and the seed."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sertf.errors import SertfError, is_number
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation

OPTIMIZERS = ("adam", "adamw", "sgd")
LOSSES = ("cross_entropy", "balanced_margin")
MONITORS = {"uar": "max", "loss": "min", "data_loss": "min"}
PRECISIONS = ("float32", "bfloat16")
CLASS_WEIGHTS = ("balanced",)
ANNEALINGS = ("batch", "epoch")
BATCHINGS = ("length", "random")
WARMUP_START = 1 / 25
"""Share of the rate that a warm-up starts at, as of PyTorch's one-cycle schedule."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        learning_rate: the optimizer's rate; the highest one with annealing.
        optimizer: "adam", "adamw" or "sgd".
        momentum: momentum of SGD.
        l2: penalty added to the gradient of every trainable weight, l2 · w (PyTorch's coupled weight decay).
        dropout: rate for the model's builder; None leaves the builder's default.
        batch_size: utterances a step.
        loss: "cross_entropy", or SpeechNet's "balanced_margin", which weighs classes by their inverse frequency.
        margins: margins of the balanced margin loss, (α1, α2, α3).
        epochs: passes over the training part.
        restart_epochs: cosine annealing down to 1 % of the rate, restarted every so many epochs; None keeps the rate.
        monitor: validation score that picks the weights to keep: highest "uar", lowest "loss" or lowest "data_loss". The
            loss includes the penalty of `l2`, which falls during training; data_loss, which needs l2, does not. None
            keeps the last epoch's weights, for protocols without a validation part.
        patience: epochs without improvement of `monitor` before stopping; None trains all epochs.
        decay_epochs: multiply the rate by `decay_factor` after every so many epochs; None keeps the rate.
        decay_factor: see `decay_epochs`.
        accumulation: batches whose gradients are averaged to one optimizer step. A step then covers accumulation ·
            batch_size utterances with the memory of one batch. Batches left over at the end make no step.
        precision: "float32", or "bfloat16" for the arithmetic between weights, scores and loss, which stay float32.
        weight_decay: of AdamW, decoupled from the gradient: a step takes rate · weight_decay · w off each weight w.
        warmup_epochs: one cycle. The rate rises evenly over so many epochs, from 1/25 of `learning_rate` to all of it.
            Then it falls along a cosine to 0 at the end of the last epoch. 0 has the fall alone, None neither.
        label_smoothing: share of each target that is spread evenly over the classes.
        mixup: each example is mixed with another one of its batch, by a share from Beta(mixup, mixup); 0 mixes none.
        ema: the kept weights are the exponential moving average of those after each step, of this momentum; so are the
            ones that are validated. None keeps the last ones.
        class_weights: "balanced" weighs each utterance in the loss by the inverse frequency of its class; None does not.
            It excludes `l2`, whose data_loss would not be weighted.
        distillation: share of each target that a teacher's probabilities have (Hinton et al. 2015, arXiv:1503.02531, with
            the same share for all examples); the variant names the teacher. 0 has none.
        linear_start: the last layer starts at ridge regression's solution on what enters it, see
            `sertf.training.linear_start`; for pretrained networks.
        spectrogram_augmentation: what is done to the training part's spectrograms, anew in every epoch; None does nothing.
        annealing: of `restart_epochs`, how often the rate follows the cosine: after each "batch", or after each "epoch".
        batching: training batches hold utterances of similar "length", or "random" ones, padded to the longest.
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
    weight_decay: float = 0.0
    warmup_epochs: int | None = None
    label_smoothing: float = 0.0
    mixup: float = 0.0
    ema: float | None = None
    class_weights: str | None = None
    distillation: float = 0.0
    linear_start: bool = False
    spectrogram_augmentation: SpectrogramAugmentation | None = None
    annealing: str = "batch"
    batching: str = "length"

    def __post_init__(self):
        for name in (
            "learning_rate",
            "momentum",
            "l2",
            "decay_factor",
            "weight_decay",
            "label_smoothing",
            "mixup",
            "distillation",
        ):
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
        needs = self.monitor != "data_loss" or self.l2 > 0
        _check("monitor", self.monitor, needs, "loss where l2 is 0, which is the data's loss")
        _check("patience", self.patience, self.patience is None or self.monitor is not None, "None without a monitor")
        only_one = self.decay_epochs is None or self.restart_epochs is None
        _check("decay_epochs", self.decay_epochs, only_one, "None with restart_epochs")
        _check_warmup(self)
        _check("decay_factor", self.decay_factor, 0 < self.decay_factor <= 1, "above 0 and at most 1")
        _check("precision", self.precision, self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        _check("weight_decay", self.weight_decay, 0 <= self.weight_decay < math.inf, "finite, 0 or more")
        adamw = self.weight_decay == 0 or self.optimizer == "adamw"
        _check("weight_decay", self.weight_decay, adamw, "0 but for adamw; the penalty of other optimizers is l2")
        _check("label_smoothing", self.label_smoothing, 0 <= self.label_smoothing < 1, "from 0 to below 1")
        _check("mixup", self.mixup, 0 <= self.mixup < math.inf, "finite, 0 or more")
        _check("distillation", self.distillation, 0 <= self.distillation <= 1, "from 0 to 1")
        fits = self.ema is None or (is_number(self.ema) and 0 < self.ema < 1)
        _check("ema", self.ema, fits, "above 0 and below 1, or None")
        _check("linear_start", self.linear_start, isinstance(self.linear_start, bool), "True or False")
        fits = self.class_weights in (None, *CLASS_WEIGHTS)
        _check("class_weights", self.class_weights, fits, f"{', '.join(CLASS_WEIGHTS)}, or None")
        only_one = self.class_weights is None or self.l2 == 0
        _check("class_weights", self.class_weights, only_one, "None with l2 (use adamw's weight_decay)")
        altered = self.spectrogram_augmentation
        fits = altered is None or isinstance(altered, SpectrogramAugmentation)
        _check("spectrogram_augmentation", altered, fits, "a SpectrogramAugmentation, or None")
        _check("annealing", self.annealing, self.annealing in ANNEALINGS, f"one of {', '.join(ANNEALINGS)}")
        restarts = self.annealing == "batch" or self.restart_epochs is not None
        _check("annealing", self.annealing, restarts, "batch without restart_epochs")
        _check("batching", self.batching, self.batching in BATCHINGS, f"one of {', '.join(BATCHINGS)}")
        for name, default in (("label_smoothing", 0), ("mixup", 0), ("class_weights", None), ("distillation", 0)):
            value = getattr(self, name)
            fits = value == default or self.loss == "cross_entropy"
            _check(name, value, fits, f"{default} but for the loss cross_entropy")

    @property
    def soft_targets(self) -> bool:
        """Whether targets are shares of the classes in place of one class."""
        return self.label_smoothing > 0 or self.mixup > 0 or self.distillation > 0

    def learning_rate_at(self, epoch: float) -> float:
        """The rate at the start of (possibly fractional) `epoch`, counted from 0."""
        if self.warmup_epochs is not None and epoch < self.warmup_epochs:
            return self.learning_rate * (WARMUP_START + (1 - WARMUP_START) * epoch / self.warmup_epochs)
        if self.warmup_epochs is not None:
            fraction = (epoch - self.warmup_epochs) / (self.epochs - self.warmup_epochs)
            return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
        if self.decay_epochs is not None:
            return self.learning_rate * self.decay_factor ** (epoch // self.decay_epochs)
        if self.restart_epochs is None:
            return self.learning_rate
        if self.annealing == "epoch":
            epoch = math.floor(epoch)
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
    altered = values.get("spectrogram_augmentation")
    if altered is not None:
        known = {entry.name for entry in fields(SpectrogramAugmentation)}
        _check_table(path, "spectrogram_augmentation", altered, {"frames"}, known)
        values = {**values, "spectrogram_augmentation": _augmentation(path, altered)}
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


def _augmentation(path, values):
    try:
        return SpectrogramAugmentation(**values)
    except SertfError as error:
        raise SertfError(f"{path}: {error}") from error


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
        bool: isinstance(value, bool),
        str | None: value is None or isinstance(value, str),
        SpectrogramAugmentation | None: value is None or isinstance(value, SpectrogramAugmentation),
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


_LATER = (
    "decay_epochs",
    "decay_factor",
    "accumulation",
    "precision",
    "weight_decay",
    "warmup_epochs",
    "label_smoothing",
    "mixup",
    "ema",
    "class_weights",
    "distillation",
    "linear_start",
    "spectrogram_augmentation",
    "annealing",
    "batching",
)


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check_warmup(recipe):
    warmup = recipe.warmup_epochs
    whole = isinstance(warmup, int) and not isinstance(warmup, bool) and 0 <= warmup < recipe.epochs
    _check("warmup_epochs", warmup, warmup is None or whole, f"from 0 to below the {recipe.epochs} epochs, or None")
    only_one = warmup is None or (recipe.decay_epochs is None and recipe.restart_epochs is None)
    _check("warmup_epochs", warmup, only_one, "None with decay_epochs or restart_epochs")


def _check(name, value, holds, allowed):
    if not holds:
        raise SertfError(f"Recipe {name} must be {allowed}, but is {value!r}.")
