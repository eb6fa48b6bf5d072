"""The table of stored results, as Markdown, and its place in the README."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from sertf.reports.markdown import SCORE_NOTE, linked_cell, primary, published_cells, signed, table
from sertf.runs.facts import Summary
from sertf.runs.layout import stored_of_experiment
from sertf.runs.stored import ResultsError, read_json, read_summary, stored_results, write_stored

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


@dataclass
class Row:
    """A variant's row.

    Attributes:
        summaries: by protocol.
        links: addresses of the reports, by protocol.
    """

    summaries: dict[str, Summary] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def results_table(results: Path, *, relative_to: Path | None = None) -> str:
    """The table of all stored results, as Markdown, one row a variant.

    An experiment whose overview sets it against another one's variants, as that of ablations or baselines does, gets a
    link to that page in place of rows.

    Args:
        results: folder of `<experiment>/<variant>/<protocol>/report.json`.
        relative_to: folder that the links start from; the results' own by default.

    Raises:
        ResultsError: if there are no results, or a report.json is broken.
    """
    stored, start = stored_results(results), relative_to or results
    pages = [page.with_suffix(".md") for page in sorted(results.glob("*/overview.json")) if _against_another(page)]
    apart = {page.parent for page in pages}
    rows = _table_of([folder for folder in stored if folder.parent.parent not in apart], start)
    links = [f"[{page.parent.name}]({_link(page, start)})" for page in pages]
    more = f"On pages of their own: {', '.join(links)}." if links else ""
    return "\n\n".join(part for part in (rows, more) if part)


def experiment_table(folder: Path, *, relative_to: Path) -> str:
    """The table of one experiment's stored results, as Markdown, one row a variant.

    Args:
        folder: folder of `<variant>/<protocol>/report.json`.
        relative_to: folder that the links start from.

    Raises:
        ResultsError: a report.json is broken.
    """
    return _table_of(stored_of_experiment(folder), relative_to)


def render_table(rows: list[Row]) -> str:
    """The table of some variants, as Markdown."""
    head = ["experiment", "model", "corpus", "score", "published", "ours, `paper` protocol", "ours, `strict` protocol"]
    body = []
    for row in rows:
        paper, strict = (row.summaries.get(protocol) for protocol in ("paper", "strict"))
        any_summary = next(iter(row.summaries.values()))
        facts, key = any_summary["facts"], primary(*row.summaries.values())
        cells = [facts["experiment"], f"`{facts['variant']}`", facts["corpus"]]
        cells += [any_summary["scores"][key]["name"], published_cells(row.summaries, key)]
        for protocol, summary in (("paper", paper), ("strict", strict)):
            cells.append(linked_cell(summary["scores"][key], row.links[protocol]) if summary else "not run")
        leak = "–"
        if paper and strict and not facts.get("across"):  # across corpora neither protocol tests whom it trained on
            leak = signed(paper["scores"][key]["mean"] - strict["scores"][key]["mean"])
        body.append([*cells, leak])
    return "\n".join(table([*head, "the leak's worth"], body, align="lllllll"))


def update_readme(readme: Path, results: Path) -> None:
    """Put `results_table(results)` between the two markers of a README.

    Raises:
        ResultsError: if the README cannot be read, or does not hold each marker once, begin before end.
    """
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
    content = f"{results_table(results, relative_to=readme.parent)}\n\n{note}"
    write_stored(readme, f"{before}{BEGIN}\n\n{content}\n\n{END}{after}")


def _table_of(stored: list[Path], start: Path) -> str:
    rows: dict[Path, Row] = {}
    for folder in stored:
        row = rows.setdefault(folder.parent, Row())
        row.summaries[folder.name] = read_summary(folder)
        row.links[folder.name] = _link(folder / "report.md", start)
    return render_table(list(rows.values())) if rows else ""


def _link(page: Path, start: Path) -> str:
    return Path(os.path.relpath(page, start)).as_posix()


def _against_another(overview: Path) -> bool:
    return any("/" in reference for reference in read_json(overview).get("references", ()))
