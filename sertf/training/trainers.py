"""Trainers: a network of the zoo, a custom network, a linear model, a scikit-learn model. One interface for all.

`find` resolves a model's name once. Planning, training, searching and exporting then ask the trainer.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from sertf.custom import models as custom_models
from sertf.custom.code import is_custom
from sertf.errors import SertfError, unknown
from sertf.evaluation import scores
from sertf.training import batches, network, scaling
from sertf.training.checkpoint import Checkpoint
from sertf.training.environment import environment
from sertf.training.fit import WEIGHTS, Fitted, RunError, fit
from sertf.training.recipe import Recipe
from sertf.training.representations import representations

if TYPE_CHECKING:
    import keras

    from sertf.extraction.online_copies import OnlineCopies
    from sertf.features import FrontEnd

Options = Mapping[str, Any]
OwnRecipe = Any
"""A `Recipe` for a network, None for a model that is fitted as a whole."""
Parts = Mapping[str, scaling.Part]


class TrainerError(SertfError):
    """A recipe that does not fit a model."""


def find(model: str) -> "Trainer":
    """The trainer of a model's name: a key of `MODELS`, `LINEAR` or `CLASSICAL`, or "module:function".

    Raises:
        SertfError: an unknown name; the message suggests the nearest.
    """
    if is_custom(model):
        return CustomNetwork(model)
    from sertf.models import MODELS
    from sertf.models.classical import CLASSICAL
    from sertf.models.linear import LINEAR

    if model in LINEAR:
        return LinearModel(model)
    if model in CLASSICAL:
        return ScikitLearn(model)
    if model not in MODELS:
        raise SertfError(unknown("model", model, [*MODELS, *LINEAR, *CLASSICAL]))
    return Network(model)


@dataclass(frozen=True)
class Network:
    """A network of the zoo, trained by a recipe.

    Attributes:
        name: key of `sertf.models.MODELS`.
        needs_one_length: whether all clips must give features of one shape.
        exportable: whether a SavedModel can hold it.
    """

    name: str
    needs_one_length: ClassVar[bool] = False
    exportable: ClassVar[bool] = True

    @property
    def builder(self) -> Callable[..., "keras.Model"]:
        """Function of input_shape, num_classes and options to an uncompiled Keras model."""
        from sertf.models import MODELS

        return MODELS[self.name]

    def check_options(self, options: Options) -> None:
        """Raise SertfError for options, or values of options, that the builder does not take."""
        from sertf.models.options import check_names

        check_names(self.name, self.builder, options)
        self.builder.check_values(options)  # type: ignore[attr-defined]

    def takes(self, option: str) -> bool:
        """Whether the builder takes an option."""
        return option in inspect.signature(self.builder).parameters

    def check_recipe(self, variant: str, recipe: Recipe | None) -> None:
        """Raise TrainerError unless the recipe fits a variant of this model."""
        if recipe is None:
            raise TrainerError(f"{variant} trains {self.name}, a network, but has no recipes; give one by protocol.")
        if recipe.dropout is not None and not self.takes("dropout"):
            raise TrainerError(
                f"The recipe of {variant} has a dropout of {recipe.dropout:g}, but {self.name} takes none; use a recipe "
                "with dropout=None."
            )

    def chosen_by_validation(self, variant: str, options: Options, recipe: OwnRecipe) -> tuple[str, str] | None:
        """A sentence on what the validation part chooses, and what to do without one; None where it chooses nothing."""
        if recipe.monitor is None:
            return None
        return (
            f"The recipe of {variant} keeps the weights of the best validation {recipe.monitor}",
            "Use a recipe with monitor=None",
        )

    def described(self, options: Options) -> dict:
        """The facts of the model that decide a run, as plain values."""
        return {"name": self.name, "options": dict(options)}

    def pinned(self) -> "Network":
        """The trainer for planned runs."""
        return self

    def is_tried_first(self, recipe: OwnRecipe) -> bool:
        """Whether to build the network once before training, because such small batches may not suit it."""
        return recipe.batch_size < network.SMALLEST_WITH_NORM

    def build(self, options: Options, recipe: OwnRecipe, input_shape: tuple, num_classes: int) -> "keras.Model":
        """Build the network for training with a recipe.

        Raises:
            RunError, SertfError: as `sertf.training.network.build_network`.
        """
        return network.build_network(self.builder, options, recipe, input_shape, num_classes)

    def try_out(self, options: Options, recipe: OwnRecipe, input_shape: tuple, num_classes: int) -> None:
        """Build the network and drop it; raises what `build` raises."""
        self.build(options, recipe, input_shape, num_classes)

    def fit(
        self,
        parts: Parts,
        options: Options,
        recipe: OwnRecipe,
        *,
        input_shape: tuple,
        emotions: tuple[str, ...],
        seed: int,
        online_copies: "OnlineCopies | None" = None,
        watch_test: bool = False,
        checkpoint: Checkpoint | None = None,
    ) -> Fitted:
        """Train on the training part and keep the weights of the epoch that the recipe chooses.

        Args:
            parts: parts of one fold, by name; the validation part may be empty.
            options: keyword arguments of the builder.
            recipe: the recipe.
            input_shape: shape of the features of one utterance.
            emotions: in the order of the scores.
            seed: seed of all random draws.
            online_copies: copies of training utterances drawn anew every epoch.
            watch_test: log the test part's scores after each epoch; they decide nothing.
            checkpoint: where the state after each epoch is stored; None stores none.

        Raises:
            Diverged, RunError: as `sertf.training.fit.fit`.
        """
        from sertf import losses

        classes = len(emotions)
        weights = None
        if recipe.loss == "balanced_margin" or recipe.class_weights == "balanced":
            weights = losses.class_weights(parts["train"].labels, classes, names=emotions)
        soft = classes if recipe.soft_targets else None
        training = batches.Batches(
            parts["train"],
            recipe.batch_size,
            seed=seed,
            fresh=online_copies,
            classes=soft,
            class_weights=weights if recipe.class_weights == "balanced" else None,
            augmentation=recipe.spectrogram_augmentation,
            mixup=recipe.mixup,
        )
        together = utterances_at_once(recipe)
        validation = None
        if parts["validation"].utterances:
            validation = batches.Batches(parts["validation"], together, classes=soft)

        def build():
            model = self.build(options, recipe, input_shape, classes)
            training.smallest = network.smallest_batch(model)
            self._check_untrained(model, parts["train"], recipe)
            return model

        return fit(
            build,
            recipe,
            train=training,
            validation=validation,
            num_classes=classes,
            seed=seed,
            class_weights=weights,
            watch=_scores_of(parts["test"], together) if watch_test else None,
            checkpoint=checkpoint,
        )

    def _check_untrained(self, model, part, recipe):
        """Nothing to check: the zoo's networks give probabilities from the start."""

    def representations(
        self, model: "keras.Model", part: scaling.Part, predict: Callable, front_end: "FrontEnd"
    ) -> dict[str, np.ndarray]:
        """Arrays for figures, see `sertf.training.representations.representations`."""
        return representations(model, part, predict, front_end)

    def parameters(self, model: "keras.Model") -> int | None:
        """Number of trained weights."""
        return int(sum(np.prod(weight.shape) for weight in model.trainable_weights))

    def environment(self) -> dict:
        """Versions, backend and device for a manifest."""
        return environment()

    def load(self, place: Path) -> "keras.Model":
        """The trained network of a run's folder.

        Raises:
            OSError, ValueError, TypeError: a file that cannot be loaded.
        """
        return _load_network(place)


