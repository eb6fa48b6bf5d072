"""Figures of scores: arrays or tables in, a matplotlib `Figure` out; `save_figure` writes one as PNG or SVG.

`sertf.plots.clips` draws single utterances over time.
"""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from sertf.errors import SertfError
from sertf.files import write_bytes
from sertf.plots.palette import COLOURS
from sertf.plots.style import INK, MARKERS, blank, broken, drawable, finite, fit_fonts, tidy

if TYPE_CHECKING:
    import pandas as pd

DPI = 200


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG or SVG, by the path's ending, as a whole or not at all.

    No time stamp and no version goes in: the same figure gives the same bytes. A PNG has a palette of 256 colours, which
    makes it a third as large.
    """
    from PIL import Image

    path, content = Path(path), io.BytesIO()
    metadata = {"png": {"Software": None}, "svg": {"Creator": None, "Date": None}}
    kind = path.suffix.removeprefix(".")
    fit_fonts(figure)
    with rc_context({"svg.hashsalt": "sertf"}):  # else an SVG's identifiers are drawn by chance
        figure.savefig(content, format=kind, dpi=DPI, metadata=metadata[kind], facecolor="white")
    if kind == "png":
        drawn, content = Image.open(content), io.BytesIO()
        drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(content, "PNG", optimize=True, dpi=(DPI, DPI))
    write_bytes(path, content.getvalue())


def confusion(matrix: ArrayLike, labels: Sequence[str], *, normalise: bool = True) -> Figure:
    """Confusion matrix as a heat map, rows the truth, columns the prediction.

    Args:
        matrix: counts, shape (k, k).
        labels: names of rows and columns, shape (k,).
        normalise: show each row as percentages of its utterances (the diagonal is then the recall), else counts.

    Raises:
        SertfError: if the shapes do not fit or the matrix is not finite.
    """
    matrix = finite("matrix", matrix, 2)
    if matrix.shape != (len(labels), len(labels)):
        raise SertfError(f"matrix must have shape ({len(labels)}, {len(labels)}) as there are labels: {matrix.shape}.")
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(totals, 1)
    side = 2.4 + 0.56 * len(labels)
    figure, axes = blank((side + 0.6, side))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = drawable(labels)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted emotion")
    axes.set_ylabel("true emotion")
    for row, column in np.ndindex(matrix.shape):
        text = f"{100 * shares[row, column]:.0f}" if normalise else f"{matrix[row, column]:g}"
        colour = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, format=lambda value, _: f"{100 * value:.0f}")
    bar.set_label("% of the true emotion's utterances")
    bar.outline.set_visible(False)
    return figure


def curves(histories: "pd.DataFrame") -> Figure:
    """Loss, UAR and accuracy by epoch, of each part that was scored: mean over runs, band of one standard deviation.

    Args:
        histories: table of one row an epoch and run, with the columns epoch, loss, val_loss, uar and val_uar. Optional
            columns are wa, val_wa, test_loss, test_uar and test_wa. Columns without a value are left out. Losses without
            the L2 penalty, data_loss and val_data_loss, replace those with it.

    Raises:
        SertfError: if a column is missing or there is no row.
    """
    needed = ["epoch", "loss", "val_loss", "uar", "val_uar"]
    missing = [column for column in needed if column not in histories.columns]
    if missing or len(histories) == 0:
        raise SertfError(f"the histories need rows with the columns {needed}, got {list(histories.columns)}.")
    without = {"loss": "data_loss", "val_loss": "val_data_loss"}
    histories = histories.assign(
        **{whole: histories[own].fillna(histories[whole]) for whole, own in without.items() if own in histories}
    )
    by_epoch = histories.groupby("epoch")
    shown = {"loss": "loss", "uar": "UAR"} | ({"wa": "WA (accuracy)"} if "wa" in histories else {})
    figure, panels = blank((4.3 * len(shown), 3.5), columns=len(shown))
    for axes, (column, label) in zip(panels, shown.items()):
        for place, (name, prefix) in enumerate((("training", ""), ("validation", "val_"), ("test", "test_"))):
            key = f"{prefix}{column}"
            if key not in histories or histories[key].isna().all():
                continue
            mean, spread, colour = by_epoch[key].mean(), by_epoch[key].std(ddof=0), COLOURS[place]
            axes.plot(mean.index, mean, color=colour, label=name, linewidth=1.8, marker=_dot(len(mean)))
            axes.fill_between(mean.index, mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0)
        tidy(axes, xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        if column != "loss":
            axes.set_ylim(0, 1)
    panels[0].legend(frameon=False)
    return figure


def violin(
    values_by_name: Mapping[str, Any],
    *,
    published: Mapping[str, float] | None = None,
    chance: Mapping[str, float] | None = None,
    ylabel: str = "score",
) -> Figure:
    """Scores over repeats: a violin, a box from quartile to quartile, dots, the mean as a bar; a diamond for the paper's.

    A dashed line shows what guessing scores.

    Args:
        values_by_name: dict of name to the scores of its repeats, one or more.
        published: dict of name to the published score, for the names that have one.
        chance: dict of name to the score of guessing, for the names that have one.
        ylabel: label of the axis of scores.

    Raises:
        SertfError: if there is no name, or a score is not finite.
    """
    if not values_by_name:
        raise SertfError("violin needs the scores of one name or more, got none.")
    values_by_name = {name: finite(name, values, 1) for name, values in values_by_name.items()}
    published, chance = published or {}, chance or {}
    figure, axes = blank((1.6 + 1.25 * max(len(values_by_name), 3), 4.6 if chance else 3.8))
    dashes = {"color": INK, "linewidth": 1, "linestyle": "--"}
    for place, (name, values) in enumerate(values_by_name.items()):
        colour = COLOURS[place % len(COLOURS)]
        if len(values) >= 5 and np.ptp(values) > 1e-9:  # a density of fewer, or of equal values, would be made up
            body = axes.violinplot(values, positions=[place], widths=0.75, showextrema=False)["bodies"][0]
            body.set(facecolor=colour, alpha=0.25, edgecolor=colour)
            low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
            box = Rectangle((place - 0.15, low), 0.3, high - low, fill=False, edgecolor=colour, linewidth=1)
            axes.add_patch(box)
            axes.hlines(middle, place - 0.15, place + 0.15, color=colour, linewidth=1)
        # Spread evenly by rank, not by chance, so that the figure is the same each time.
        offsets = 0.16 * (np.argsort(np.argsort(values)) * 0.618034 % 1 - 0.5)
        axes.scatter(place + offsets, values, s=20, color=colour, edgecolor="white", linewidth=0.6, zorder=4)
        axes.hlines(values.mean(), place - 0.24, place + 0.24, color=INK, linewidth=2, zorder=3)
        axes.text(place + 0.42, values.mean(), f"{values.mean():.3f}", va="center", fontsize=9, color=INK, zorder=4)
        if name in chance:
            axes.plot([place - 0.4, place + 0.4], [chance[name]] * 2, **dashes)
        if name in published:
            axes.scatter(
                place, published[name], marker="D", s=52, color="white", edgecolor=INK, linewidth=1.5, zorder=5
            )
    axes.set_xlim(-0.6, len(values_by_name) - 0.15)
    low, high = axes.get_ylim()
    if high - low < 0.04:  # do not blow up differences of a fraction of a percent
        axes.set_ylim((low + high) / 2 - 0.02, (low + high) / 2 + 0.02)
    axes.set_xticks(range(len(values_by_name)), [broken(name) for name in values_by_name])
    tidy(axes, ylabel=ylabel)
    axes.grid(axis="x", visible=False)
    axes.scatter([], [], s=20, color="#5F5F5F", label="one repeat")
    axes.plot([], [], color=INK, linewidth=2, label="mean")
    if published.keys() & values_by_name.keys():
        axes.scatter([], [], marker="D", s=44, color="white", edgecolor=INK, linewidth=1.5, label="published mean")
    if chance.keys() & values_by_name.keys():
        axes.plot([], [], **dashes, label="chance")
    axes.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), handletextpad=0.4)
    return figure


def reliability(bins: Sequence[Sequence[Any]]) -> Figure:
    """Reliability diagram: accuracy in bins of confidence, above the share of predictions in each bin.

    Args:
        bins: of equal width from 0 to 1: count, mean confidence and accuracy of each, None for both if empty.

    Raises:
        SertfError: if there is no prediction.
    """
    counts = finite("counts", [count for count, *_ in bins], 1)
    if not counts.sum():
        raise SertfError("a reliability diagram needs one prediction or more, got none.")
    figure, (above, below) = blank((4.6, 5.2), rows=2, sharex=True, height_ratios=(3, 1))
    width, centres = 1 / len(bins), (np.arange(len(bins)) + 0.5) / len(bins)
    filled = np.flatnonzero(counts).tolist()
    accuracy = finite("accuracy", [bins[i][2] for i in filled], 1)
    above.bar(centres[filled], accuracy, 0.92 * width, color=COLOURS[0], alpha=0.5, label="accuracy")
    confidence = finite("confidence", [bins[i][1] for i in filled], 1)
    above.scatter(confidence, accuracy, s=22, color=COLOURS[1], zorder=4, label="at the mean confidence")
    above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="calibrated")
    above.set_ylim(0, 1)
    above.set_xlim(0, 1)
    above.legend(frameon=False, loc="upper left")
    tidy(above, ylabel="accuracy")
    below.bar(centres, counts / counts.sum(), 0.92 * width, color=COLOURS[6], alpha=0.6)
    tidy(below, xlabel="confidence", ylabel="share")
    return figure


def right_and_wrong(panels: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Utterances recognised rightly and wrongly by group: one panel a grouping, one stacked bar a group.

    Args:
        panels: dict of a grouping's name to a dict of group to its numbers of utterances, (right, wrong).

    Raises:
        SertfError: if there is no group, or the numbers are not finite.
    """
    if not panels or not all(panels.values()):
        raise SertfError(f"right_and_wrong needs one group or more in every panel, got {panels}.")
    figure, axes_of = blank((1.2 + 3.2 * len(panels), 3.6), columns=len(panels), squeeze=False)
    for axes, (grouping, groups) in zip(axes_of[0], panels.items()):
        counts = finite(grouping, list(groups.values()), 2)  # (groups, 2)
        bottoms = np.zeros(len(counts))
        for i, name in enumerate(("right", "wrong")):
            axes.bar(range(len(counts)), counts[:, i], 0.6, bottom=bottoms, color=COLOURS[i], alpha=0.5, label=name)
            for place, (bottom, row) in enumerate(zip(bottoms, counts)):
                share = row[i] / max(row.sum(), 1e-9)
                if share >= 0.04:  # in a lower bar the text has no room
                    text = f"{row[i]:.0f} ({100 * share:.0f} %)"
                    axes.text(place, bottom + row[i] / 2, text, ha="center", va="center", fontsize=9, color=INK)
            bottoms = bottoms + counts[:, i]
        axes.set_xticks(range(len(counts)), list(groups))
        tidy(axes, xlabel=grouping, ylabel="utterances")
        axes.grid(axis="x", visible=False)
    handles = axes_of[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=2, frameon=False)
    return figure


