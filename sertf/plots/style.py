"""What figures share: colours, an empty figure, tidy axes, checked arrays.

A `Figure` is made without pyplot. So nothing is global and nothing opens a window, and worker processes and machines
without a display can draw figures.
"""

import re
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from sertf.errors import SertfError

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*")
INK, FAINT = "#333333", "#DDDDDD"


def blank(size: tuple[float, float], *, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of so many inches, and its axes as `Figure.subplots` gives them."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    ratios = {"height_ratios": options.pop("height_ratios")} if "height_ratios" in options else None
    return figure, figure.subplots(rows, columns, gridspec_kw=ratios, **options)


def tidy(axes: Axes, *, xlabel: str = "", ylabel: str = "") -> None:
    """Labels and a faint grid; no frame above and to the right."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_axisbelow(True)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(color="#999999", labelcolor=INK)


def broken(name: str, width: int = 14) -> str:
    """A name in lines of about `width` characters, which end behind "/" and "_", so that it stays off its neighbours."""
    lines = [""]
    for part in re.findall(r"[^/_]+[/_]?|[/_]", name):
        if lines[-1] and (lines[-1].endswith("/") or len(lines[-1] + part) > width):
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def finite(name: str, values: ArrayLike, dimensions: int) -> np.ndarray:
    """Values as an array of floats.

    Raises:
        SertfError: naming them, if they have other dimensions, are empty or not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != dimensions or values.size == 0 or not np.isfinite(values).all():
        raise SertfError(
            f"{name} must hold finite numbers in {dimensions} dimension{'s' * (dimensions > 1)}, not empty, "
            f"got shape {values.shape}."
        )
    return values
