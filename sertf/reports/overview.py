"""One page over all variants of an experiment, from stored results: scores, reproducibility, differences to a reference.

A variant of another experiment whose results lie beside is written OTHER_EXPERIMENT/VARIANT.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

from sertf.errors import SertfError, is_number
from sertf.evaluation.statistics import clustered_difference, compared_over_repeats
from sertf.files import check_writable, locked
from sertf.plots.scores import against, bars, violin
from sertf.reports.figures import save_figures
from sertf.reports.markdown import triple
from sertf.reports.overview_page import render_overview
from sertf.runs.facts import Asked, Overview, Summary, in_order, lacking
from sertf.runs.layout import results_lock, stored_of_experiment, stored_of_variant
from sertf.runs.stored import ResultsError, read_json, read_predictions, read_summary, write_stored


def write_overview(
    folder: Path | str,
    *,
    references: Sequence[str] = (),
    score: str = "wa",
    beside: Sequence[str] = (),
    by: str | None = None,
    figure_formats: Iterable[str] = ("png",),
) -> Overview:
    """Write `overview.md`, `overview.json` and figures into an experiment's folder of stored results.

    Args:
        folder: `<results>/<experiment>`, with `<variant>/<protocol>/report.json` in it.
        references: variants to compare the others with, or `<other experiment>/<variant>` in the same results folder.
            Each variant is compared with the reference of the same recipe, or else with the first. The other references
            are compared with the first. None leaves the differences out.
        score: a score with an interval.
        beside: `<other experiment>/<variant>` of variants to show too.
        by: numeric option of the model to draw the score against; variants without it are left out of that figure.
        figure_formats: "png", which is always written, and "svg" beside it.

    Returns:
        The content of `overview.json`: `references`, `score`, `beside` and `by` as given, `variants` and `differences`.

    Raises:
        SertfError: no results, an unknown reference or score, an option that no variant sets to a number, or variants
            tested on different utterances.
    """
    folder = Path(folder).resolve()  # its name is the experiment's
    if not stored_of_experiment(folder):
        raise ResultsError(f"{folder} holds no <variant>/<protocol>/report.json; write reports first.")
    check_writable(folder, "--overview folder", ResultsError)
    with locked(results_lock(folder.parent), folder.parent):
        return _write_overview(folder, references, score, beside, by, figure_formats)


def _write_overview(
    folder: Path,
    references: Sequence[str],
    score: str,
    beside: Sequence[str],
    by: str | None,
    figure_formats: Iterable[str],
) -> Overview:
    summaries, places = _summaries(folder, [*beside, *(name for name in references if "/" in name)])
    for reference in references:
        if reference not in summaries:
            raise ResultsError(f"Unknown reference '{reference}'; {folder} holds {', '.join(summaries)}.")
    known = next(iter(next(iter(summaries.values())).values()))["scores"]
    if score not in known or known[score]["low"] is None:
        allowed = ", ".join(key for key, entry in known.items() if entry["low"] is not None)
        if not allowed:
            raise ResultsError(
                f"{folder} holds scores without intervals, since one speaker was tested, and an overview compares by "
                "intervals over speakers; test two speakers or more."
            )
        raise ResultsError(f"score must be one of {allowed}, got '{score}'.")
    protocols = in_order({protocol for of_variant in summaries.values() for protocol in of_variant})
    differences = _differences(places, summaries, references, score) if references else []
    content: Overview = {
        "experiment": folder.name,
        "references": list(references),
        "score": score,
        "beside": list(beside),
        "by": by,
        "variants": {
            name: {protocol: _figures_of(summary, score) for protocol, summary in of_variant.items()}
            for name, of_variant in summaries.items()
        },
        "differences": differences,
    }
    drawn = {} if by is None else _draw_by(folder, summaries, score, by)
    drawn |= _draw(summaries, protocols, score, references, differences)
    save_figures({name: figure for name, (figure, _) in drawn.items()}, folder, figure_formats)
    figures = [(name, caption) for name, (_, caption) in drawn.items()]
    links = {
        name: {
            protocol: Path(os.path.relpath(place / "report.md", folder)).as_posix() for protocol, place in of.items()
        }
        for name, of in places.items()
    }
    page = render_overview(content, summaries, links=links, protocols=protocols, figures=figures)
    for name, text in (("overview.json", json.dumps(content, indent=1) + "\n"), ("overview.md", page)):
        write_stored(folder / name, text)
    return content


def rewrite_overviews(results: Path, figure_formats: Iterable[str] = ("png",)) -> list[Path]:
    """Rewrite each overview below a folder of results, with the options in its `overview.json`; returns the pages' paths.

    Raises:
        SertfError: an overview.json is broken, or as `write_overview`.
    """
    paths = sorted(results.glob("*/overview.json"))
    for path in paths:
        asked = cast(Asked, read_json(path))
        missing = lacking(Asked, asked)
        if missing:
            raise ResultsError(f"{path} lacks {', '.join(missing)}; write it by `sertf report --overview` first.")
        write_overview(
            path.parent,
            references=asked["references"],
            score=asked["score"],
            beside=asked["beside"],
            by=asked["by"],
            figure_formats=figure_formats,
        )
    return [path.with_suffix(".md") for path in paths]


def _summaries(folder: Path, beside: list[str]) -> tuple[dict[str, dict[str, Summary]], dict[str, dict[str, Path]]]:
    """The report of each variant and protocol, and the folder of each."""
    variants = {stored.parent.name: stored.parent for stored in stored_of_experiment(folder)}
    for name in beside:
        variants[name] = folder.parent / name
        if name.count("/") != 1 or not stored_of_variant(variants[name]):
            raise ResultsError(
                f"'{name}' must be <experiment>/<variant> of results in {folder.parent}; there is no report of it."
            )
    places = {
        name: {stored.name: stored for stored in stored_of_variant(variant)} for name, variant in variants.items()
    }
    summaries = {name: {protocol: read_summary(place) for protocol, place in of.items()} for name, of in places.items()}
    return summaries, places


def _figures_of(summary: Summary, score: str) -> dict[str, Any]:
    entry, agreement = summary["scores"][score], summary["reproducibility"]
    return {
        "mean": entry["mean"],
        "std": entry["std"],
        "low": entry["low"],
        "high": entry["high"],
        "uar": summary["scores"]["uar"]["mean"],
        "repeats": summary["facts"]["repeats"],
        "parameters": summary["parameters"],
        "reproducibility": agreement,
    }


def _reference_of(
    summary: Summary, protocol: str, references: Sequence[str], summaries: dict[str, dict[str, Summary]]
) -> str:
    """The first reference that was trained by a variant's recipe, or the first of all."""
    for reference in references:
        whole = summaries[reference].get(protocol)
        if whole is not None and whole["facts"].get("recipe") == summary["facts"].get("recipe"):
            return reference
    return references[0]


