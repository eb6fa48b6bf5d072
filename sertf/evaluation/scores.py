"""Scores of predictions: pure functions of NumPy arrays, and the same from tables of predictions.

Labels may be strings or integers. A table of predictions has the columns utterance, speaker, repeat, fold and truth,
and after them one column of scores an emotion, named by the emotion.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sertf.errors import SertfError

FACT_COLUMNS = ("utterance", "speaker", "repeat", "fold", "truth")
"""The columns of a table of predictions that are no scores."""

BY_EMOTION = {"recall": "Recall", "precision": "Precision", "f1": "F1"}
"""The scores of each emotion, by their keys in `scores_of`, with the names that a report prints."""

BY_FOLD = ("uar", "wa")
"""The scores that a report prints of each fold."""


class PrecisionRecall(NamedTuple):
    """Precision and recall, each from 0 to 1."""

    precision: float
    recall: float


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Count how often each label was recognised as each label: rows are the truth, columns the prediction.

    Args:
        truth: true labels, shape (n,).
        predicted: predicted labels, shape (n,).
        labels: every label that may occur, in the order of rows and columns, shape (k,).

    Returns:
        Integer array of shape (k, k) whose sum is n.

    Raises:
        SertfError: if the arrays are empty or differ in length, a label is missing (None or NaN), or is not among `labels`.

    >>> confusion_matrix(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    array([[1, 1],
           [0, 1]])
    """
    truth, predicted = _pair(truth, predicted)
    labels = np.asarray(labels)
    if len(labels) == 0 or len(set(labels.tolist())) != len(labels):
        raise SertfError(f"labels must name each label once, got {labels.tolist()}.")
    rows, columns = _codes("truth", truth, labels), _codes("predicted", predicted, labels)
    counts = np.bincount(rows * len(labels) + columns, minlength=len(labels) ** 2)
    return counts.reshape(len(labels), len(labels))


