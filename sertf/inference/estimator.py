"""A scikit-learn classifier of audio files: features of a front end, and ridge regression on them."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sertf.errors import SertfError, is_number
from sertf.extraction.cache import FeatureCache
from sertf.inference import bundled
from sertf.inference.card import read_card
from sertf.models.linear import PENALTIES, flat_rows, inner_folds
from sertf.models.ridge import Linear, balanced_weights, class_targets, fit_ridge, softmax
from sertf.training.fitted_at_once import of_penalty
from sertf.training.scaling import Scaling

if TYPE_CHECKING:
    from sertf.features import FrontEnd


class SpeechEmotionClassifier(ClassifierMixin, BaseEstimator):
    """Recognize emotions in audio files, as a scikit-learn estimator.

    A front end gives one vector a clip, and ridge regression classifies it. Every emotion counts the same. Inner folds choose
    the penalty, and calibrate the probabilities by a temperature. With several groups they share none. Features stay in
    the cache, so a further fit on the same files takes seconds.

    X is a sequence of paths of audio files, in any format that `sertf.load` reads. y holds any labels.

    Args:
        front_end: key of `sertf.features.FEATURES` with one number of frames for all clips. None takes that of the default
            recognizer, with the weights that ship with it.
        front_end_options: keyword arguments of the front end; None takes its defaults.
        penalty: of the ridge regression, above 0; None chooses it.
        cache: folder of the features.
        workers: threads that compute features; None uses every core.

    Attributes:
        classes_: (classes,) the labels, sorted.
        penalty_: the penalty.
        temperature_: of the probabilities; 1 where a class has one clip.
        linear_: kernel and bias, `sertf.models.ridge.Linear`.
        scaling_: mean and deviation of the features.

    >>> SpeechEmotionClassifier(penalty=100.0)
    SpeechEmotionClassifier(penalty=100.0)
    """

    def __init__(
        self,
        *,
        front_end: str | None = None,
        front_end_options: Mapping[str, Any] | None = None,
        penalty: float | None = None,
        cache: Path | str = "~/.cache/sertf",
        workers: int | None = None,
    ):
        self.front_end = front_end
        self.front_end_options = front_end_options
        self.penalty = penalty
        self.cache = cache
        self.workers = workers

    def fit(self, X: Sequence[Path | str], y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit on labelled clips.

        Args:
            X: paths, (clips,).
            y: labels, (clips,).
            groups: speakers, (clips,); inner folds keep the clips of a speaker together. None deals clips by label.

        Returns:
            The estimator.

        Raises:
            SertfError: no paths, files that cannot be used, other numbers of labels or groups, fewer than two labels, or a
                penalty or front end that is none.
        """
        paths, y = _paths(X), np.asarray(y)
        if self.penalty is not None and not (is_number(self.penalty) and self.penalty > 0):
            raise SertfError(f"penalty must be a number above 0, or None to choose it, but is {self.penalty!r}.")
        for name, values in (("y", y), ("groups", None if groups is None else np.asarray(groups))):
            if values is not None and values.shape != (len(paths),):
                raise SertfError(
                    f"{name} must hold one value a path, shape ({len(paths)},), but has the shape {values.shape}."
                )
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise SertfError(f"y must hold two labels or more, but holds only {self.classes_[0]!r}; add other clips.")
        features = self._features(paths)
        penalties = PENALTIES["ridge"] if self.penalty is None else (float(self.penalty),)
        self.penalty_, self.temperature_ = self._chosen(features, labels, penalties, groups)
        self.scaling_, (self.linear_,) = _fitted(features, labels, (self.penalty_,), len(self.classes_))
        return self

    def decision_function(self, X: Sequence[Path | str]) -> np.ndarray:
        """Values of the ridge regression, (clips, classes); (clips,) for two classes, positive for the second."""
        values = self._values(X)
        return values[:, 1] - values[:, 0] if values.shape[1] == 2 else values

    def predict_proba(self, X: Sequence[Path | str]) -> np.ndarray:
        """Calibrated probabilities, (clips, classes), in the order of `classes_`."""
        values = self._values(X)
        return softmax(values / self.temperature_)

    def predict(self, X: Sequence[Path | str]) -> np.ndarray:
        """Label of each clip, (clips,)."""
        values = self._values(X)
        return self.classes_[values.argmax(axis=1)]

    def _values(self, X):
        check_is_fitted(self)
        rows = flat_rows([self.scaling_(array) for array in self._features(_paths(X))])
        return rows @ self.linear_.kernel + self.linear_.bias

    def _features(self, paths):
        """The features of clips, arrays of one shape (frames, dims)."""
        options = tuple(sorted((self.front_end_options or {}).items()))
        table = pd.DataFrame({"utterance": [str(number) for number in range(len(paths))], "path": paths})
        found = FeatureCache(self.cache).extract(
            table, _front_end(self.front_end, options), workers=self.workers, progress=False
        )
        return found.load(table["utterance"])

    def _chosen(self, features, labels, penalties, groups):
        """The penalty that does best over inner folds, and the temperature that suits their values."""
        folds = inner_folds(labels, None if groups is None else np.asarray(groups))
        if not folds:
            if len(penalties) > 1:
                raise SertfError(
                    "Inner folds choose the penalty, but a label has one clip only; add clips, or give the penalty."
                )
            return penalties[0], 1.0
        values = np.zeros((len(penalties), len(labels), len(self.classes_)))
        for train, test in folds:
            own, others = ([features[i] for i in part] for part in (train, test))
            scaling, models = _fitted(own, labels[train], penalties, len(self.classes_))
            rows = flat_rows([scaling(array) for array in others])
            for found, linear in zip(values, models, strict=True):
                found[test] = rows @ linear.kernel + linear.bias
        losses, temperatures = zip(*(of_penalty(labels, softmax(row)) for row in values))
        best = int(np.argmin(losses))
        return penalties[best], temperatures[best]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = True, True, False
        return tags


@functools.lru_cache(maxsize=4)
def _front_end(name: str | None, options: tuple[tuple[str, Any], ...]) -> "FrontEnd":
    from sertf import features

    if name is None:
        if options:
            raise SertfError("front_end_options need a front_end; the default recognizer's has its own options.")
        default = read_card(bundled.folder_of())["front_end"]
        return features.find(default["name"])(**default["config"])
    made = features.find(name)(**dict(options))
    if made.feature_shape[0] is None:
        fixed = "whisper, functionals and fused_statistics"
        raise SertfError(f"The front end {name} gives clips of other lengths other shapes; use {fixed}, or None.")
    return made


def _paths(X):
    if isinstance(X, str | Path) or np.ndim(X) != 1:
        raise SertfError("X must be a sequence of paths of audio files, (clips,); put a single path into a list.")
    paths = list(X)
    wrong = [path for path in paths if not isinstance(path, str | Path)]
    if wrong or not paths:
        what = f"holds {wrong[0]!r}" if wrong else "is empty"
        raise SertfError(f"X must be a sequence of paths of audio files, but {what}.")
    return [str(path) for path in paths]


def _fitted(features, labels, penalties, classes) -> tuple[Scaling, list[Linear]]:
    scaling = Scaling.fit(features)
    rows = flat_rows([scaling(array) for array in features])
    return scaling, fit_ridge(rows, class_targets(labels, classes), penalties, balanced_weights(labels, classes))