def _differences(
    places: dict[str, dict[str, Path]], summaries: dict[str, dict[str, Summary]], references: Sequence[str], score: str
) -> list[dict[str, Any]]:
    """Each other variant minus its reference, by protocol, with both intervals."""
    rows = []
    for name, of_variant in summaries.items():
        for protocol, summary in of_variant.items():
            reference = references[0]
            if name not in references:
                reference = _reference_of(summary, protocol, references, summaries)
            whole = summaries[reference].get(protocol)
            if name == reference or whole is None:
                continue
            tables = [read_predictions(places[v][protocol] / "predictions.csv.gz") for v in (name, reference)]
            try:
                speakers = clustered_difference(*tables, score=score)
            except SertfError as error:
                raise ResultsError(f"{name} cannot be set against {reference} under {protocol}: {error}") from error
            over_repeats = [s["scores"][score]["values"] for s in (summary, whole)]
            seeds = None
            if min(map(len, over_repeats)) > 1:
                test = compared_over_repeats(*over_repeats)
                seeds = {"low": test.low, "high": test.high, "t_p": test.t_p, "repeats": [*map(len, over_repeats)]}
            published = [(s["facts"].get("published") or {}).get(score) for s in (summary, whole)]
            printed: list[Any] = [values and triple(values)[0] for values in published]
            # A single score printed for both gives no difference.
            gap = None if None in printed or printed[0] == printed[1] else printed[0] - printed[1]
            rows.append(
                {
                    "variant": name,
                    "reference": reference,
                    "protocol": protocol,
                    "difference": speakers.difference,
                    "low": speakers.low,
                    "high": speakers.high,
                    "over_repeats": seeds,
                    "published": gap,
                }
            )
    return rows


def _draw(
    summaries: dict[str, dict[str, Summary]],
    protocols: list[str],
    score: str,
    references: Sequence[str],
    differences: list[dict[str, Any]],
) -> dict[str, tuple[Figure, str]]:
    """The figures and their captions, by file name."""
    name_of_score = next(iter(next(iter(summaries.values())).values()))["scores"][score]["name"]
    if differences:
        rows = [(row["variant"], row["protocol"], row["difference"], row["low"], row["high"]) for row in differences]
        caption = f"{name_of_score} minus that of {' or '.join(references)}, with the 95 % interval over speakers"
    else:
        rows = [
            (name, protocol, entry["mean"], entry["low"], entry["high"])
            for name, of_variant in summaries.items()
            for protocol, summary in of_variant.items()
            for entry in [summary["scores"][score]]
        ]
        caption = f"{name_of_score} with the 95 % interval over speakers"
    drawn = {"bars.png": (bars(rows, xlabel=caption), caption)}
    for protocol in protocols:
        values = {
            name: of_variant[protocol]["scores"][score]["values"]
            for name, of_variant in summaries.items()
            if protocol in of_variant
        }
        caption = f"{name_of_score} over repeats, {protocol} protocol"
        drawn[f"repeats_{protocol}.png"] = violin(values, ylabel=name_of_score), caption
    return drawn


def _draw_by(
    folder: Path, summaries: dict[str, dict[str, Summary]], score: str, option: str
) -> dict[str, tuple[Figure, str]]:
    """The score against an option of the model, and its caption, by file name."""
    rows, options = [], set()
    for of_variant in summaries.values():
        for protocol, summary in of_variant.items():
            found, entry = summary["facts"].get("model", {}).get("options", {}), summary["scores"][score]
            options |= set(found)
            value = found.get(option)
            if value is not None and is_number(value):
                rows.append((value, protocol, entry["values"], entry["low"], entry["high"]))
    if not rows:
        raise ResultsError(
            f"No model in {folder} has the option '{option}' as a number; their options are "
            f"{', '.join(sorted(options)) or 'none'}."
        )
    name, shown = entry["name"], option.replace("_", " ")
    caption = f"{name} by {shown}: repeats, their mean, 95 % interval over speakers"
    return {f"by_{option}.png": (against(rows, xlabel=shown, ylabel=name), caption)}
