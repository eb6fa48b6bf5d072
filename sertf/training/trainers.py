"""Trainers of networks, of the zoo or custom, and the one that belongs to a model's name.

`find` resolves a model's name once. Planning, training, searching and exporting then ask the trainer. Those of linear and
scikit-learn models, `sertf.training.fitted_at_once`, have the same interface.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sertf.custom import models as custom_models
from sertf.custom.code import is_custom
from sertf.errors import SertfError, unknown
from sertf.training import batches, network
from sertf.training.checkpoint import Checkpoint
from sertf.training.environment import environment
from sertf.training.fit import WEIGHTS, Fitted, RunError, fit
from sertf.training.fitted_at_once import LinearModel, Options, ScikitLearn, TrainerError
from sertf.training.linear_start import start_linearly
from sertf.training.recipe import Recipe
from sertf.training.representations import representations
from sertf.training.scaling import Part, Parts

if TYPE_CHECKING:
    import keras

    from sertf.extraction.online_copies import OnlineCopies
    from sertf.features import FrontEnd

OwnRecipe = Any
"""A `Recipe`. Callers of any trainer also hold None, for models that are fitted at once."""


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
        self_trains: whether clips of known speakers train it further, without labels.
    """

    name: str
    needs_one_length: ClassVar[bool] = False
    exportable: ClassVar[bool] = True
    self_trains: ClassVar[bool] = False

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
        speakers: Mapping[str, str] | None = None,
        corpora: Mapping[str, str] | None = None,
        speakers_known: bool = False,
        taught: np.ndarray | None = None,
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
            speakers: training utterance to speaker. Linear models cut their inner folds by it; a network has none.
            corpora: training utterance to corpus, likewise.
            speakers_known: whether the features were scaled by speaker; a network trains the same.
            taught: (training utterances, emotions) probabilities of a teacher; None trains without.

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
            taught=taught,
            distillation=recipe.distillation,
            by_length=recipe.batching == "length",
        )
        together = batches.utterances_at_once(recipe)
        validation = None
        if parts["validation"].utterances:
            validation = batches.Batches(parts["validation"], together, classes=soft)

        def build():
            model = self.build(options, recipe, input_shape, classes)
            training.smallest = network.smallest_batch(model)
            self._check_untrained(model, parts["train"], recipe)
            if recipe.linear_start:
                start_linearly(model, parts["train"], emotions=emotions, seed=seed, speakers=speakers, corpora=corpora)
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
        self, model: "keras.Model", part: Part, predict: Callable, front_end: "FrontEnd"
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
        return network.load_network(place)


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


Trainer = Network | CustomNetwork | LinearModel | ScikitLearn


def _scores_of(part, batch_size):
    """Function of a model and its loss to the scores of `part`, as columns of the history."""

    def columns_of(model, loss):
        outputs, columns = batches.uar_and_wa(model, part, batch_size)
        return {f"test_{name}": value for name, value in {"loss": float(loss(part.labels, outputs)), **columns}.items()}

    return columns_of
