"""A variant's kept results set against those of the variant that it is compared with, for a line of its report."""

from dataclasses import asdict
from pathlib import Path

from sertf.errors import SertfError
from sertf.evaluation.statistics import clustered_difference
from sertf.reports.markdown import primary
from sertf.runs.stored import read_predictions, read_summary


def compared(summary, predictions, folder):
    """What the report says of the variant that this one is compared with, from that one's kept results.

    Args:
        summary: of `sertf.reports.summary.summarise`.
        predictions: all repeats'.
        folder: `<results>/<experiment>/<variant>/<protocol>`, the place of these results.

    Returns:
        dict with `variant`, the other one, and `what` this one has in its place; and either `score`, its `mean` and
        `std` in the other, and `difference`, `low` and `high`, the interval over speakers of this one minus the other;
        or `reason`, why the two cannot be compared. None if this variant names no other, or it has no results.
    """
    named = summary["facts"].get("compared_with")
    if not named:
        return None
    variant, what = named
    place = Path(folder).parent.parent / variant / Path(folder).name
    if not (place / "report.json").is_file():
        return None
    score = primary(summary)
    entry = read_summary(place)["scores"][score]
    found = {"variant": variant, "what": what}
    try:
        difference = clustered_difference(predictions, read_predictions(place / "predictions.csv.gz"), score=score)
    except SertfError as error:
        return {**found, "reason": str(error)}
    return {**found, "score": score, "mean": entry["mean"], "std": entry["std"], **asdict(difference)}


def dependents(folder):
    """Folders of kept results, of the same experiment and protocol, that are compared with those in `folder`."""
    folder = Path(folder)
    for path in sorted(folder.parent.parent.glob(f"*/{folder.name}/report.json")):
        named = read_summary(path.parent)["facts"].get("compared_with")
        if named and named[0] == folder.parent.name:
            yield path.parent
