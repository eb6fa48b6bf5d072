"""Figures of one utterance over time: arrays in, a matplotlib `Figure` out."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from sertf.errors import SertfError
from sertf.plots.palette import COLOURS
from sertf.plots.style import FAINT, INK, blank, finite, tidy

QUERIES = 3
"""Steps of a clip whose windows are drawn."""


def attention(
    features: ArrayLike,
    states: ArrayLike,
    weights: ArrayLike,
    title: str,
    *,
    dimensions: Sequence[tuple[str, int]] = (),
    hop_seconds: float | None = None,
) -> Figure:
    """One utterance over time: its features, the hidden states, and how much attention each step gets.

    A step is a frame, or several that the model pooled; frames that fill no whole step count to none.

    Args:
        features: what the model saw, standardised, shape (frames, dims).
        states: hidden states, shape (steps, units).
        weights: attention, shape (steps,), sums to 1.
        title: what the utterance is.
        dimensions: pairs of a label and the number of feature dimensions that it names, in their order; without them the
            axis counts features.
        hop_seconds: time from one frame to the next; without it the time axis counts frames.

    Raises:
        SertfError: if there are more steps than frames, not one weight a state, or a value is not finite.
    """
    features, states = finite("features", features, 2), finite("states", states, 2)
    weights = finite("weights", weights, 1)
    if len(states) != len(weights) or len(states) > len(features):
        raise SertfError(
            f"states and weights must have the same number of steps, at most one a frame, got {len(states)} and "
            f"{len(weights)} for {len(features)} frames."
        )
    frame, pooled = hop_seconds or 1, len(features) // len(states)
    extent = (-0.5 * frame, (len(features) - 0.5) * frame)
    figure, panels = blank((8.2, 5.6), rows=3, sharex=True, height_ratios=(1.2, 1.2, 0.9))
    rows = ((panels[0], features, "standardised value"), (panels[1], states, "state"))
    for axes, values, unit in rows:
        bound = max(float(np.quantile(np.abs(values), 0.99)), 1e-9)
        ends = extent if values is features else (extent[0], extent[0] + len(states) * pooled * frame)
        image = axes.imshow(
            values.T,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            cmap="RdBu_r",
            vmin=-bound,
            vmax=bound,
            extent=(*ends, 0.5, values.shape[1] + 0.5),
        )
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axes, pad=0.012, aspect=14)
        bar.set_label(unit)
        bar.outline.set_visible(False)
    _name_dimensions(panels[0], dimensions or [("feature", features.shape[1])])
    panels[1].set_ylabel("unit")
    times = (np.arange(len(weights)) * pooled + (pooled - 1) / 2) * frame
    panels[2].fill_between(times, 100 * weights, step="mid", color=COLOURS[0], alpha=0.25, linewidth=0)
    panels[2].step(times, 100 * weights, where="mid", color=COLOURS[0], linewidth=1.5)
    panels[2].axhline(100 / len(weights), color=INK, linewidth=1, linestyle=(0, (4, 3)), label="even attention")
    tidy(panels[2], xlabel="time in s" if hop_seconds else "frame", ylabel="attention in %")
    panels[2].set_xlim(extent)
    panels[2].set_ylim(0, 1.35 * 100 * weights.max())  # room for the legend
    panels[2].legend(frameon=False, loc="upper right")
    panels[0].set_title(title, fontsize=11, color=INK)
    return figure


def _name_dimensions(axes: Axes, dimensions: Sequence[tuple[str, int]]) -> None:
    """Name the rows of an image: one label beside all, or one at the middle of each group and lines between them."""
    if len(dimensions) == 1:
        axes.set_ylabel(dimensions[0][0])
        return
    edges = np.cumsum([0, *(size for _, size in dimensions)]) + 0.5
    axes.set_yticks(
        (edges[1:] + edges[:-1]) / 2, [label for label, _ in dimensions], fontsize=9 if len(edges) < 5 else 7
    )
    for edge in edges[1:-1]:
        axes.axhline(edge, color=INK, linewidth=0.8)


def windows(
    waveform: ArrayLike, windows: ArrayLike, received: ArrayLike, title: str, *, sample_rate: float | None = None
) -> Figure:
    """One utterance over time, and below it the windows of deformable attention of three of its steps.

    A panel a layer, a row a head. Bars reach from the first to the last step that a query sees, with a dot at the
    window's middle. Behind them stands the attention that each step gets from all queries together. Bars end with the
    clip.

    Args:
        waveform: the model's input, shape (samples,); equal values at the end count as padding.
        windows: both ends of each window in steps, shape (layers, heads, steps, 2).
        received: attention that each step gets, averaged over queries, shape (layers, heads, steps).
        title: name of the utterance.
        sample_rate: Hz; without it the time axis counts samples.

    Raises:
        SertfError: if the shapes do not fit or a value is not finite.
    """
    waveform, windows = finite("waveform", waveform, 1), finite("windows", windows, 4)
    received = finite("received", received, 3)
    if windows.shape != (*received.shape, 2):
        raise SertfError(
            f"windows must be (layers, heads, steps, 2) and received (layers, heads, steps), got {windows.shape} and "
            f"{received.shape}."
        )
    layers, heads, steps = received.shape
    unit = 1 / sample_rate if sample_rate else 1
    step, whole = len(waveform) * unit / steps, len(waveform) * unit
    spoken = np.flatnonzero(waveform != waveform[-1])
    end = spoken[-1] + 1 if len(spoken) else 0
    own = end * unit if 0 < end < len(waveform) - 1 else whole  # one last sample is no padding
    queries = [int(own / step * (2 * i + 1) / (2 * QUERIES)) for i in range(QUERIES)]
    figure, panels = blank((8.2, 1.5 + layers * (0.4 + 0.18 * heads)), rows=1 + layers, sharex=True)
    times = np.arange(len(waveform)) * unit
    panels[0].plot(times, waveform, color=INK, linewidth=0.4)
    panels[0].set_yticks([])
    tidy(panels[0], ylabel="amplitude")
    if own < whole:
        panels[0].axvspan(own, whole, color=FAINT, linewidth=0)
        panels[0].text((own + whole) / 2, waveform.max(), "padding", ha="center", va="top", fontsize=9, color=INK)
    for i, axes in enumerate(panels[1:]):
        axes.imshow(
            received[i],
            aspect="auto",
            interpolation="nearest",
            cmap="Greys",
            vmin=0,
            vmax=2 * received[i].max(),
            extent=(0, whole, heads + 0.5, 0.5),
        )
        for place, query in enumerate(queries):
            offset = 0.26 * (place - (QUERIES - 1) / 2)
            ends = np.clip((windows[i, :, query] + 0.5) * step, 0, whole)  # (heads, 2)
            middles = (windows[i, :, query].mean(axis=1) + 0.5) * step
            rows = np.arange(1, heads + 1) + offset
            axes.hlines(rows, *ends.T, color=COLOURS[place], linewidth=1.8)
            inside = (middles >= 0) & (middles <= whole)
            axes.plot(middles[inside], rows[inside], "o", color=COLOURS[place], markersize=3)
        tidy(axes, ylabel=f"layer {i + 1}, heads")
        axes.grid(visible=False)
        axes.set_yticks([1, heads])
        axes.set_ylim(heads + 0.5, 0.5)
    for place, query in enumerate(queries):
        label = "windows of the step here" if place == 0 else None
        panels[0].axvline((query + 0.5) * step, color=COLOURS[place], linewidth=1.6, label=label)
    panels[0].legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 0.98), fontsize=9)
    panels[0].set_xlim(0, whole)
    panels[0].set_title(title, fontsize=11, color=INK)
    panels[-1].set_xlabel("time in s" if sample_rate else "sample")
    return figure