def bars(rows: Sequence[tuple[str, str, float, float | None, float | None]], *, xlabel: str) -> Figure:
    """Horizontal bars with their intervals, grouped by name.

    Args:
        rows: list of (name, group, value, low, high); low and high are None where no interval can be had.
        xlabel: label of the axis of values.
    """
    if not rows:
        raise SertfError("bars needs one row or more, got none.")
    names, groups = (list(dict.fromkeys(row[i] for row in rows)) for i in (0, 1))
    figure, axes = blank((8.0, 1.2 + 0.34 * len(names) * len(groups)))
    height = 0.8 / len(groups)
    for name, group, value, low, high in rows:
        place = names.index(name) + (groups.index(group) - (len(groups) - 1) / 2) * height
        axes.barh(place, value, height=0.9 * height, color=COLOURS[groups.index(group) % len(COLOURS)], alpha=0.75)
        if low is not None:
            axes.plot([low, high], [place, place], color=INK, linewidth=1.4, marker="|", markersize=6)
    for i, group in enumerate(groups):
        axes.barh(0, 0, color=COLOURS[i % len(COLOURS)], alpha=0.75, label=group)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    tidy(axes, xlabel=textwrap.fill(xlabel, 70))
    axes.grid(axis="y", visible=False)
    axes.legend(frameon=False, ncols=len(groups), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def against(
    rows: Sequence[tuple[float, str, Sequence[float], float | None, float | None]], *, xlabel: str, ylabel: str
) -> Figure:
    """A score against a number that variants differ in: repeats as dots, their mean as a line, the interval as a bar.

    Args:
        rows: list of (number, group, scores of the repeats, low, high), one line a group; low and high are None without an
            interval.
        xlabel, ylabel: labels of the axes.

    Raises:
        SertfError: if there is no row, or a score is not finite.
    """
    if not rows:
        raise SertfError("against needs one row or more, got none.")
    figure, axes = blank((6.4, 3.8))
    groups = list(dict.fromkeys(row[1] for row in rows))
    spread = 0.06 * (max(row[0] for row in rows) - min(row[0] for row in rows)) / max(len(rows) / len(groups), 1)
    for place, group in enumerate(groups):
        colour, moved = COLOURS[place % len(COLOURS)], spread * (place - (len(groups) - 1) / 2)
        of_group = sorted((row for row in rows if row[1] == group), key=lambda row: row[0])
        means = [finite(group, values, 1).mean() for _, _, values, _, _ in of_group]
        axes.plot([row[0] + moved for row in of_group], means, color=colour, linewidth=1.8, marker="D", label=group)
        for number, _, values, low, high in of_group:
            axes.scatter([number + moved] * len(values), values, s=16, color=colour, alpha=0.6, linewidth=0)
            if low is not None:
                axes.plot([number + moved] * 2, [low, high], color=colour, linewidth=1, marker="_", alpha=0.7)
    axes.set_xticks(sorted({row[0] for row in rows}))
    tidy(axes, xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False, ncols=len(groups), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def projections(
    shown: Mapping[str, tuple[ArrayLike, ArrayLike]], labels: ArrayLike, *, names: Sequence[str] | None = None
) -> Figure:
    """First two principal components, one panel for each representation of the same utterances.

    The axis titles tell the explained variance.

    Args:
        shown: dict of a panel's title to its points, (n, 2), and the explained share of each component's variance, (2,).
        labels: emotion of each utterance, shape (n,).
        names: the emotions in the order of the legend, which sets their colours; by default as they come.

    Raises:
        SertfError: if there are not as many points as labels, or a value is not finite.
    """
    labels = np.asarray(labels)
    names = list(dict.fromkeys(labels.tolist())) if names is None else [n for n in names if n in set(labels.tolist())]
    figure, panels = blank((4.6 * len(shown), 4.4), columns=len(shown))
    panels = np.atleast_1d(panels)
    for axes, (title, (points, shares)) in zip(panels, shown.items()):
        points = finite(title, points, 2)
        if points.shape != (len(labels), 2):
            raise SertfError(f"{title} must be a point a label, ({len(labels)}, 2), got {points.shape}.")
        for i, (name, shown_name) in enumerate(zip(names, drawable(names))):
            chosen = points[labels == name]
            style = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
            axes.scatter(*chosen.T, s=17, alpha=0.75, linewidth=0, label=shown_name, **style)
        first, second = 100 * finite("shares", shares, 1)
        tidy(axes, xlabel=f"component 1 ({first:.0f} % of variance)", ylabel=f"component 2 ({second:.0f} %)")
        axes.set_title(title, fontsize=11, color=INK)
        axes.margins(0.06)
    legend = figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(len(names), 6), frameon=False
    )
    for handle in filter(None, legend.legend_handles):
        handle.set(sizes=[38], alpha=1)
    return figure


def _dot(count):
    """A line of one epoch is invisible without a marker."""
    return "o" if count == 1 else None
