"""The section of a page on runs tested on other corpora than their training corpus: the languages, and chance."""

from collections.abc import Mapping
from typing import Any

from sertf.reports.markdown import bracket, mean_cell, table
from sertf.runs.facts import Across, Facts, Summary


def section(columns: dict[str, Summary]) -> list[str]:
    """The lines of a section on each tested corpus, none for runs on one corpus.

    Args:
        columns: the summaries of a variant by protocol.
    """
    columns = {protocol: column for protocol, column in columns.items() if column.get("by_corpus")}
    if not columns:
        return []
    first = next(iter(columns.values()))
    body, verdicts, counts = [], [], []
    for corpus, described in first["by_corpus"].items():
        emotions = described["emotions"]
        counts.append(
            f"{corpus} {described['utterances']} utterances of {described['speakers']} speakers and {emotions} emotions, so "
            f"that the UAR of chance is 1/{emotions}"
        )
        for key, entry in described["scores"].items():
            name = first["scores"][key]["name"]
            ours = {protocol: column["by_corpus"][corpus]["scores"][key] for protocol, column in columns.items()}
            cells = [f"{mean_cell(found)}{bracket(found)}" for found in ours.values()]
            body.append([corpus, name, f"{entry['chance']:.4f}", *cells])
            verdicts += [f"- {corpus}, `{protocol}`, {name}: {verdict(found)}." for protocol, found in ours.items()]
    return [
        "## Across corpora, beside chance",
        "",
        f"{trained_and_tested(first['facts'])}, none of whose recordings were trained on: "
        f"{'; '.join(counts)} and its WA the share of the most frequent emotion. Chance is the best that answers can score "
        "which do not depend on the clip; in brackets the 95 % interval over speakers, below also that of a t-test over "
        "repeats, which are other seeds.",
        "",
        *table(["tested on", "score", "chance", *(f"ours, `{name}`" for name in columns)], body, align="ll"),
        "",
        *verdicts,
        "",
    ]


def trained_and_tested(facts: Facts) -> str:
    """The corpora and their languages, as the start of a sentence."""
    across = facts.get("across") or Across(trained={}, tested={})
    trained, tested = (
        ", ".join(f"{name} ({', '.join(found['languages']) or 'no language stated'})" for name, found in part.items())
        for part in (across["trained"], across["tested"])
    )
    return f"Trained on {trained}, tested on {tested}"


def verdict(entry: Mapping[str, Any]) -> str:
    """The meaning of a score's intervals, over speakers and over repeats, beside its chance, as half a sentence."""
    speakers, repeats = "one speaker says nothing of other speakers", "one run says nothing of other seeds"
    if entry["low"] is not None:
        speakers = f"with other speakers {_side(entry['low'], entry['high'], entry['chance'])}"
    if entry["over_repeats"] is not None:
        low, high = entry["over_repeats"]
        repeats = f"with other seeds {_side(low, high, entry['chance'])} [{low:.4f}, {high:.4f}]"
    return f"{speakers}; {repeats}"


def _side(low: float, high: float, chance: float) -> str:
    if low > chance:
        return "above chance"
    return "below chance" if high < chance else "not shown to differ from chance"
