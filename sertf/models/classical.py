"""Models of scikit-learn, for reference, in the shape that the runner gives a network: features in, scores out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.errors import SertfError

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def build_svm(*, seed: int, C: float = 10.0, gamma: float | str = "scale") -> "ClassifierMixin":
    """Support vector machine with a radial kernel; deterministic, so that the seed changes nothing.

    Its scores are the softmax of the one-against-rest decision values: the order is the machine's own, the values are no
    calibrated probabilities.
    """
    from sklearn.svm import SVC

    return SVC(C=C, gamma=gamma, break_ties=True)


def build_gradient_boosting(
    *, seed: int, trees: int = 200, subsample: float = 0.8, max_features: float | str | None = "sqrt"
) -> "ClassifierMixin":
    """Stochastic gradient boosting of trees of depth 3 (Friedman 2002)."""
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(
        n_estimators=trees, subsample=subsample, max_features=max_features, random_state=seed
    )


def check_values(model: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError for options that the model's estimator does not take, in scikit-learn's words."""
    from sklearn.utils._param_validation import InvalidParameterError

    estimator = CLASSICAL[model](seed=0, **options)
    try:
        estimator._validate_params()
    except InvalidParameterError as error:
        raise SertfError(f"Options of {model}: {error}") from error


CLASSICAL: dict[str, Callable[..., "ClassifierMixin"]] = {
    "svm": build_svm,
    "gradient_boosting": build_gradient_boosting,
}


def check_fitted_on(arrays: Sequence[np.ndarray], labels: np.ndarray, classes: int) -> None:
    """Refuse what no model can be fitted on in one go.

    Raises:
        SertfError: arrays of different shapes, labels that are not one class index an array, or a class without an
        utterance.
    """
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise SertfError(
            f"A model that is fitted in one go needs features of one shape, got {len(shapes)}, such as {shapes[0]} and "
            f"{shapes[-1]}; use a front end of fixed length, such as fused_statistics."
        )
    if np.shape(labels) != (len(arrays),) or not np.isin(labels, range(classes)).all():
        raise SertfError(
            f"A model that is fitted in one go needs labels of shape ({len(arrays)},), one an utterance, from 0 to "
            f"{classes - 1}, got the shape {np.shape(labels)} and values {sorted(set(np.ravel(labels).tolist()))}."
        )
    absent = sorted(set(range(classes)) - set(np.asarray(labels).tolist()))
    if absent:
        raise SertfError(f"The training part has no utterance of the classes {absent}; use fewer folds.")


class ClassicalModel:
    """A scikit-learn classifier on flattened features of one shape.

    Args:
        estimator: classifier with `predict_proba` or `decision_function`.
        classes: number of emotions; the training part must hold each.
    """

    def __init__(self, estimator: "ClassifierMixin", *, classes: int):
        self.estimator = estimator
        self.classes = classes

    def fit(self, arrays: Sequence[np.ndarray], labels: np.ndarray) -> "ClassicalModel":
        """Fit on a list of (steps, dims) arrays of one shape and their class indices, (n,).

        Raises:
            SertfError: arrays of different shapes, labels that are not one class index an array, or a class without an
            utterance.
        """
        check_fitted_on(arrays, labels, self.classes)
        self.estimator.fit(flat(arrays), labels)
        return self

    def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
        """Scores, (utterances, classes) float32 that sum to 1, of a batch (utterances, steps, dims)."""
        rows = flat(batch)
        if hasattr(self.estimator, "predict_proba"):
            return self.estimator.predict_proba(rows).astype("float32")
        values = self.estimator.decision_function(rows)
        if values.ndim == 1:  # two classes have one decision value
            values = np.stack([-values, values], axis=1)
        exponentials = np.exp(values - values.max(axis=1, keepdims=True))
        return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype("float32")

    def save(self, path: Path | str) -> None:
        """Write the fitted estimator with joblib."""
        import joblib

        joblib.dump(self.estimator, path)


def flat(arrays: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Utterances' features side by side, (utterances, values)."""
    stacked = np.stack(list(arrays))
    return stacked.reshape(len(stacked), -1)
