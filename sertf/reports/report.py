"""Write reports from run directories; never from a live model."""

import gzip
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from sertf.errors import SertfError
from sertf.evaluation.statistics import clustered_difference, compared_over_repeats
from sertf.reports import figures
from sertf.reports.comparisons import compared, dependents
from sertf.reports.markdown import comparison
from sertf.reports.page import render_page
from sertf.reports.summary import summarise
from sertf.runs.collect import collect
from sertf.runs.stored import (
    ResultsError,
    check_replaceable,
    merge_manifests,
    names_of,
    read_facts,
    read_groups,
    read_predictions,
    read_summary,
    reports_in,
    write_text,
)

_OTHER = {"paper": "strict", "strict": "paper"}
_TABLES = ("predictions.csv.gz", "history.csv.gz", "groups.csv.gz")
_OURS = {*_TABLES, "report.md", "report.json", "manifest.json", *figures.FIGURES}


def write_report(folder, out, *, beside=None):
    """Write one variant's results under one protocol: predictions, report, figures, manifest.

    The numbers are computed from the predictions as kept, 6 significant digits, so that they can be had again from
    them exactly. All files are made in a temporary folder that then takes the place of `out`; other files that lie in
    `out` stay. The page of the other protocol, if it lies there, is rendered again with this one beside it, and
    so are the pages of the variants that are compared with this one.

    Args:
        folder: `<runs>/<variant>/<protocol>`.
        out: folder to write, `<results>/<experiment>/<variant>/<protocol>`.
        beside: written results of the other protocol; by default the sibling of `out`, "paper" of "strict" and the
            other way round, if it is there.

    Returns:
        The summary, as `report.json` holds it.

    Raises:
        ResultsError: as `sertf.runs.collect.collect`; if `out` cannot be written to, or holds results of something else, of
            another recipe, front end, table or recordings, or of more runs.
    """
    results, out = collect(folder), Path(out)
    check_replaceable(out, results.facts, len(results.manifests))
    other = _other(out, results.facts, beside)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ResultsError(f"Cannot write to {out.parent}: {error.strerror}; choose another --out.") from error
    try:
        _write_table(results.predictions, staging / "predictions.csv.gz")
        _write_table(results.histories, staging / "history.csv.gz")
        grouped = read_groups(results.folder / "groups.csv", results.predictions)
        if grouped is not None:
            _write_table(grouped, staging / "groups.csv.gz")
        kept = read_predictions(staging / "predictions.csv.gz")
        summary = summarise(replace(results, predictions=kept))
        shared, runs = merge_manifests(results.manifests)
        if "audit" in shared:  # runs that were taken over may know less of leaks than what declares them now
            shared["audit"] = results.facts.get("audit", shared["audit"])
        summary["differing"] = sorted({key for run in runs for key in run})
        summary["figures"] = figures.write_figures(results, summary, staging, before=out)
        summary["compared"] = compared(summary, kept, out)
        _write_json({"shared": shared, "runs": runs}, staging / "manifest.json")
        _write_json(summary, staging / "report.json")
        write_text(_render(summary, read_summary(other) if other else None), staging / "report.md")
        _take_place(staging, out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    if other and other.resolve() != out.resolve():
        write_text(_render(read_summary(other), summary), other / "report.md")
    for place in dependents(out):
        _compare_again(place)
    return summary


def compare(folder_a, folder_b, *, score="uar"):
    """Set two kept results side by side, as Markdown: a test over repeats, and a paired one over speakers.

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
        *names,
        summaries[0]["scores"][score]["name"],
        compared_over_repeats(*values),
        clustered_difference(*tables, score=score),
    )


def page(folder):
    """The page of kept results, as Markdown, from their report.json and that of the other protocol beside them.

    Raises:
        ResultsError: if a report.json is missing or broken.
    """
    folder = Path(folder)
    summary = read_summary(folder)
    other = _other(folder, summary["facts"], None)
    return _render(summary, read_summary(other) if other else None)


def rewrite_pages(results_root):
    """Write the page of every kept result anew, as `page`; returns their paths.

    Raises:
        ResultsError: if there are no results, or as `page`, before any is written.
    """
    paths = reports_in(results_root)
    for path, text in [(path.with_name("report.md"), page(path.parent)) for path in paths]:
        write_text(text, path)
    return [path.with_name("report.md") for path in paths]


def write_all(runs, out):
    """`write` for each `experiment.json` at or below `runs`; returns the paths of the report pages.

    Raises:
        ResultsError: if there is none, or as `write`; the reports of the others are written before.
    """
    folders = sorted(path.parent for path in Path(runs).rglob("experiment.json"))
    if not folders:
        raise ResultsError(f"{runs} holds no experiment.json, so there are no runs to report; run an experiment first.")
    pages, faults = [], []
    for folder in folders:
        try:
            place = Path(out).joinpath(*names_of(read_facts(folder)))
            write_report(folder, place)
        except ResultsError as error:  # runs still going on are no reason to leave the finished ones out
            faults.append(error)
            continue
        pages.append(place / "report.md")
    if faults:
        others = f" {len(pages)} of {len(folders)} reports were written." if len(folders) > 1 else ""
        raise ResultsError(f"{' '.join(map(str, faults))}{others}")
    return pages


def _other(out, facts, beside):
    """Folder of the other protocol's written results, None if there is none."""
    if beside is None:
        name = _OTHER.get(facts["protocol"])
        place = out.parent / name if name else None
        return place if place and (place / "report.json").is_file() else None
    found = names_of(read_summary(beside)["facts"])
    if found[:2] != names_of(facts)[:2] or found[2] == facts["protocol"]:
        raise ResultsError(
            f"{beside} holds {'/'.join(found)}, not another protocol of {'/'.join(names_of(facts)[:2])}."
        )
    return Path(beside)


def _compare_again(place):
    """Write a variant's line on the one that it is compared with anew."""
    summary = read_summary(place)
    summary["compared"] = compared(summary, read_predictions(place / "predictions.csv.gz"), place)
    _write_json(summary, place / "report.json")
    write_text(page(place), place / "report.md")


def _write_table(table, path):
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    # No name and no time in the header: the same table gives the same bytes.
    with open(path, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())


def _render(summary, beside):
    return render_page(
        summary, beside=beside, figures=summary.get("figures", ()), differing=summary.get("differing", ())
    )


def _write_json(content, path):
    write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)


def _take_place(staging, out):
    """Put the finished folder in the place of the old one, with the old one's files that are none of ours."""
    old = out.with_name(f".{out.name}-old")
    if old.exists() and not out.exists():  # killed between the two renames below
        os.replace(old, out)
    if out.exists():
        for entry in out.iterdir():
            if entry.is_dir():
                shutil.copytree(entry, staging / entry.name)
            elif entry.name not in _OURS:
                shutil.copy2(entry, staging / entry.name)
        shutil.rmtree(old, ignore_errors=True)
        os.replace(out, old)
    staging.chmod(0o755)
    os.replace(staging, out)
    shutil.rmtree(old, ignore_errors=True)
