"""Zero-shot scores: a model's scores on each corpus that it was not trained on, beside chance."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("uar", "wa", "weighted_f1")
"""The scores that stand beside chance, those of SERCT's Table 4."""


def chance(truth: ArrayLike) -> dict[str, float]:
    """The best expected UAR, WA and weighted F1 of predictions that ignore the clip.

    The UAR is 1 / emotions, the WA the largest emotion's share p. Predictions that name each emotion in a share q have an
    expected weighted F1 of sum(2 p^2 q / (p + q)). It is concave in q. At its maximum the slopes 2 p^3 / (p + q)^2 of
    all named emotions are equal.

    >>> {name: round(level, 4) for name, level in chance(["fear", "anger", "anger", "anger"]).items()}
    {'uar': 0.5, 'wa': 0.75, 'weighted_f1': 0.6501}
    """
    import scipy.optimize

    _, counts = np.unique(np.asarray(truth, dtype=str), return_counts=True)
    p = counts / counts.sum()

    def shares(slope):
        return p * np.maximum(np.sqrt(2 * p / slope) - 1, 0)

    steepest = 2 * p.max()  # at this slope no emotion is named, at the lower end of the bracket more than all
    q = shares(scipy.optimize.brentq(lambda slope: shares(slope).sum() - 1, (p**1.5).sum() ** 2 / 4, steepest))
    return {"uar": 1 / len(counts), "wa": float(p.max()), "weighted_f1": float((2 * p**2 * q / (p + q)).sum())}


def by_corpus(predictions: "pd.DataFrame") -> dict[str, dict[str, Any]]:
    """Scores on each tested corpus, a separate fold, beside chance.

    Args:
        predictions: predictions of all repeats.

    Returns:
        dict by corpus of its numbers of `utterances`, `speakers` and `emotions`, and of `scores` by key. Each score has
        `mean`, `std` (None for one repeat), `low` and `high` (over speakers; None for one speaker), and `chance`. It also
        has `over_repeats` (the t-test's interval of the mean over repeats; None for one).
    """
    from sertf.evaluation.scores import scores_of
    from sertf.evaluation.statistics import clustered_bootstrap, mean_std, paired_test

    found = {}
    for corpus, part in predictions.groupby("fold", sort=True):
        by_repeat = [scores_of(rows) for _, rows in part.groupby("repeat", sort=True)]
        level = chance(part.loc[part["repeat"] == part["repeat"].iloc[0], "truth"])
        entries = {}
        for key in SCORES:
            values = [of_repeat[key] for of_repeat in by_repeat]
            mean, std, over_repeats = values[0], None, None
            if len(values) > 1:
                mean, std = mean_std(values)
                test = paired_test(values, np.zeros(len(values)))
                over_repeats = [test.low, test.high]
            interval = (None, None)
            if part["speaker"].nunique() > 1:
                interval = clustered_bootstrap(part, score=key)
            entries[key] = {"mean": mean, "std": std, "low": interval[0], "high": interval[1]}
            entries[key] |= {"over_repeats": over_repeats, "chance": level[key]}
        found[corpus] = {
            "utterances": int(part["utterance"].nunique()),
            "speakers": int(part["speaker"].nunique()),
            "emotions": int(part["truth"].nunique()),
            "scores": entries,
        }
    return found
