"""Figure of a search's trials: a table in, a matplotlib `Figure` out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sertf.errors import SertfError
from sertf.plots.palette import COLOURS
from sertf.plots.style import INK, blank, tidy

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = 3
MOST_CATEGORIES = 6


def draw_trials(table: "pd.DataFrame", *, score: str, values: Sequence[str]) -> Figure:
    """Scores in the order of the trials, with the best so far, and against every hyperparameter; the best is marked.

    Args:
        table: one row a trial in their order, with the score's column, missing where a trial failed, and the values'.
        score: column of the score, the higher the better.
        values: columns of the hyperparameters. Numbers are drawn on an axis, logarithmic if they span a factor of 20 or
            more. Names, and few different numbers that many trials share, are drawn as categories.

    Raises:
        SertfError: if no trial has a score.
    """
    done = table[table[score].notna()]
    if len(done) == 0:
        raise SertfError("The figure of a search needs one finished trial or more, got none.")
    best = done[score].idxmax()
    rows = -(-(1 + len(values)) // COLUMNS)
    drawn, grid = blank((4.0 * COLUMNS, 3.1 * rows), rows=rows, columns=COLUMNS, squeeze=False, sharey=True)
    panels = list(grid.flat)
    numbers = 1 + np.flatnonzero(table[score].notna())
    _dots(panels[0], numbers, done, score, best)
    panels[0].step(numbers, done[score].cummax(), where="post", color=INK, linewidth=1.4, label="best so far")
    panels[0].legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    panels[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(panels[0], xlabel="trial")
    for axes, name in zip(panels[1:], values):
        column = done[name]
        categories = sorted(column.unique())
        if isinstance(categories[0], str) or len(categories) <= min(MOST_CATEGORIES, len(column) / 2):
            _dots(axes, [categories.index(value) for value in column], done, score, best)
            axes.set_xticks(range(len(categories)), [c if isinstance(c, str) else f"{c:g}" for c in categories])
            axes.set_xlim(-0.5, len(categories) - 0.5)
        else:
            _dots(axes, column, done, score, best)
            if column.min() > 0 and column.max() / column.min() >= 20:
                axes.set_xscale("log")
        tidy(axes, xlabel=name.replace("_", " "))
    for axes in panels[1 + len(values) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("validation UAR")
    return drawn


def _dots(axes, places, done, score, best):
    places = np.asarray(places)
    axes.scatter(places, done[score], s=26, color=COLOURS[0], alpha=0.75, linewidth=0)
    at = done.index.get_loc(best)
    axes.scatter(places[at], done[score][best], s=90, marker="D", facecolor="none", edgecolor=COLOURS[1], linewidth=1.8)
