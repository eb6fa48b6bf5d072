"""The table of kept results, as Markdown, and its place in the README."""

import os
from pathlib import Path

from sertf.reports.markdown import SCORE_NOTE, results_table
from sertf.runs.stored import ResultsError, read_json, read_summary, reports_in, write_text

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


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
    paths, start = reports_in(root), relative_to or root
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
    return results_table(rows.values()) if rows else ""


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
        f"Scores: {SCORE_NOTE}. The leak's worth is `paper` minus `strict`; besides the speakers, these differ "
        "in the share of a corpus that trains and in what is tested. From one corpus to another nothing leaks under either."
    )
    content = f"{table(results_root, relative_to=readme.parent)}\n\n{note}"
    write_text(f"{before}{BEGIN}\n\n{content}\n\n{END}{after}", readme)