@dataclass(frozen=True)
class CustomNetwork(Network):
    """A custom network, named "module:function".

    Attributes:
        source: digest of the module's file when the runs were planned; None before.
    """

    source: str | None = None

    @property
    def builder(self) -> Callable[..., "keras.Model"]:
        """The custom function, with checks of its result."""
        build = custom_models.find(self.name)

        @functools.wraps(build)
        def checked(input_shape, num_classes, **options):
            made = build(input_shape, num_classes, **options)
            custom_models.check_network(self.name, made, num_classes)
            return made

        return checked

    def check_options(self, options: Options) -> None:
        custom_models.check_options(self.name, options)

    def takes(self, option: str) -> bool:
        return custom_models.takes(self.name, option)

    def described(self, options: Options) -> dict:
        return {**super().described(options), "source": custom_models.source_digest(self.name)}

    def pinned(self) -> "CustomNetwork":
        """The trainer that refuses any later version of the custom module."""
        return replace(self, source=custom_models.source_digest(self.name))

    def is_tried_first(self, recipe: OwnRecipe) -> bool:
        return True

    def try_out(self, options: Options, recipe: OwnRecipe, input_shape: tuple, num_classes: int) -> None:
        custom_models.check_restorable(self.name, self.build(options, recipe, input_shape, num_classes))

    def _check_untrained(self, model, part, recipe):
        if self.source is not None and custom_models.source_digest(self.name) != self.source:
            raise RunError(
                f"{self.name} is another version here than where the runs were planned; run the same command "
                "again, with one version on all machines."
            )
        if recipe.loss == "cross_entropy":
            first = part.taken([0], part.utterances[:1])
            custom_models.check_scores(self.name, batches.predict(model, first))

    def load(self, place: Path) -> "keras.Model":
        # Imported for its layers. A network of Keras's layers loads without the module.
        with contextlib.suppress(SertfError):
            custom_models.find(self.name)
        try:
            return super().load(place)
        except (OSError, ValueError, TypeError, KeyError) as error:
            if not (place / WEIGHTS[0]).is_file():
                raise
            raise SertfError(
                f"{place}: the network of {self.name} cannot be loaded ({custom_models.reason_of(error)}). Its layers are in its "
                "module; put the module's folder on PYTHONPATH."
            ) from error


