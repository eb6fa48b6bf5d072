"""How often a model is right by groups of utterances: a speaker's gender, an emotion's intensity.

Groups may differ by chance of the speakers, so intervals and tests take whole speakers as the independent unit, as
`sertf.evaluation.statistics` does. Right and wrong by gender and by intensity are what Figures 6 and 7 of "CNN-Transformer with
cross-attention" (IJACSA 2025) show.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats

from sertf.errors import SertfError
from sertf.evaluation.scores import predicted
from sertf.evaluation.statistics import clustered_bootstrap

GROUPINGS = ("gender", "intensity")
"""The columns of the utterance table that utterances are grouped by."""

PAIRED = "paired permutation test"
INDEPENDENT = "independent permutation test"


@dataclass(frozen=True)
class Group:
    """One group's utterances; `right` and `wrong` are means over repeats, accuracies lie from 0 to 1.

    Attributes:
        utterances: number of tested utterances.
        speakers: number of their speakers.
        right, wrong: predictions a repeat.
        accuracy: mean over repeats.
        low, high: its interval over speakers; None for one speaker.
    """

    utterances: int
    speakers: int
    right: float
    wrong: float
    accuracy: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class GroupTest:
    """Two groups compared over speakers.

    Attributes:
        name: `PAIRED` or `INDEPENDENT`.
        speakers: that the test counts.
        difference: mean of the speakers' accuracies in the first group minus that in the second.
        p: two-sided.
    """

    name: str
    speakers: int
    difference: float
    p: float


@dataclass(frozen=True)
class Comparison:
    """Groups by name, sorted; the test whether they differ, None where none can be made; utterances of no group."""

    groups: dict[str, Group]
    test: GroupTest | None
    left_out: int


def groups_of(table: pd.DataFrame, groupings: Iterable[str] = GROUPINGS) -> pd.DataFrame | None:
    """The groups of a table's utterances.

    Args:
        table: utterance table.
        groupings: names of columns; those that the table lacks do not count.

    Returns:
        DataFrame with the column utterance and those of the groupings with two or more different values. Values are texts,
        "" for an utterance without one. None if no column has two values.
    """
    columns = {name: table[name].map(_text) for name in groupings if name in table.columns}
    columns = {name: values for name, values in columns.items() if len(set(values) - {""}) > 1}
    return pd.DataFrame({"utterance": table["utterance"], **columns}) if columns else None


def compare(
    predictions: pd.DataFrame,
    groups: Mapping[str, str],
    *,
    samples: int = 2000,
    resamples: int = 9999,
    seed: int = 0,
    level: float = 0.95,
) -> Comparison:
    """Accuracy by group, with intervals over speakers and a test whether two groups differ.

    The interval is `sertf.evaluation.statistics.clustered_bootstrap` of the group's utterances. The test compares the speakers'
    accuracies, each averaged over repeats. It is a paired permutation test over the speakers with utterances in both
    groups. If there is no such speaker, it is an independent one that deals the speakers out anew. Few speakers are
    permuted in every way, many at random.

    Args:
        predictions: table with the columns utterance, speaker, repeat, fold, truth and one score column an emotion; of
            all repeats.
        groups: mapping of utterance to group; "" leaves an utterance out.
        samples: draws of the bootstrap.
        resamples: permutations of the test.
        seed: seed of both.
        level: the intervals' coverage.

    Returns:
        A `Comparison`. A group of one speaker has no interval. The test needs exactly two groups of two or more speakers.


    Raises:
        SertfError: if an utterance has no entry in `groups`, or as `sertf.evaluation.scores.score_columns` and
            `clustered_bootstrap`.
    """
    group = predictions["utterance"].map(groups)
    if group.isna().any():
        lacking = predictions.loc[group.isna(), "utterance"].unique()
        raise SertfError(f"{len(lacking)} utterances have no group, the first of them {lacking[0]!r}.")
    right = pd.Series(predicted(predictions) == predictions["truth"].to_numpy(), index=predictions.index)
    repeats = predictions["repeat"].nunique()
    found, accuracies = {}, {}
    for name in sorted(set(group) - {""}):
        part, hits = predictions[group == name], right[group == name]
        interval = (None, None)
        if part["speaker"].nunique() > 1:
            interval = clustered_bootstrap(part, score="wa", samples=samples, seed=seed, level=level)
        found[name] = Group(
            utterances=int(part["utterance"].nunique()),
            speakers=int(part["speaker"].nunique()),
            right=float(hits.sum() / repeats),
            wrong=float((~hits).sum() / repeats),
            accuracy=float(hits.groupby(part["repeat"]).mean().mean()),
            low=interval[0],
            high=interval[1],
        )
        accuracies[name] = hits.groupby([part["speaker"], part["repeat"]]).mean().groupby("speaker").mean()
    left_out = int(predictions.loc[group == "", "utterance"].nunique())
    test = _test(*accuracies.values(), resamples=resamples, seed=seed) if len(accuracies) == 2 else None
    return Comparison(found, test, left_out)


def _test(first, second, *, resamples, seed):
    """Permutation test of two groups' accuracies by speaker, None for fewer than two speakers a group."""
    both = first.index.intersection(second.index)
    if len(both):
        first, second = first[both], second[both]
    if min(len(first), len(second)) < 2:
        return None
    result = scipy.stats.permutation_test(
        (first.to_numpy(), second.to_numpy()),
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        permutation_type="samples" if len(both) else "independent",
        vectorized=True,
        n_resamples=resamples,
        random_state=np.random.default_rng(seed),
    )
    return GroupTest(
        name=PAIRED if len(both) else INDEPENDENT,
        speakers=len(both) or len(first) + len(second),
        difference=float(result.statistic),
        p=float(result.pvalue),
    )


def _text(value):
    return "" if pd.isna(value) else str(value).strip()
