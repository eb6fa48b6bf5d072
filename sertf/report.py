"""Write reports from run directories, and the README's table from kept reports; never from a live model."""

import gzip
import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from sertf import comparisons, markdown, report_figures, report_page, statistics
from sertf.errors import SertfError
from sertf.kept import ResultsError, merge_manifests, read_facts, read_groups, read_json, read_predictions, read_summary
from sertf.results import collect, summarise

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
_OTHER = {"paper": "strict", "strict": "paper"}
_TABLES = ("predictions.csv.gz", "history.csv.gz", "groups.csv.gz")
_OURS = {*_TABLES, "report.md", "report.json", "manifest.json", *report_figures.FIGURES}


def write(folder, out, *, beside=None):
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
        ResultsError: as `sertf.results.collect`; if `out` cannot be written to, or holds results of something else, of
            another recipe, front end, table or recordings, or of more runs.
    """
    results, out = collect(folder), Path(out)
    if (out / "report.json").is_file():
        _check_same(out, read_summary(out), results)
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
        summary["figures"] = report_figures.write(results, summary, staging, before=out)
        summary["compared"] = comparisons.compared(summary, kept, out)
        _write_json({"shared": shared, "runs": runs}, staging / "manifest.json")
        _write_json(summary, staging / "report.json")
        _write_text(_render(summary, read_summary(other) if other else None), staging / "report.md")
        _take_place(staging, out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    if other and other.resolve() != out.resolve():
        _write_text(_render(read_summary(other), summary), other / "report.md")
    for place in comparisons.dependents(out):
        _compare_again(place)
    return summary


def compare(folder_a, folder_b, *, score="uar"):
    """Set two kept results side by side, as Markdown: a paired test over repeats, and one over speakers.

    Raises:
        SertfError: if a folder holds no results, the utterances differ, or the numbers of repeats do.
    """
    summaries, tables = [], []
    for folder in (Path(folder_a), Path(folder_b)):
        summaries.append(read_summary(folder))
        tables.append(read_predictions(folder / "predictions.csv.gz"))
    facts = [summary["facts"] for summary in summaries]
    names = [fact["variant"] for fact in facts]
    if len({fact["protocol"] for fact in facts}) > 1 or names[0] == names[1]:
        names = [f"{fact['variant']} ({fact['protocol']})" for fact in facts]
    if score not in summaries[0]["scores"]:
        raise SertfError(f"score must be one of {list(summaries[0]['scores'])}, got {score!r}.")
    values = [summary["scores"][score]["values"] for summary in summaries]
    return markdown.comparison(
        *names,
        summaries[0]["scores"][score]["name"],
        statistics.paired_test(*values),
        statistics.clustered_difference(*tables, score=score),
    )


def table(results_root, *, relative_to=None):
    """The table of all kept results, as Markdown, one row a variant.

    Of an experiment whose overview sets it against another one's variants, as that of ablations or baselines does, there
    is a link to that page in place of rows.

    Args:
        results_root: folder of `<experiment>/<variant>/<protocol>/report.json`.
        relative_to: folder that the links start from; the results' own by default.

    Raises:
        ResultsError: if there are no results, or a report.json is broken.
    """
    root = Path(results_root)
    paths, start = _kept(root), relative_to or root
    pages = [page.with_suffix(".md") for page in sorted(root.glob("*/overview.json")) if _against_another(page)]
    apart = {page.parent for page in pages}
    rows = _rows([path for path in paths if path.parents[2] not in apart], start)
    links = [f"[{page.parent.name}]({Path(os.path.relpath(page, start)).as_posix()})" for page in pages]
    more = f"On pages of their own: {', '.join(links)}." if links else ""
    return "\n\n".join(part for part in (rows, more) if part)


def table_of(experiment_folder, *, relative_to):
    """The table of one experiment's kept results, as Markdown, one row a variant.

    Args:
        experiment_folder: folder of `<variant>/<protocol>/report.json`.
        relative_to: folder that the links start from.

    Raises:
        ResultsError: a report.json is broken.
    """
    return _rows(sorted(Path(experiment_folder).glob("*/*/report.json")), relative_to)


def _rows(paths, start):
    rows = {}
    for path in paths:
        row = rows.setdefault(path.parent.parent, {"summaries": {}, "links": {}})
        protocol = path.parent.name
        row["summaries"][protocol] = read_summary(path.parent)
        row["links"][protocol] = Path(os.path.relpath(path.with_name("report.md"), start)).as_posix()
    return markdown.results_table(rows.values()) if rows else ""


def _against_another(overview):
    return any("/" in reference for reference in read_json(overview).get("references", ()))


def update_readme(readme_path, results_root):
    """Put `table(results_root)` between the two markers of a README.

    Raises:
        ResultsError: if the README cannot be read, or does not hold each marker once, begin before end.
    """
    readme = Path(readme_path)
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"{readme} cannot be read: {error.strerror}.") from error
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ResultsError(f"{readme} must hold the lines {BEGIN} and {END} once each, in this order; add them.")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    note = (
        f"Scores: {markdown.SCORE_NOTE}. The leak's worth is `paper` minus `strict`; besides the speakers, these differ "
        "in the share of a corpus that trains and in what is tested. From one corpus to another nothing leaks under either."
    )
    content = f"{table(results_root, relative_to=readme.parent)}\n\n{note}"
    _write_text(f"{before}{BEGIN}\n\n{content}\n\n{END}{after}", readme)


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
    paths = _kept(Path(results_root))
    for path, text in [(path.with_name("report.md"), page(path.parent)) for path in paths]:
        _write_text(text, path)
    return [path.with_name("report.md") for path in paths]


def write_all(runs, out):
    """`write` for each `experiment.json` at or below `runs`; returns the paths of the report pages.

    Raises:
        ResultsError: if there is none, or as `write`.
    """
    folders = sorted(path.parent for path in Path(runs).rglob("experiment.json"))
    if not folders:
        raise ResultsError(f"{runs} holds no experiment.json, so there are no runs to report; run an experiment first.")
    pages = []
    for folder in folders:
        place = Path(out).joinpath(*_identity(read_facts(folder)))
        write(folder, place)
        pages.append(place / "report.md")
    return pages


def _kept(root):
    """Every report.json below the folder of results."""
    paths = sorted(root.glob("*/*/*/report.json"))
    if not paths:
        raise ResultsError(f"{root} holds no <experiment>/<variant>/<protocol>/report.json; write a report first.")
    return paths


def _identity(facts):
    return tuple(facts.get(key, "?") for key in ("experiment", "variant", "protocol"))


def _check_same(out, found, results):
    """Raise ResultsError if writing would lose kept results: of something else, or of runs that are not among these."""
    names = _identity(found["facts"]), _identity(results.facts)
    if names[0] != names[1]:
        raise ResultsError(
            f"{out} holds results of {'/'.join(names[0])}, not {'/'.join(names[1])}; give another folder."
        )
    digests = [[facts.get(key) for key in ("digest", "audio_digest")] for facts in (found["facts"], results.facts)]
    if digests[0] != digests[1]:
        raise ResultsError(
            f"{out} holds results of another recipe, front end, table or recordings (digest {digests[0][0]}, not "
            f"{digests[1][0]}); give another folder, or delete it to keep these in its place."
        )
    if found["runs"] > len(results.manifests):
        raise ResultsError(
            f"{out} holds {found['runs']} runs, of which these are {len(results.manifests)}; give another folder, or train "
            "the others with --repeats or count them with --extend."
        )


def _other(out, facts, beside):
    """Folder of the other protocol's written results, None if there is none."""
    if beside is None:
        name = _OTHER.get(facts["protocol"])
        place = out.parent / name if name else None
        return place if place and (place / "report.json").is_file() else None
    found = _identity(read_summary(beside)["facts"])
    if found[:2] != _identity(facts)[:2] or found[2] == facts["protocol"]:
        raise ResultsError(
            f"{beside} holds {'/'.join(found)}, not another protocol of {'/'.join(_identity(facts)[:2])}."
        )
    return Path(beside)


def _compare_again(place):
    """Write a variant's line on the one that it is compared with anew."""
    summary = read_summary(place)
    summary["compared"] = comparisons.compared(summary, read_predictions(place / "predictions.csv.gz"), place)
    _write_json(summary, place / "report.json")
    _write_text(page(place), place / "report.md")


def _write_table(table, path):
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    # No name and no time in the header: the same table gives the same bytes.
    with open(path, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())


def _render(summary, beside):
    return report_page.render(
        summary, beside=beside, figures=summary.get("figures", ()), differing=summary.get("differing", ())
    )


def _write_json(content, path):
    _write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", path)


def _write_text(text, path):
    staging = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        staging.write_text(text, encoding="utf-8", newline="\n")
        os.replace(staging, path)
    except OSError as error:
        staging.unlink(missing_ok=True)
        raise ResultsError(f"{path} cannot be written: {error.strerror}.") from error


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
