"""A variant's stored results set against those of the variant that it is compared with, for a line of its report."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sertf.errors import SertfError
from sertf.evaluation.statistics import clustered_difference
from sertf.reports.markdown import primary
from sertf.runs.facts import Compared, Summary
from sertf.runs.layout import is_stored, sibling, stored_of_protocol
from sertf.runs.stored import read_predictions, read_summary


def compared_with(summary: Summary, predictions: pd.DataFrame, folder: Path) -> Compared | None:
    """The report's comparison of this variant with another, from the other's stored results.

    Args:
        summary: from `sertf.reports.summary.summarise`.
        predictions: predictions of all repeats.
        folder: `<results>/<experiment>/<variant>/<protocol>`, the place of these results.

    Returns:
        dict with `variant`, the other variant, and `what` replaces it here. It also has `score`, its `mean` and `std` in
        the other, and `difference`, `low` and `high`, the interval over speakers of this minus the other. If the two
        cannot be compared, it has the `reason` instead. None if this variant names no other, or it has no results.
    """
    named = summary["facts"].get("compared_with")
    if not named:
        return None
    variant, what = named
    place = sibling(folder, variant=variant)
    if not is_stored(place):
        return None
    score = primary(summary)
    entry = read_summary(place)["scores"][score]
    found: Compared = {"variant": variant, "what": what}
    try:
        difference = clustered_difference(predictions, read_predictions(place / "predictions.csv.gz"), score=score)
    except SertfError as error:
        return {**found, "reason": str(error)}
    return {
        **found,
        "score": score,
        "mean": entry["mean"],
        "std": entry["std"],
        "difference": difference.difference,
        "low": difference.low,
        "high": difference.high,
    }


def dependents(folder: Path) -> Iterator[Path]:
    """Folders of stored results, of the same experiment and protocol, that are compared with those in `folder`."""
    for place in stored_of_protocol(folder):
        named = read_summary(place)["facts"].get("compared_with")
        if named and sibling(place, variant=named[0]) == folder:
            yield place