@dataclass(frozen=True)
class FittedAtOnce:
    """What linear and scikit-learn models share: no recipe, and features of one shape.

    Attributes:
        name: key of `sertf.models.linear.LINEAR` or `sertf.models.classical.CLASSICAL`.
    """

    name: str
    needs_one_length: ClassVar[bool] = True

    def check_recipe(self, variant: str, recipe: Recipe | None) -> None:
        """Raise TrainerError for any recipe."""
        if recipe is not None:
            raise TrainerError(f"{variant} fits {self.name} as a whole, without a recipe; give recipes=None.")

    def chosen_by_validation(self, variant: str, options: Options, recipe: OwnRecipe) -> tuple[str, str] | None:
        """None: the validation part chooses nothing."""
        return None

    def described(self, options: Options) -> dict:
        """The facts of the model that decide a run, as plain values."""
        return {"name": self.name, "options": dict(options)}

    def pinned(self) -> Self:
        """The trainer for planned runs."""
        return self

    def is_tried_first(self, recipe: OwnRecipe) -> bool:
        """False: there is nothing to build."""
        return False

    def try_out(self, options: Options, recipe: OwnRecipe, input_shape: tuple, num_classes: int) -> None:
        """Do nothing: there is nothing to build."""

    def representations(
        self, model: object, part: scaling.Part, predict: Callable, front_end: "FrontEnd"
    ) -> dict[str, np.ndarray]:
        """An empty result: it has no inner layers."""
        return {}

    def environment(self) -> dict:
        """Versions for a manifest."""
        return environment("scikit-learn")


@dataclass(frozen=True)
class LinearModel(FittedAtOnce):
    """A linear model, whose penalty the validation part chooses; it is saved and exported as a Keras network."""

    exportable: ClassVar[bool] = True

    def check_options(self, options: Options) -> None:
        """Raise SertfError for options other than a penalty above 0."""
        from sertf.models import linear

        linear.check_values(self.name, options)

    def takes(self, option: str) -> bool:
        """Whether the model takes an option."""
        return option == "penalty"

    def chosen_by_validation(self, variant: str, options: Options, recipe: OwnRecipe) -> tuple[str, str] | None:
        """The penalty, unless it is given."""
        if options.get("penalty"):
            return None
        return f"The penalty of {variant} is chosen by validation UAR", "Give the option penalty"

    def fit(
        self,
        parts: Parts,
        options: Options,
        recipe: OwnRecipe,
        *,
        input_shape: tuple,
        emotions: tuple[str, ...],
        seed: int,
        **_: object,
    ) -> Fitted:
        """Fit on the training part by each penalty of the grid, and keep the one of the best validation UAR.

        The history has one row a penalty. Of equal UARs the lowest validation loss counts.
        Arguments as for `Network.fit`; the others have no effect.

        Raises:
            SertfError: features of different shapes, or an emotion without an utterance.
            RunError: no validation part, and no option `penalty`.
        """
        from sertf.models import linear
        from sertf.models.classical import check_fitted_on

        penalties = [options["penalty"]] if options.get("penalty") else linear.PENALTIES[self.name]
        if len(penalties) > 1 and not parts["validation"].utterances:
            raise RunError(
                f"The penalty of {self.name} is chosen by validation UAR, but the protocol has no validation part; give "
                "the option penalty, or use a protocol that holds speakers out."
            )
        train, classes = parts["train"], len(emotions)
        check_fitted_on(train.arrays, train.labels, classes)
        found = linear.LINEAR[self.name](linear.flat_rows(train.arrays), train.labels, classes, penalties, seed)
        models = [linear.network(one, input_shape, name=self.name) for one in found]
        rows = [
            {"epoch": number, "penalty": penalty, **_history_columns(model, parts)}
            for number, (penalty, model) in enumerate(zip(penalties, models, strict=True), 1)
        ]
        best = min(range(len(rows)), key=lambda i: (-rows[i]["val_uar"], rows[i]["val_loss"])) if len(rows) > 1 else 0
        return Fitted(models[best], pd.DataFrame(rows), best + 1)

    def parameters(self, model: "keras.Model") -> int:
        """Number of weights."""
        return int(model.count_params())

    def load(self, place: Path) -> "keras.Model":
        """The linear model of a run's folder, as a network.

        Raises:
            OSError, ValueError, TypeError: a file that cannot be loaded.
        """
        return _load_network(place)


