"""Write reports from run directories; never from a live model."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sertf.errors import SertfError
from sertf.evaluation.statistics import clustered_difference, compared_over_repeats
from sertf.files import check_writable, locked, remove_leftovers, replaced_folder
from sertf.reports import figures
from sertf.reports.comparisons import compared_with, dependents
from sertf.reports.markdown import comparison
from sertf.reports.page import render_page
from sertf.reports.representations import REPRESENTATIONS
from sertf.reports.summary import summarise
from sertf.runs.collect import Results, collect, merge_manifests
from sertf.runs.facts import PROTOCOLS, Facts, Summary, names_of
from sertf.runs.layout import is_stored, results_lock, results_of, sibling, stored_folder, visible
from sertf.runs.stored import (
    ResultsError,
    check_replaceable,
    read_facts,
    read_groups,
    read_predictions,
    read_summary,
    stored_results,
    write_stored,
    write_table,
)

_TABLES = ("predictions.csv.gz", "history.csv.gz", "groups.csv.gz")
_OURS = {*_TABLES, "report.md", "report.json", "manifest.json", REPRESENTATIONS, *figures.FILES}


def write_report(
    folder: Path | str, out: Path | str, *, beside: Path | str | None = None, figure_formats: Iterable[str] = ("png",)
) -> Summary:
    """Write one variant's results under one protocol: predictions, report, figures, manifest.

    The numbers are computed from the predictions as stored, with 6 significant digits. So the stored files reproduce
    them exactly. Files of `out` that do not belong to a report stay. The pages of the other protocols, if there are any,
    are rendered again with this one beside them. So are the pages of the variants that are compared with this one.

    Args:
        folder: `<runs>/<variant>/<protocol>`.
        out: folder to write, `<results>/<experiment>/<variant>/<protocol>`.
        beside: written results of another protocol; by default the siblings of `out` that are there, of "paper",
            "strict" and "speaker-known".
        figure_formats: "png", which is always written, and "svg" beside it.

    Returns:
        The summary, as in `report.json`.

    Raises:
        ResultsError: as `sertf.runs.collect.collect`. Or `out` cannot be written to, or holds other results: of another
            recipe, front end, table or recordings, or of more runs.
    """
    results, out = collect(Path(folder)), Path(out)
    root = results_of(out, names_of(results.facts))
    check_writable(root, "--out", ResultsError)
    with locked(results_lock(root), root):
        return _write_report(results, out, beside, figure_formats)


def _write_report(results: Results, out: Path, beside: Path | str | None, figure_formats: Iterable[str]) -> Summary:
    for place in (out, out / "report.md", out / "report.json"):
        remove_leftovers(place)
    check_replaceable(out, results.facts, len(results.manifests))
    others = _others(out, results.facts, None if beside is None else Path(beside))
    check_writable(out.parent, "--out", ResultsError)
    with replaced_folder(out) as staging:
        write_table(staging / "predictions.csv.gz", results.predictions)
        write_table(staging / "history.csv.gz", results.histories)
        grouped = read_groups(results.folder / "groups.csv", results.predictions)
        if grouped is not None:
            write_table(staging / "groups.csv.gz", grouped)
        kept = read_predictions(staging / "predictions.csv.gz")
        summary = summarise(replace(results, predictions=kept))
        shared, runs = merge_manifests(results.manifests)
        if "audit" in shared:  # runs that were taken over may know less of leaks than what declares them now
            shared["audit"] = results.facts.get("audit", shared["audit"])
        summary["differing"] = sorted({key for run in runs for key in run})
        summary["figures"] = figures.write_figures(results, summary, staging, before=out, formats=figure_formats)
        summary["compared"] = compared_with(summary, kept, out)
        _write_json(staging / "manifest.json", {"shared": shared, "runs": runs})
        _write_json(staging / "report.json", summary)
        write_stored(staging / "report.md", _render(summary, map(read_summary, others), staging))
        _keep_others(out, staging)
        staging.chmod(0o755)  # whatever the umask
    for other in others:
        if other.resolve() != out.resolve():
            shown = read_summary(other)
            further = [place for place in _others(other, shown["facts"], None) if place.resolve() != out.resolve()]
            write_stored(other / "report.md", _render(shown, [summary, *map(read_summary, further)], other))
    for place in dependents(out):
        _compare_again(place)
    return summary


def compare_results(folder_a: Path | str, folder_b: Path | str, *, score: str = "uar") -> str:
    """Set two stored results side by side, as Markdown: a test over repeats, and a paired one over speakers.

    Raises:
        SertfError: if a folder holds no results or those of one repeat, or the utterances differ.
    """
    summaries, tables = [], []
    for folder in (Path(folder_a), Path(folder_b)):
        summaries.append(read_summary(folder))
        tables.append(read_predictions(folder / "predictions.csv.gz"))
    facts = [summary["facts"] for summary in summaries]
    names = [fact["variant"] for fact in facts]
    if len({fact["protocol"] for fact in facts}) > 1 or names[0] == names[1]:
        names = [f"{fact['variant']} ({fact['protocol']})" for fact in facts]
    known = [key for key, entry in summaries[0]["scores"].items() if entry["low"] is not None]
    if score not in known:
        raise SertfError(f"score must be one of {', '.join(known)}, got {score!r}.")
    values = [summary["scores"][score]["values"] for summary in summaries]
    return comparison(
        names[0],
        names[1],
        summaries[0]["scores"][score]["name"],
        compared_over_repeats(*values),
        clustered_difference(*tables, score=score),
    )


def report_page(folder: Path) -> str:
    """The page of stored results, as Markdown, from their report.json and those of the other protocols beside them.

    Raises:
        ResultsError: if a report.json is missing or broken.
    """
    summary = read_summary(folder)
    return _render(summary, map(read_summary, _others(folder, summary["facts"], None)), folder)


def rewrite_pages(results: Path) -> list[Path]:
    """Write the page of every stored result anew, as `report_page`; returns their paths.

    Raises:
        ResultsError: if there are no results, or as `report_page`, before any is written.
    """
    folders = stored_results(results)
    check_writable(results, "--pages folder", ResultsError)
    with locked(results_lock(results), results):
        pages = {folder / "report.md": report_page(folder) for folder in folders}
        for path, text in pages.items():
            write_stored(path, text)
    return list(pages)


def redraw_figures(results: Path, figure_formats: Iterable[str] = ("png",)) -> list[Path]:
    """Draw the figures of every stored result anew, as `sertf.reports.figures.redraw_figures`.

    Returns:
        The folders whose figures of a model stay as they are, since the stored results lack what these show.

    Raises:
        ResultsError: there are no results, a file of them cannot be read or drawn, or the folder cannot be written to.
    """
    summaries = {folder: read_summary(folder) for folder in stored_results(results)}
    check_writable(results, "--figures folder", ResultsError)
    with locked(results_lock(results), results):
        redrawn = {folder: figures.redraw_figures(folder, of, figure_formats) for folder, of in summaries.items()}
    return [folder for folder, all_of_them in redrawn.items() if not all_of_them]


def write_reports(runs: Path, out: Path, figure_formats: Iterable[str] = ("png",)) -> list[Path]:
    """`write_report` for each `experiment.json` at or below `runs`; returns the paths of the report pages.

    Raises:
        ResultsError: if there is none, or as `write_report`; the reports of the others are written before.
    """
    folders = [path.parent for path in visible(runs, runs.rglob("experiment.json"))]
    if not folders:
        raise ResultsError(f"{runs} holds no experiment.json, so there are no runs to report; run an experiment first.")
    pages, faults = [], []
    for folder in folders:
        try:
            place = stored_folder(out, *names_of(read_facts(folder)))
            write_report(folder, place, figure_formats=figure_formats)
        except ResultsError as error:  # runs still going on are no reason to leave the finished ones out
            faults.append(error)
            continue
        pages.append(place / "report.md")
    if faults:
        others = f" {len(pages)} of {len(folders)} reports were written." if len(folders) > 1 else ""
        raise ResultsError(f"{' '.join(map(str, faults))}{others}")
    return pages


def _others(out: Path, facts: Facts, beside: Path | None) -> list[Path]:
    """Folders of the other protocols' written results."""
    if beside is None:
        shown = PROTOCOLS if facts["protocol"] in PROTOCOLS else ()
        places = [sibling(out, protocol=name) for name in shown if name != facts["protocol"]]
        return list(filter(is_stored, places))
    found = names_of(read_summary(beside)["facts"])
    if found[:2] != names_of(facts)[:2] or found[2] == facts["protocol"]:
        raise ResultsError(
            f"{beside} holds {'/'.join(found)}, not another protocol of {'/'.join(names_of(facts)[:2])}."
        )
    return [beside]


def _compare_again(place: Path) -> None:
    """Write a variant's line on the one that it is compared with anew."""
    summary = read_summary(place)
    summary["compared"] = compared_with(summary, read_predictions(place / "predictions.csv.gz"), place)
    _write_json(place / "report.json", summary)
    write_stored(place / "report.md", report_page(place))


def _render(summary: Summary, beside: Iterable[Summary], folder: Path) -> str:
    return render_page(summary, beside=beside, folder=folder, differing=summary.get("differing", ()))


def _write_json(path: Path, content: Any) -> None:
    write_stored(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _keep_others(out: Path, staging: Path) -> None:
    """Copy what lies in a folder of results and is not of a report into the one that takes its place."""
    for entry in out.iterdir() if out.exists() else ():
        if entry.is_dir():
            shutil.copytree(entry, staging / entry.name)
        elif entry.name not in _OURS:
            shutil.copy2(entry, staging / entry.name)
