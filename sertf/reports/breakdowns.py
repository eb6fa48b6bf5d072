"""Sections of a report page that break the scores down: by fold, by emotion, by group of utterances."""

from collections.abc import Mapping
from typing import Any, cast

from sertf.evaluation.calibration import BINS, ERRORS
from sertf.evaluation.scores import BY_EMOTION, BY_FOLD
from sertf.reports.markdown import mean_cell, p_value, published_by_column, published_cell, signed, table
from sertf.reports.summary import over_repeats
from sertf.runs.facts import Summary

SHOWN_BELOW = 0.05
"""Below this p-value of its test a report calls a difference shown."""


def published_names(columns: dict[str, Summary]) -> set[str]:
    """Names of published scores that have a place in these sections.

    Args:
        columns: dict of protocol to summary.
    """
    folds = [fold for column in columns.values() for fold in column.get("folds", ())]
    return {f"{key}_{emotion}" for key in BY_EMOTION for emotion in _emotions(columns)} | {
        f"{key}_{fold}" for key in BY_FOLD for fold in folds
    }


def by_fold(summary: Summary) -> list[str]:
    """Scores of each fold of one protocol, where it has several; folds of the other are of other utterances."""
    folds = summary.get("folds") or {}  # a report of before has none
    if len(folds) < 2:
        return []
    columns = {"fold": list(folds)}
    for name in ("utterances", "speakers"):
        columns[name] = [entry[name] for entry in folds.values()]
    notes = ["Mean ± standard deviation over repeats."]
    published = summary["facts"].get("published") or {}
    for key in BY_FOLD:
        name, highest = summary["scores"][key]["name"], f"highest_{key}"
        if any(f"{key}_{fold}" in published for fold in folds):
            columns[f"{name}, published"] = [published_cell(published, f"{key}_{fold}") for fold in folds]
        columns[f"{name}, ours"] = [mean_cell(entry[key]) for entry in folds.values()]
        if all(highest in entry for entry in folds.values()):
            columns[f"{name}, highest"] = [mean_cell(entry[highest]) for entry in folds.values()]
    if any(title.endswith("highest") for title in columns):
        notes.append("The highest of any epoch is chosen by the test part itself, so it is no honest score.")
    return ["## By fold", "", *table(list(columns), zip(*columns.values())), "", " ".join(notes), ""]


def by_emotion(columns: dict[str, Summary]) -> list[str]:
    """Recall, precision and F1 of each emotion, the protocols side by side behind what the paper prints.

    Args:
        columns: dict of protocol to summary.
    """
    lines: list[str] = []
    emotions, spreads = _emotions(columns), cast(dict[str, dict[str, Any]], columns)
    for key, name in BY_EMOTION.items():
        ours = {protocol: column[key] for protocol, column in spreads.items() if column.get(key)}
        if not ours:  # a report of before knows the recall alone
            continue
        printed = {
            title: published
            for title, published in published_by_column(columns).items()
            if any(f"{key}_{emotion}" in published for emotion in emotions)
        }
        body = [
            [
                emotion,
                *(published_cell(published, f"{key}_{emotion}") for published in printed.values()),
                *(mean_cell(found[emotion]) if emotion in found else "–" for found in ours.values()),
            ]
            for emotion in emotions
        ]
        head = ["emotion", *printed, *(f"`{protocol}`" for protocol in ours)]
        lines += [f"## {name} by emotion", "", *table(head, body), ""]
    return lines


def by_group(groups: Mapping[str, dict[str, Any]], *, drawn: str = "speakers", repeats: bool = True) -> list[str]:
    """Right and wrong by group, with a test of whether two groups differ.

    Args:
        groups: plain values of `sertf.evaluation.groups.Comparison` by grouping.
        drawn: what intervals and tests draw anew.
        repeats: whether the numbers are means over repeats.
    """
    lines = []
    for grouping, entry in groups.items():
        body = [
            [
                name,
                group["utterances"],
                f"{group['right']:.1f}",
                f"{group['wrong']:.1f}",
                f"{group['accuracy']:.4f}",
                "–" if group["low"] is None else f"[{group['low']:.4f}, {group['high']:.4f}]",
            ]
            for name, group in entry["groups"].items()
        ]
        head = [grouping, "utterances", "right", "wrong", "accuracy", f"95 % interval over {drawn}"]
        notes = ["Right, wrong and accuracy are means over repeats."] if repeats else []
        if entry["left_out"]:
            notes.append(f"Utterances without {grouping}, left out: {entry['left_out']}.")
        lines += [f"## By {grouping}", "", *table(head, body), ""]
        lines += [" ".join(notes), ""] if notes else []
        lines += [_group_verdict(list(entry["groups"]), entry["test"], drawn), ""]
    return lines


def calibration(columns: dict[str, Summary]) -> list[str]:
    """How far the confidences can be believed.

    Args:
        columns: dict of protocol to summary.
    """
    ours = {
        protocol: column["calibration"]["values"] for protocol, column in columns.items() if "calibration" in column
    }
    if not ours:
        return []
    body = [[name, *(mean_cell(over_repeats(values[key])) for values in ours.values())] for key, name in ERRORS.items()]
    return [
        "## Calibration",
        "",
        *table(["error, 0 is best", *(f"`{protocol}`" for protocol in ours)], body),
        "",
        f"Mean ± standard deviation over repeats. The ECE has {BINS} bins. Scores count as shares of their sum.",
        "",
    ]


def _group_verdict(names: list[str], test: dict[str, Any] | None, drawn: str) -> str:
    if test is None:
        return f"Test of a difference: – (it needs two groups of two {drawn} or more)."
    a, b = names
    return (
        f"A difference between {a} and {b} is {'' if test['p'] < SHOWN_BELOW else 'not '}shown: {test['name']} over "
        f"{test['speakers']} {drawn}, p {p_value(test['p'])}; the {drawn}' mean accuracy in {a} minus that "
        f"in {b} is {signed(test['difference'])}."
    )


def _emotions(columns: dict[str, Summary]) -> list[str]:
    return list(dict.fromkeys(emotion for column in columns.values() for emotion in column["recall"]))
