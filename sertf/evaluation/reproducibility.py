"""How far repeats of a training agree: the reproducibility scores of SpeechNet (BSPC 2025, equations 1 to 6)."""

from collections.abc import Sequence
from numbers import Number

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sertf.errors import SertfError
from sertf.evaluation.scores import predicted, score_columns


def rates(predictions_by_repeat: Sequence[ArrayLike] | np.ndarray, truth: ArrayLike) -> dict[str, float]:
    """Share of utterances on which R repeats agree, and on which they agree on the true label (SpeechNet, eq. 1 to 6).

    C_i is how many repeats give utterance i its most frequent prediction, T_i how many give it its true label:

    - GLR (general learning reproducibility): share with C_i >= R/2
    - FLR (fractional): share with R/2 <= C_i < R
    - PLR (perfect): share with C_i = R
    - CLR, FCLR, PCLR (correct, fractional correct, perfect correct): the same shares of T_i

    The paper prints FLR with C_i <= R, which would equal GLR, while its text says "not all": here GLR = FLR + PLR. Two
    predictions that are equally frequent give the same C_i, so ties need no rule; an odd R needs (R + 1)/2 repeats.
    PLR and PCLR fall as R grows, and of two repeats the GLR is 1: shares of unequal R cannot be set against each other.

    Args:
        predictions_by_repeat: predicted labels, shape (R, n), the utterances in the same order in each repeat.
        truth: true labels, shape (n,).

    Raises:
        SertfError: if R < 2, if nothing was predicted, if the repeats do not cover the same number of utterances, if a
            label is missing, or if some are numbers and others names.

    >>> rates([["a", "b"], ["a", "a"], ["a", "c"]], ["a", "a"])
    {'GLR': 0.5, 'FLR': 0.0, 'PLR': 0.5, 'CLR': 0.5, 'FCLR': 0.0, 'PCLR': 0.5}
    """
    if not np.iterable(predictions_by_repeat):
        raise SertfError(
            f"reproducibility needs a list of the predictions of each repeat, got {predictions_by_repeat!r}."
        )
    try:
        rows, truth = [np.asarray(row) for row in predictions_by_repeat], np.asarray(truth)
    except ValueError as error:  # ragged
        raise SertfError(
            "predictions of each repeat, and truth, must be a plain row of labels, one an utterance."
        ) from error
    if len(rows) < 2:
        raise SertfError(f"reproducibility needs the predictions of 2 repeats or more, got {len(rows)}.")
    if truth.ndim != 1 or len(truth) == 0 or any(row.shape != truth.shape for row in rows):
        raise SertfError(
            f"the repeats must be predictions of one test set that is not empty: truth has shape {truth.shape}, "
            f"the repeats {sorted({row.shape for row in rows})}."
        )
    if any(pd.isna(row).any() for row in (truth, *rows)):
        raise SertfError("predictions and truth must be labels of every utterance, but some are missing (None or NaN).")
    labels = [label for row in (truth, *rows) for label in pd.unique(row)]
    if len({isinstance(label, Number | np.bool_) for label in labels}) > 1:
        raise SertfError("predictions and truth must be labels of one kind, but some are numbers and others are names.")
    predictions = np.stack(rows)  # (R, n)
    repeats = len(predictions)
    labels = np.unique(predictions)
    agreeing = np.max([(predictions == label).sum(axis=0) for label in labels], axis=0)  # (n,)
    correct = (predictions == truth).sum(axis=0)  # (n,)
    result: dict[str, float] = {}
    for names, counts in ((("GLR", "FLR", "PLR"), agreeing), (("CLR", "FCLR", "PCLR"), correct)):
        half, whole = 2 * counts >= repeats, counts == repeats
        result |= zip(names, map(float, (half.mean(), (half & ~whole).mean(), whole.mean())), strict=True)
    return result


def rates_of(predictions: pd.DataFrame) -> dict[str, float]:
    """`rates` from a table that holds the predictions of several repeats, matched by utterance.

    Where a protocol tests an utterance in several folds, each (fold, utterance) counts on its own.

    Raises:
        SertfError: as `sertf.evaluation.scores.score_columns` and `rates`, or if the repeats were not tested on the same utterances.
    """
    score_columns(predictions)
    key = ["utterance"]
    if predictions.duplicated(["repeat", *key]).any():
        key = ["fold", "utterance"]
    if predictions.duplicated(["repeat", *key]).any():
        raise SertfError("the table of predictions holds an utterance twice in one fold of one repeat.")
    chosen = predictions.assign(predicted=predicted(predictions)).pivot(
        index=key, columns="repeat", values=["truth", "predicted"]
    )
    incomplete = chosen.isna().any(axis=1)
    if incomplete.any():
        raise SertfError(
            f"the repeats were tested on different utterances: {incomplete.sum()} of {len(chosen)} are not in every "
            f"repeat, the first of them {incomplete.idxmax()!r}."
        )
    truth = chosen["truth"].to_numpy()  # (n, R)
    if (truth != truth[:, :1]).any():
        raise SertfError(
            "the repeats disagree about the true emotion of an utterance; they come from different tables."
        )
    return rates(chosen["predicted"].to_numpy().T, truth[:, 0])
