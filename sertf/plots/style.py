"""What figures share: colours, an empty figure, tidy axes, checked arrays.

A `Figure` is made without pyplot. So nothing is global and nothing opens a window, and worker processes and machines
without a display can draw figures.
"""

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
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


def drawable(names: Sequence[str]) -> list[str]:
    """Names as a figure can draw them, in any script of which a font is installed.

    A name without a font becomes its number, such as "label 3". Marks that Matplotlib would interpret are escaped.
    """
    shown = []
    for place, name in enumerate(names, 1):
        name = name if font_of(name) is not None else f"label {place}"
        # Legends leave out names that begin with an underscore.
        shown.append((" " if name.startswith("_") else "") + name.replace("$", r"\$"))
    return shown


@functools.lru_cache(maxsize=256)
def font_of(text: str) -> str | None:
    """Name of a font that has every mark of a text, the usual one if it does; None if no installed font has."""
    marks = {ord(mark) for mark in text if not mark.isspace()}
    usual = FontProperties()
    if marks <= _marks(font_manager.findfont(usual)):
        return usual.get_name()
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        if entry.style == "normal" and entry.weight in (400, "normal", "regular") and marks <= _marks(entry.fname):
            return entry.name
    return None


@functools.lru_cache(maxsize=64)
def _marks(path):
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (RuntimeError, OSError):
        return frozenset()  # a font that Matplotlib cannot open


def fit_fonts(figure: Figure) -> None:
    """Give each text of a figure that the usual font lacks marks of a font that has them, if one is installed."""
    usual = FontProperties().get_name()
    for text in figure.findobj(Text):
        content = text.get_text()
        if not content.isascii():
            font = font_of(content)
            if font not in (None, usual):
                text.set_fontfamily([usual, font])
