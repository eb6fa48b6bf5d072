"""Trainers of models that are fitted at once, without epochs: linear and scikit-learn models."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation import scores as evaluation
from sertf.evaluation.calibration import fit_temperature, probabilities
from sertf.models.confidence import fit_curve
from sertf.models.ridge import balanced_weights, softmax
from sertf.models.self_training import correction
from sertf.training import batches
from sertf.training.environment import environment
from sertf.training.fit import WEIGHTS, Fitted, RunError
from sertf.training.network import load_network
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part, Parts

if TYPE_CHECKING:
    import keras

    from sertf.features import FrontEnd

Options = Mapping[str, Any]


class TrainerError(SertfError):
    """A recipe that does not fit a model."""


@dataclass(frozen=True)
class FittedAtOnce:
    """What linear and scikit-learn models share: no recipe, and features of one shape.

    Attributes:
        name: key of `sertf.models.linear.LINEAR` or `sertf.models.classical.CLASSICAL`.
    """

    name: str
    needs_one_length: ClassVar[bool] = True

    @property
    def self_trains(self) -> bool:
        """Whether clips of known speakers train it further, without labels."""
        return False

    def check_recipe(self, variant: str, recipe: Recipe | None) -> None:
        """Raise TrainerError for any recipe."""
        if recipe is not None:
            raise TrainerError(f"{variant} fits {self.name} as a whole, without a recipe; give recipes=None.")

    def chosen_by_validation(self, variant: str, options: Options, recipe: Recipe | None) -> tuple[str, str] | None:
        """None: the validation part chooses nothing."""
        return None

    def described(self, options: Options) -> dict:
        """The facts of the model that decide a run, as plain values."""
        return {"name": self.name, "options": dict(options)}

    def pinned(self) -> Self:
        """The trainer for planned runs."""
        return self

    def is_tried_first(self, recipe: Recipe | None) -> bool:
        """False: there is nothing to build."""
        return False

    def try_out(self, options: Options, recipe: Recipe | None, input_shape: tuple, num_classes: int) -> None:
        """Do nothing: there is nothing to build."""

    def representations(
        self, model: object, part: Part, predict: Callable, front_end: "FrontEnd"
    ) -> dict[str, np.ndarray]:
        """An empty result: it has no inner layers."""
        return {}

    def environment(self) -> dict:
        """Versions for a manifest."""
        return environment("scikit-learn")


@dataclass(frozen=True)
class LinearModel(FittedAtOnce):
    """A linear model, whose penalty the validation part chooses; it is saved and exported as a Keras network.

    Attributes:
        by_leverage: whether ridge regression on several corpora is less sure of clips unlike those of training, see
            `sertf.models.confidence`.
    """

    by_leverage: bool = True
    exportable: ClassVar[bool] = True

    @property
    def self_trains(self) -> bool:
        """Ridge regression does, see `sertf.models.self_training`."""
        return self.name == "ridge"

    def check_options(self, options: Options) -> None:
        """Raise SertfError for options other than a penalty above 0 and scales of groups."""
        from sertf.models import linear

        linear.check_values(self.name, options)

    def takes(self, option: str) -> bool:
        """Whether the model takes an option."""
        from sertf.models import linear

        return option in linear.OPTIONS

    def fit(
        self,
        parts: Parts,
        options: Options,
        recipe: Recipe | None,
        *,
        input_shape: tuple,
        emotions: tuple[str, ...],
        seed: int,
        speakers: Mapping[str, str] | None = None,
        corpora: Mapping[str, str] | None = None,
        speakers_known: bool = False,
        **_: object,
    ) -> Fitted:
        """Fit on the training part by each penalty of the grid, and keep the one of the best validation UAR.

        Of equal UARs the lowest validation loss counts. Without a validation part the training part is cut into inner
        folds, speakers apart. Each scores its clips by models of the others. The penalty of the lowest loss counts, as
        `of_penalty` has it, and all of the training part fits the model. Of several corpora each is an inner fold too,
        since a penalty that suits another corpus is higher: the loss is the mean over both cuts. There ridge regression
        divides its values by a temperature that grows with the leverage of a clip, fitted on both cuts. The history has
        one row a penalty. Where speakers are known, ridge regression trains itself on the clips that score a penalty too.
        Arguments as for `Network.fit`; the others have no effect.

        Raises:
            SertfError: features of different shapes, an emotion without an utterance, or groups of unlike sizes.
            RunError: no validation part, an emotion of one utterance, and no option `penalty`.
        """
        from sertf.models import linear
        from sertf.models.classical import check_fitted_on

        penalties = [options["penalty"]] if options.get("penalty") else linear.PENALTIES[self.name]
        train, classes = parts["train"], len(emotions)
        check_fitted_on(train.arrays, train.labels, classes)
        rows = linear.flat_rows(train.arrays)
        scales = linear.scales_of(self.name, options, rows.shape[1])
        rows = rows * scales

        corpus = None if corpora is None else np.array([corpora[u] for u in train.utterances])
        speaker = None if speakers is None else np.array([speakers[u] for u in train.utterances])

        def fit(own):
            labels = train.labels[own]
            weights = np.ones(len(labels)) if corpus is None else linear.corpus_weights(labels, corpus[own])
            return linear.LINEAR[self.name](rows[own], labels, classes, penalties, weights)

        def values_of(one, scored):
            values = one.values(scored)
            if speakers_known and self.self_trains:
                values = values + correction(scored, values, one.leverage).values(scored)
            return values

        validation = parts["validation"]
        held_out = linear.flat_rows(validation.arrays) * scales if validation.utterances else None
        models, columns = fit(np.arange(len(rows))), []
        for one in models:
            row = {f"val_{name}": np.nan for name in ("loss", "uar", "wa")}
            if held_out is not None:
                row = {
                    f"val_{name}": value
                    for name, value in _scores(validation.labels, softmax(values_of(one, held_out))).items()
                }
            columns.append({**_scores(train.labels, one.scores(rows)), **row})
        cuts: list[_Cut] = []
        if len(penalties) > 1 and held_out is None:
            cuts = [_Cut.made(fit, values_of, rows, linear.inner_folds(train.labels, speaker))]
            if not cuts[0].values:
                raise RunError(
                    f"The penalty of {self.name} is chosen by inner folds of the training part, but one of its emotions has "
                    "a single utterance; give the option penalty, or use a protocol with a validation part."
                )
            if corpus is not None and _each_has_all(train.labels, corpus):
                cuts.append(_Cut.made(fit, values_of, rows, linear.inner_folds(train.labels, corpus)))
            for place, row in enumerate(columns):
                outputs = [softmax(cut.values[place]) for cut in cuts]
                row |= {f"val_{name}": value for name, value in _scores(train.labels, outputs[0]).items()}
                row["val_loss"] = float(np.mean([of_penalty(train.labels, one)[0] for one in outputs]))
        history = pd.DataFrame(
            [{"epoch": i, "penalty": penalty, **row} for i, (penalty, row) in enumerate(zip(penalties, columns), 1)]
        )
        best = 0
        if cuts:
            best = min(range(len(columns)), key=lambda i: columns[i]["val_loss"])
        elif len(penalties) > 1:
            best = min(range(len(columns)), key=lambda i: (-columns[i]["val_uar"], columns[i]["val_loss"]))
        outputs, curve = [cut.values[best] for cut in cuts], None
        if len(cuts) > 1 and self.name == "ridge" and self.by_leverage:
            assert corpus is not None, "there is a cut by corpora"
            weights = balanced_weights(train.labels, classes) * linear.corpus_weights(train.labels, corpus)
            leverages = [cut.leverages[best] for cut in cuts]
            curve = fit_curve(train.labels, outputs, leverages, weights)
            outputs = [values / curve(of_rows)[:, None] for values, of_rows in zip(outputs, leverages, strict=True)]
        model = linear.network(
            models[best],
            input_shape,
            name=self.name,
            scales=scales,
            curve=curve,
            self_training=speakers_known and self.self_trains,
        )
        scores = [softmax(values) for values in outputs]
        return Fitted(
            model,
            history,
            best + 1,
            out_of_fold=scores[0] if scores else None,
            out_of_corpus=scores[1] if len(scores) > 1 else None,
        )

    def parameters(self, model: "keras.Model") -> int:
        """Number of weights."""
        return int(model.count_params())

    def load(self, place: Path) -> "keras.Model":
        """The linear model of a run's folder, as a network.

        Raises:
            OSError, ValueError, TypeError: a file that cannot be loaded.
        """
        return load_network(place)


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
        recipe: Recipe | None,
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


class _Cut(NamedTuple):
    """Inner folds of the training part: what models of the other folds say of each row, by penalty.

    Attributes:
        values: (rows, classes) decision values.
        leverages: (rows,); zeros of models without one.
    """

    values: list[np.ndarray]
    leverages: list[np.ndarray]

    @classmethod
    def made(cls, fit: Callable, values_of: Callable, rows: np.ndarray, folds: list) -> Self:
        """By functions of indices to a linear model a penalty, and of a model and rows to values.

        The folds are pairs of indices (that train, that are scored).
        """
        cut = cls([], [])
        for fitted_on, scored in folds:
            found = fit(fitted_on)
            if not cut.values:
                cut.values.extend(np.zeros((len(rows), len(one.bias))) for one in found)
                cut.leverages.extend(np.zeros(len(rows)) for _ in found)
            for values, leverages, one in zip(cut.values, cut.leverages, found, strict=True):
                values[scored] = values_of(one, rows[scored])
                if one.leverage is not None:
                    leverages[scored] = one.leverage(rows[scored])
        return cut


def of_penalty(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """How well a penalty does by inner folds: cross-entropy and temperature of its scores.

    The cross-entropy is that of the scores over their best temperature, and every class counts the same. It is smoother
    than UAR, which few clips decide.

    Args:
        labels: (utterances,).
        scores: (utterances, classes), of a softmax.
    """
    temperature = fit_temperature(labels, scores)
    of_truth = probabilities(scores, temperature)[np.arange(len(labels)), labels]
    weights = balanced_weights(labels, scores.shape[1])
    return float(-np.average(np.log(np.maximum(of_truth, 1e-12)), weights=weights)), temperature


def _each_has_all(labels, corpora):
    """Whether there are several corpora and each has every label, so that any one can be left out."""
    pairs = set(zip(labels, corpora))
    count = len(set(corpora))
    return count > 1 and len(pairs) == count * len(set(labels))


def _history_columns(model, parts):
    """Cross-entropy, UAR and WA of the training and validation part, as columns of the history."""
    row: dict[str, float] = {}
    for prefix, name in (("", "train"), ("val_", "validation")):
        part, columns = parts[name], dict.fromkeys(("loss", "uar", "wa"), np.nan)
        if part.utterances:
            columns = _scores(part.labels, np.asarray(batches.predict(model, part)))
        row |= {f"{prefix}{key}": value for key, value in columns.items()}
    return row


def _scores(labels, outputs):
    of_truth, chosen = outputs[np.arange(len(outputs)), labels], outputs.argmax(axis=1)
    loss = float(-np.log(np.maximum(of_truth, 1e-7)).mean())
    return {"loss": loss, "uar": evaluation.uar(labels, chosen), "wa": evaluation.wa(labels, chosen)}
