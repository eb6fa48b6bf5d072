"""Linear models for a grid of penalties, of which validation speakers choose; fitted at once, they become a Keras network.

Features are clipped and standardised when they come here. All three minimise a loss in which every class counts the same,
plus a penalty on the squared kernel. Groups of values may count less, see `scales_of`. Where a training part has several
corpora, each counts the same within a class:

- `ridge`: squared error to targets of 1 and -1, in closed form.
- `logistic`: multinomial cross-entropy, by scikit-learn.
- `linear_svm`: hinge loss, one against rest, by scikit-learn.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.errors import SertfError, is_number, unknown
from sertf.models.classical import flat
from sertf.models.confidence import SAME, Curve
from sertf.models.ridge import Leverage, Linear, balanced_weights, class_targets, fit_ridge, softmax
from sertf.models.self_training import correction

if TYPE_CHECKING:
    import keras

INNER_FOLDS = 5
"""Folds of the training part that choose a penalty where there is no validation part."""

CLIP = 8.0
"""Deviations beyond which a scaled feature counts no further: one odd frame must not decide."""

Fit = Callable[[np.ndarray, np.ndarray, int, Sequence[float], np.ndarray], list[Linear]]


def ridge(
    features: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float], weights: np.ndarray
) -> list[Linear]:
    """A ridge classifier for each penalty; `weights` (rows,) have a mean of 1 in each class."""
    weights = balanced_weights(labels, classes) * weights
    return fit_ridge(features, class_targets(labels, classes), penalties, weights)


def logistic(
    features: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float], weights: np.ndarray
) -> list[Linear]:
    """Logistic regression for each penalty, scikit-learn's with C = 1 / penalty; `weights` as of `ridge`."""
    from sklearn.linear_model import LogisticRegression

    def fit(rows, penalty):
        machine = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=2000, tol=1e-5)
        return machine.fit(rows, labels, weights)

    return _in_row_space(features, classes, penalties, fit)


def linear_svm(
    features: np.ndarray, labels: np.ndarray, classes: int, penalties: Sequence[float], weights: np.ndarray
) -> list[Linear]:
    """Linear support vector machine for each penalty; `weights` as of `ridge`.

    scikit-learn's SVC, one against rest, with C = 1 / penalty. It reads the products of rows with rows, which are few
    beside the dimensions. The kernel is the sum of the support vectors by their dual coefficients.
    """
    from sklearn.svm import SVC

    mean = features.mean(axis=0, dtype="float64")
    centred = features - mean  # changes no solution, as the bias is free, and keeps the products small
    products = centred @ centred.T
    found = []
    for penalty in penalties:
        sides = [
            SVC(C=1 / penalty, kernel="precomputed", class_weight="balanced", tol=1e-8).fit(
                products, labels == side, weights
            )
            for side in (range(classes) if classes > 2 else [1])
        ]
        kernels = [centred[side.support_].T @ side.dual_coef_[0] for side in sides]
        found.append(_linear(np.stack(kernels), np.array([side.intercept_[0] for side in sides]), mean, classes))
    return found


def _in_row_space(features, classes, penalties, fit):
    """Fit by scikit-learn on the rows' coordinates in the space that they span.

    A penalised kernel lies in that space, so the solution is the same, found in as many dimensions as there are rows.
    """
    mean = features.mean(axis=0, dtype="float64")
    centred = features - mean
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[sizes > 1e-9 * sizes[0]].T  # (dims, rank)
    rows = centred @ axes
    found = []
    for penalty in penalties:
        machine = fit(rows, penalty)
        found.append(_linear(machine.coef_ @ axes.T, machine.intercept_, mean, classes))
    return found


def _linear(coefficients, bias, mean, classes):
    """The model of scikit-learn's coefficients (outputs, dims) and bias for features from which `mean` was taken."""
    if classes == 2:  # scikit-learn has one decision value; half of it on either side has the same difference
        coefficients, bias = (np.concatenate([-values, values]) / 2 for values in (coefficients, bias))
    return Linear(coefficients.T, bias - coefficients @ mean)


LINEAR: dict[str, Fit] = {"ridge": ridge, "logistic": logistic, "linear_svm": linear_svm}

PENALTIES: dict[str, tuple[float, ...]] = {
    "ridge": tuple(float(f"{10 ** (step / 2):.3g}") for step in range(2, 14)),
    "logistic": tuple(float(10**step) for step in range(-1, 6)),
    "linear_svm": tuple(float(f"{10 ** (step / 2):.3g}") for step in range(4, 12)),
}
"""The grid of each model."""

OPTIONS = ("penalty", "group_scales")