@dataclass(frozen=True)
class ScikitLearn(FittedAtOnce):
    """A scikit-learn classifier that is no linear model. No SavedModel can hold it."""

    exportable: ClassVar[bool] = False

    def check_options(self, options: Options) -> None:
        """Raise SertfError for options, or values of options, that the estimator does not take."""
        from sertf.models import classical
        from sertf.models.options import check_names

        check_names(self.name, classical.CLASSICAL[self.name], options)
        classical.check_values(self.name, options)

    def takes(self, option: str) -> bool:
        """Whether the estimator takes an option."""
        from sertf.models.classical import CLASSICAL

        return option in inspect.signature(CLASSICAL[self.name]).parameters

    def fit(
        self,
        parts: Parts,
        options: Options,
        recipe: OwnRecipe,
        *,
        emotions: tuple[str, ...],
        seed: int,
        **_: object,
    ) -> Fitted:
        """Fit on the training part. The history is one row, with the cross-entropy of the probabilities as loss.

        Arguments as for `Network.fit`; the others have no effect.
        """
        from sertf.models.classical import CLASSICAL, ClassicalModel

        model = ClassicalModel(CLASSICAL[self.name](seed=seed, **options), classes=len(emotions))
        model.fit(parts["train"].arrays, parts["train"].labels)
        history = pd.DataFrame([{"epoch": 1, **_history_columns(model, parts)}])
        return Fitted(model, history, 1, WEIGHTS[1])

    def parameters(self, model: object) -> None:
        """None: its parameters are not counted."""
        return None

    def load(self, place: Path) -> "keras.Model":
        """Raise SertfError: a scikit-learn model cannot be exported."""
        raise SertfError(
            f"{place} holds a scikit-learn model ({self.name}), which no SavedModel can hold; export a network or a linear "
            "model such as ridge."
        )


Trainer = Network | CustomNetwork | LinearModel | ScikitLearn


def utterances_at_once(recipe: Recipe | None) -> int:
    """Utterances to score at once: no more than the training batch if batches are split to fit a device's memory."""
    return 64 if recipe is None or recipe.accumulation == 1 else min(64, recipe.batch_size)


def _load_network(place):
    import keras

    import sertf.models  # noqa: F401  loading a network needs its layers registered

    return keras.saving.load_model(place / WEIGHTS[0], compile=False)


def _history_columns(model, parts):
    """Cross-entropy, UAR and WA of the training and validation part, as columns of the history."""
    row: dict[str, float] = {}
    for prefix, name in (("", "train"), ("val_", "validation")):
        part, columns = parts[name], dict.fromkeys(("loss", "uar", "wa"), np.nan)
        if part.utterances:
            outputs, columns = _uar_and_wa(model, part, utterances_at_once(None))
            of_truth = outputs[np.arange(len(outputs)), part.labels]
            columns["loss"] = float(-np.log(np.maximum(of_truth, 1e-7)).mean())
        row |= {f"{prefix}{key}": value for key, value in columns.items()}
    return row


def _scores_of(part, batch_size):
    """Function of a model and its loss to the scores of `part`, as columns of the history."""

    def columns_of(model, loss):
        outputs, columns = _uar_and_wa(model, part, batch_size)
        return {f"test_{name}": value for name, value in {"loss": float(loss(part.labels, outputs)), **columns}.items()}

    return columns_of


def _uar_and_wa(model, part, batch_size):
    """Outputs of a model for a part, and their UAR and WA."""
    outputs = batches.predict(model, part, batch_size=batch_size)
    chosen = outputs.argmax(axis=1)
    return outputs, {"uar": scores.uar(part.labels, chosen), "wa": scores.wa(part.labels, chosen)}