def recall_per_class(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> dict[Any, float]:
    """Share of each label's utterances that was recognised, as a dict in the order of `labels`.

    recall_k = hits_k / utterances of k. A label without utterances has no recall and is left out.

    >>> recall_per_class(["a", "a", "b"], ["a", "b", "b"])
    {'a': 0.5, 'b': 1.0}
    """
    labels = _labels(truth, predicted, labels)
    matrix = confusion_matrix(truth, predicted, labels)
    totals = matrix.sum(axis=1)
    names = np.asarray(labels).tolist()
    return {label: float(matrix[k, k] / totals[k]) for k, label in enumerate(names) if totals[k]}


def precision_per_class(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> dict[Any, float]:
    """Share of each label's predictions that was right, 0 for a label that is never predicted.

    precision_k = hits_k / predictions of k. A label without utterances is left out, as in `recall_per_class`.

    >>> precision_per_class(["a", "a", "b"], ["a", "b", "b"])
    {'a': 1.0, 'b': 0.5}
    """
    labels = _labels(truth, predicted, labels)
    matrix = confusion_matrix(truth, predicted, labels)
    totals, chosen = matrix.sum(axis=1), np.maximum(matrix.sum(axis=0), 1)
    names = np.asarray(labels).tolist()
    return {label: float(matrix[k, k] / chosen[k]) for k, label in enumerate(names) if totals[k]}


def f1_per_class(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> dict[Any, float]:
    """F1_k = 2 hits_k / (utterances of k + predictions of k) of each label that has utterances.

    >>> {label: round(f1, 4) for label, f1 in f1_per_class(["a", "a", "b"], ["a", "b", "b"]).items()}
    {'a': 0.6667, 'b': 0.6667}
    """
    labels = _labels(truth, predicted, labels)
    f1, totals, _ = _f1(truth, predicted, labels)
    return {label: float(f1[k]) for k, label in enumerate(np.asarray(labels).tolist()) if totals[k]}


def uar(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> float:
    """Unweighted average recall: the mean of the labels' recalls (Schuller et al. 2009), "UA" in part of the field.

    UAR = 1/|K| · sum over k in K of recall_k, K the labels that have utterances. Chance is 1/|K|.

    >>> uar(["a", "a", "b"], ["a", "b", "b"])
    0.75
    """
    return float(np.mean(list(recall_per_class(truth, predicted, labels).values())))


def wa(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> float:
    """Weighted accuracy: the plain share of utterances recognised, since each recall weighs by its label's share.

    WA = sum over k of hits_k / n.

    >>> round(wa(["a", "a", "b"], ["a", "b", "b"]), 4)
    0.6667
    """
    matrix = confusion_matrix(truth, predicted, _labels(truth, predicted, labels))
    return float(np.trace(matrix) / matrix.sum())


def macro_f1(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> float:
    """Mean over labels of F1_k = 2 hits_k / (utterances of k + predictions of k).

    Over the labels that occur in truth or prediction, as scikit-learn's `f1_score(average="macro")` does.

    >>> round(macro_f1(["a", "a", "b"], ["a", "b", "b"]), 4)
    0.6667
    """
    f1, _, occurs = _f1(truth, predicted, labels)
    return float(f1[occurs].mean())


def macro_precision(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> float:
    """Mean over labels of hits_k / predictions of k, 0 for a label that is never predicted; macro recall is the UAR.

    Over the labels that occur in truth or prediction, as scikit-learn's `precision_score(average="macro")` does.

    >>> macro_precision(["a", "a", "b"], ["a", "b", "b"])
    0.75
    """
    matrix = confusion_matrix(truth, predicted, _labels(truth, predicted, labels))
    chosen = matrix.sum(axis=0)
    occurs = (matrix.sum(axis=1) + chosen) > 0
    return float((np.diag(matrix) / np.maximum(chosen, 1))[occurs].mean())


def weighted_f1(truth: ArrayLike, predicted: ArrayLike, labels: ArrayLike | None = None) -> float:
    """Mean over labels of F1_k (see `macro_f1`), weighted by the label's share of the utterances.

    >>> round(weighted_f1(["a", "a", "b", "b", "b"], ["a", "b", "b", "b", "b"]), 4)
    0.781
    """
    f1, totals, _ = _f1(truth, predicted, labels)
    return float((f1 * totals).sum() / totals.sum())


def thresholded_precision_recall(truth: ArrayLike, scores: ArrayLike, threshold: float = 0.5) -> PrecisionRecall:
    """Micro-averaged precision and recall of the decisions "score above the threshold", as SpeechNet prints them.

    With hits = how many utterances give their true label a score above the threshold: precision = hits / how many
    scores of any label lie above it (0 if none does), recall = hits / n. Recall differs from accuracy, because an
    utterance whose largest score stays below the threshold is decided for no label. Source: SpeechNet (BSPC 2025),
    Table 3; `keras.metrics.Precision` and `Recall` compute the same on one-hot labels.

    Args:
        truth: index of the true label, integers from 0 to classes - 1, shape (n,).
        scores: probabilities, shape (n, classes).
        threshold: what a score must exceed.

    Raises:
        SertfError: on empty or non-finite scores, on shapes that do not fit, on an index out of range.

    >>> thresholded_precision_recall([0, 1, 1], [[0.6, 0.4], [0.7, 0.3], [0.5, 0.5]])
    PrecisionRecall(precision=0.5, recall=0.3333333333333333)
    """
    truth, scores = np.asarray(truth), np.asarray(scores, dtype=float)
    if scores.ndim != 2 or truth.ndim != 1 or len(truth) != len(scores) or scores.size == 0:
        raise SertfError(
            f"scores must have shape (utterances, classes) and truth (utterances,), neither empty, "
            f"got {scores.shape} and {truth.shape}."
        )
    if not np.isfinite(scores).all():
        raise SertfError("scores must be finite numbers, got NaN or infinity; the model that made them has diverged.")
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= scores.shape[1]:
        raise SertfError(f"truth must be integers from 0 to {scores.shape[1] - 1}, the columns of scores.")
    above = scores > threshold
    hits = above[np.arange(len(truth)), truth].sum()
    return PrecisionRecall(float(hits / max(above.sum(), 1)), float(hits / len(truth)))


def score_columns(table: pd.DataFrame) -> list[str]:
    """Names of a prediction table's score columns, in their order.

    Raises:
        SertfError: if a needed column is missing, the table is empty, there are fewer than two score columns, one of
            them holds anything but finite numbers, or a true emotion has no column.
    """
    missing = [column for column in FACT_COLUMNS if column not in table.columns]
    if missing:
        raise SertfError(f"the table of predictions lacks the columns {missing}; it needs {list(FACT_COLUMNS)}.")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()].unique().tolist()
        raise SertfError(f"the table of predictions has several columns of the names {twice}; keep one of each.")
    unsaid = [column for column in FACT_COLUMNS if table[column].isna().any()]
    if unsaid:
        raise SertfError(f"the table of predictions has missing values in the columns {unsaid}; it needs all of them.")
    columns = [column for column in table.columns if column not in FACT_COLUMNS]
    if len(columns) < 2:
        raise SertfError(f"the table of predictions needs one score column an emotion, two or more, got {columns}.")
    if len(table) == 0:
        raise SertfError("the table of predictions is empty.")
    for column in columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise SertfError(f"the score column {column!r} must hold numbers, got {table[column].dtype}.")
        broken = ~np.isfinite(table[column].to_numpy(dtype=float))
        if broken.any():
            first = table.loc[broken, "utterance"].iloc[0]
            raise SertfError(
                f"the score column {column!r} is NaN or infinite for {broken.sum()} of {len(table)} predictions, the "
                f"first of utterance {first!r}; the model that made them has diverged."
            )
    unknown = sorted(set(table["truth"]) - set(columns), key=str)
    if unknown:
        raise SertfError(f"the emotions {unknown} of the truth have no score column; the columns are {columns}.")
    return columns


def predicted(table: pd.DataFrame) -> np.ndarray:
    """The emotion of the largest score, for each row of a prediction table; the first of several largest.

    >>> table = pd.DataFrame({"utterance": ["u"], "speaker": ["s"], "repeat": [0], "fold": ["1"], "truth": ["anger"]})
    >>> predicted(table.assign(sadness=0.3, anger=0.7)).tolist()
    ['anger']
    """
    columns = score_columns(table)
    return np.array(columns, dtype=object)[table[columns].to_numpy(dtype=float).argmax(axis=1)]


def scores_of(predictions: pd.DataFrame) -> dict[str, Any]:
    """Every score of one table of predictions, its rows pooled: UAR of all folds is one UAR, no mean over folds.

    Args:
        predictions: the predictions of one repeat, all folds.

    Returns:
        dict with `uar`, `wa`, `macro_f1`, `macro_precision`, `weighted_f1`, `thresholded_precision`, `thresholded_recall` and
        `thresholded_f1` (floats), and `recall`, `precision` and `f1`, dicts by emotion.

    Raises:
        SertfError: as `score_columns`, or if the table holds several repeats.
    """
    labels = score_columns(predictions)
    repeats = sorted(set(predictions["repeat"]))
    if len(repeats) > 1:
        raise SertfError(f"scores_of takes the predictions of one repeat, got those of {repeats}; select one first.")
    truth, chosen = predictions["truth"].to_numpy(dtype=object), predicted(predictions)
    precision, recall = thresholded_precision_recall(
        _codes("truth", truth, np.array(labels)), predictions[labels].to_numpy(dtype=float)
    )
    return {
        "uar": uar(truth, chosen, labels),
        "wa": wa(truth, chosen, labels),
        "macro_f1": macro_f1(truth, chosen, labels),
        "macro_precision": macro_precision(truth, chosen, labels),
        "weighted_f1": weighted_f1(truth, chosen, labels),
        "thresholded_precision": precision,
        "thresholded_recall": recall,
        "thresholded_f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "recall": recall_per_class(truth, chosen, labels),
        "precision": precision_per_class(truth, chosen, labels),
        "f1": f1_per_class(truth, chosen, labels),
    }


def _pair(truth, predicted):
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != predicted.shape or len(truth) == 0:
        raise SertfError(
            f"truth and predicted must be two lists of labels of one length, not empty, "
            f"got shapes {truth.shape} and {predicted.shape}."
        )
    for name, labels in (("truth", truth), ("predicted", predicted)):
        missing = np.flatnonzero(pd.isna(labels))
        if len(missing):
            raise SertfError(
                f"{name} must hold a label of every utterance, but {len(missing)} of {len(labels)} are missing (None or "
                f"NaN), the first at index {missing[0]}."
            )
    return truth, predicted


def _labels(truth, predicted, labels):
    if labels is not None:
        return labels
    truth, predicted = _pair(truth, predicted)
    return sorted(set(truth.tolist()) | set(predicted.tolist()))


def _codes(name, values, labels):
    index = {label: code for code, label in enumerate(labels.tolist())}
    unknown = sorted({value for value in values.tolist() if value not in index}, key=str)
    if unknown:
        raise SertfError(f"{name} holds the labels {unknown}, which are not among the labels {labels.tolist()}.")
    return np.array([index[value] for value in values.tolist()], dtype=np.int64)


def _f1(truth, predicted, labels):
    matrix = confusion_matrix(truth, predicted, _labels(truth, predicted, labels))
    totals, chosen, hits = matrix.sum(axis=1), matrix.sum(axis=0), np.diag(matrix)
    return 2 * hits / np.maximum(totals + chosen, 1), totals, (totals + chosen) > 0