def check_values(model: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError unless the options are a penalty and scales of groups above 0, or none."""
    for name, value in options.items():
        if name not in OPTIONS:
            raise SertfError(unknown(f"option of {model}", name, OPTIONS))
        if name == "penalty" and value is not None and not (is_number(value) and value > 0):
            raise SertfError(f"{model}: penalty must be a number above 0, or None to choose it, got {value!r}.")
        if name == "group_scales" and not (
            isinstance(value, tuple | list) and value and all(is_number(one) and one > 0 for one in value)
        ):
            raise SertfError(f"{model}: group_scales must be numbers above 0, one a group of values, got {value!r}.")


def scales_of(model: str, options: Mapping[str, Any], dims: int) -> np.ndarray:
    """The factor of each value of a clip, (dims,) float32, by the option `group_scales`; ones without it.

    The option names one factor for each of as many groups of neighbouring values, all of one size. A group of factor s
    has a penalty of 1 / s² times the others', as in banded ridge regression (Nunez-Elizalde et al. 2019, *NeuroImage* 197).

    Raises:
        SertfError: groups of unlike sizes.
    """
    scales = options.get("group_scales", (1.0,))
    if dims % len(scales):
        raise SertfError(f"{model}: {dims} values cannot be cut into {len(scales)} groups of one size.")
    return np.repeat(np.asarray(scales, "float32"), dims // len(scales))


def corpus_weights(labels: np.ndarray, corpora: np.ndarray) -> np.ndarray:
    """Weights (rows,) with a mean of 1 in each class, by which the corpora of a class count the same.

    >>> corpus_weights(np.array([0, 0, 0, 1]), np.array(["a", "a", "b", "a"]))
    array([0.75, 0.75, 1.5 , 1.  ])
    """
    weights = np.ones(len(labels))
    for label in np.unique(labels):
        own = labels == label
        _, corpus, counts = np.unique(corpora[own], return_inverse=True, return_counts=True)
        weights[own] = own.sum() / len(counts) / counts[corpus]
    return weights


def inner_folds(labels: np.ndarray, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Folds of the training part, which choose a penalty: pairs of indices, (those that train, those that are scored).

    Args:
        labels: (rows,).
        groups: (rows,) speakers or corpora, none of which is on both sides; None, or one alone, deals rows by label.

    Returns:
        Up to `INNER_FOLDS` folds; none where a label has a single row to deal.
    """
    from sklearn.model_selection import GroupKFold, StratifiedKFold

    if groups is not None and len(np.unique(groups)) > 1:
        return list(GroupKFold(min(INNER_FOLDS, len(np.unique(groups)))).split(labels, labels, groups))
    count = min(INNER_FOLDS, np.bincount(labels).min())
    return list(StratifiedKFold(count, shuffle=True, random_state=0).split(labels, labels)) if count > 1 else []


def network(
    fitted: Linear,
    input_shape: tuple[int, ...],
    *,
    name: str,
    scales: np.ndarray | None = None,
    curve: Curve | None = None,
    self_training: bool = False,
) -> "keras.Model":
    """The network of a linear model: clipped, flattened, one dense layer, and a softmax.

    Its scores keep the order of the model's own values. Without a curve they are no calibrated probabilities.

    Args:
        fitted: kernel (values of `input_shape`, classes) and bias.
        input_shape: of one utterance's scaled features, (frames, dims).
        name: of the network.
        scales: (values,) by which the values were multiplied before the model was fitted; None is ones.
        curve: of the temperature over a clip's leverage, by which the values are divided.
        self_training: keep the leverage also without a curve, for `self_trained_scores`.
    """
    import keras

    from sertf.layers.leverage import LeverageTemperature

    features = keras.Input(input_shape, name="features")
    flat = keras.layers.Flatten(name="flat")(keras.ops.clip(features, -CLIP, CLIP))
    values = keras.layers.Dense(len(fitted.bias), dtype="float32", name="decision_values")(flat)
    divided, leverage = values, fitted.leverage
    if scales is None:
        scales = np.ones(len(fitted.kernel))
    if curve is None and self_training:
        curve = SAME
    if curve is not None:
        assert leverage is not None, "a curve is of a ridge regression's leverage"
        layer = LeverageTemperature(leverage.axes.shape[1], name="temperature")
        divided = values / layer(flat)
        layer.set_weights([scales, leverage.centre, leverage.axes, np.array(leverage.penalty), np.array(curve)])
    made = keras.Model(features, keras.layers.Softmax(dtype="float32", name="scores")(divided), name=name)
    made.get_layer("decision_values").set_weights([fitted.kernel * scales[:, None], fitted.bias])
    return made


def flat_rows(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Scaled features of utterances, (rows, values) as the network's dense layer sees them."""
    return np.clip(flat(arrays), -CLIP, CLIP)


def self_trained_scores(network: "keras.Model", rows: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """Scores (rows, classes) of the network of a ridge regression, which first trains itself on rows of known speakers.

    Args:
        network: of `network` with `self_training`.
        rows: of `flat_rows`.
        enrolled: (rows,) bool, those that it trains itself on, see `sertf.models.self_training`.
    """
    fitted = Linear(*(weights.astype("float64") for weights in network.get_layer("decision_values").get_weights()))
    scales, centre, axes, penalty, curve = network.get_layer("temperature").get_weights()
    leverage = Leverage(centre.astype("float64"), axes.astype("float64"), float(penalty))
    values, scaled = fitted.values(rows), rows * scales
    if enrolled.any():
        gained = correction(scaled[enrolled], values[enrolled], leverage)
        values = values + gained.values(scaled)
    return softmax(values / Curve(*map(float, curve))(leverage(scaled))[:, None]).astype("float32")
