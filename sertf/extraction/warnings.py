"""Warnings of an extraction: clips left out, cut, or used at several sample rates."""

import collections
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sertf.errors import listing

if TYPE_CHECKING:
    import keras


def say_cuts(front_end: "keras.Layer", lengths: Sequence[int]) -> None:
    """Warn of clips longer than the span that a front end reads, if it reports cuts; `lengths` in samples."""
    if not getattr(front_end, "reports_cuts", False):
        return
    _, stop = front_end.span
    cut = sum(samples > stop for samples in lengths)
    if cut:
        warnings.warn(
            f"{cut} of {len(lengths)} clips are longer than the {stop} samples that {type(front_end).__name__} reads; "
            "their ends are cut off.",
            stacklevel=3,
        )


def say_rates(front_end: "keras.Layer", rates: Sequence[int]) -> None:
    """Warn of several sample rates, if a front end uses clips at their own rates; `rates` in Hz."""
    found = collections.Counter(rates)
    if front_end.sample_rate is None and len(found) > 1:
        listed = ", ".join(f"{count} of {rate} Hz" for rate, count in found.most_common())
        name = type(front_end).__name__
        warnings.warn(
            f"The clips have several sample rates ({listed}), and {name} uses each at its own rate. A second has more "
            f"samples in some. Give {name} a sample_rate to resample them to.",
            stacklevel=3,
        )


def say_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    """Warn of clips left out because they cannot be used; `skipped` holds pairs of path and reason."""
    if skipped:
        lines = listing(f"{path}: {reason}" for path, reason in skipped)
        warnings.warn(f"{len(skipped)} clips, or their copies, cannot be used and are left out:\n{lines}", stacklevel=3)
