"""The table of stored results, that of one experiment, and the table of headlines in the README."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sertf.reports.markdown import (
    linked_cell,
    primary,
    published_by_column,
    published_cell,
    published_cells,
    score_cell,
    signed,
    table,
    triple,
)
from sertf.reports.plain import aligned
from sertf.runs.facts import SPEAKER_KNOWN, Published, Score, Summary
from sertf.runs.layout import stored_of_experiment
from sertf.runs.stored import ResultsError, read_json, read_summary, stored_results, write_stored

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"

Titles = Callable[[str], Mapping[str, str]]
"""Gives the titles of an experiment's variants; none for an experiment that no paper of the zoo has."""

Headlines = Callable[[str], Iterable[str]]
"""Gives the names of an experiment's variants that stand in the README."""


@dataclass
class Row:
    """A variant's row.

    Attributes:
        summaries: by protocol.
        links: addresses of the reports, by protocol.
        title: of the variant; its name by default.
    """

    summaries: dict[str, Summary] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    title: str = ""


def results_table(results: Path, *, titles: Titles, relative_to: Path | None = None) -> str:
    """The table of all stored results, as Markdown, one row a variant.

    Some experiments have an overview that compares them with another experiment's variants, such as ablations or
    baselines. They get a link to that page in place of rows.

    Args:
        results: folder of `<experiment>/<variant>/<protocol>/report.json`.
        titles: the titles of an experiment's variants.
        relative_to: folder that the links start from; the results' own by default.

    Raises:
        ResultsError: if there are no results, or a report.json is broken.
    """
    stored, start = stored_results(results), relative_to or results
    pages = [page.with_suffix(".md") for page in sorted(results.glob("*/overview.json")) if _against_another(page)]
    apart = {page.parent for page in pages}
    rows = _rows_of([folder for folder in stored if folder.parent.parent not in apart], start)
    for folder, row in rows.items():
        row.title = titles(folder.parent.name).get(folder.name, "")
    links = [f"[{page.parent.name}]({_link(page, start)})" for page in pages]
    more = f"On pages of their own: {', '.join(links)}." if links else ""
    return "\n\n".join(part for part in (render_table(list(rows.values())) if rows else "", more) if part)


def experiment_table(folder: Path, *, relative_to: Path) -> str:
    """The table of one experiment's stored results, as plain text, one row a variant and protocol.

    Args:
        folder: folder of `<variant>/<protocol>/report.json`.
        relative_to: folder that the paths of the reports start from.

    Raises:
        ResultsError: a report.json is broken.
    """
    body = []
    for row in _rows_of(stored_of_experiment(folder), relative_to).values():
        key = primary(*row.summaries.values())
        for protocol, summary in row.summaries.items():
            entry, facts = summary["scores"][key], summary["facts"]
            cells = [facts["variant"], protocol, entry["name"], published_cell(facts.get("published"), key)]
            body.append([*cells, score_cell(entry), str(len(entry["values"])), row.links[protocol]])
    return aligned(["variant", "protocol", "score", "published", "ours", "repeats", "report"], body) if body else ""


def headline_table(results: Path, *, titles: Titles, headlines: Headlines, relative_to: Path) -> str:
    """The table of the headline variants' stored results, as Markdown, one row a variant.

    An experiment that no paper of the zoo has gets a row for every variant.

    Args:
        results: folder of `<experiment>/<variant>/<protocol>/report.json`.
        titles: the titles of an experiment's variants.
        headlines: the names of an experiment's headline variants.
        relative_to: folder that the links start from.

    Raises:
        ResultsError: there are no results, or a report.json is broken.
    """
    body = []
    for folder, row in _rows_of(stored_results(results), relative_to).items():
        experiment, variant = folder.parent.name, folder.name
        known = titles(experiment)
        if known and variant not in headlines(experiment):
            continue
        facts, key = next(iter(row.summaries.values()))["facts"], primary(*row.summaries.values())
        cells = [known.get(variant, f"`{variant}`"), facts["corpus"].replace("+", " to ")]
        cells += [key.upper() if key in ("uar", "wa") else key, _published(row.summaries, key)]
        for protocol, cell in (("paper", _mean_cell), ("strict", _interval_cell)):
            summary = row.summaries.get(protocol)
            cells.append(cell(summary["scores"][key], row.links[protocol]) if summary else "not run")
        body.append(cells)
    head = ["system, and what was run", "corpus", "score", "published", "ours, the paper's split"]
    return "\n".join(table([*head, "ours, unseen speakers"], body, align="llllll"))


def render_table(rows: list[Row]) -> str:
    """The table of some variants, as Markdown."""
    head = [
        "experiment",
        "variant",
        "corpus",
        "score",
        "published",
        "ours, `paper` protocol",
        "ours, `strict` protocol",
    ]
    body, known = [], any(SPEAKER_KNOWN in row.summaries for row in rows)
    for row in rows:
        paper, strict = (row.summaries.get(protocol) for protocol in ("paper", "strict"))
        any_summary = next(iter(row.summaries.values()))
        facts, key = any_summary["facts"], primary(*row.summaries.values())
        name = f"{row.title} <br>`{facts['variant']}`" if row.title else f"`{facts['variant']}`"
        cells = [facts["experiment"], name, facts["corpus"]]
        cells += [any_summary["scores"][key]["name"], published_cells(row.summaries, key)]
        for protocol, summary in (("paper", paper), ("strict", strict)):
            cells.append(linked_cell(summary["scores"][key], row.links[protocol]) if summary else "not run")
        leak = "–"
        if paper and strict and not facts.get("across"):  # across corpora neither protocol tests whom it trained on
            leak = signed(paper["scores"][key]["mean"] - strict["scores"][key]["mean"])
        body.append([*cells, leak, *([_known_cell(row, key)] if known else [])])
    heads = [*head, "the leak's worth", *(["ours, speaker known"] if known else [])]
    return "\n".join(table(heads, body, align="lllllllrl"))


def update_readme(readme: Path, results: Path, *, titles: Titles, headlines: Headlines) -> None:
    """Put `headline_table` between the two markers of a README.

    Args:
        readme: the file.
        results: folder of stored results.
        titles: the titles of an experiment's variants.
        headlines: the names of an experiment's headline variants.

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
    content = headline_table(results, titles=titles, headlines=headlines, relative_to=readme.parent)
    write_stored(readme, f"{before}{BEGIN}\n\n{content}\n\n{END}{after}")


def _rows_of(stored: list[Path], start: Path) -> dict[Path, Row]:
    """The row of each variant by its folder."""
    rows: dict[Path, Row] = {}
    for folder in stored:
        row = rows.setdefault(folder.parent, Row())
        row.summaries[folder.name] = read_summary(folder)
        row.links[folder.name] = _link(folder / "report.md", start)
    return rows


def _mean_cell(entry: Score, link: str) -> str:
    """The mean with a link."""
    return f"[{entry['mean']:.2f}]({link})"


def _known_cell(row: Row, key: str) -> str:
    """The score on known speakers with the number of clips that each is known by, a dash where it was not run."""
    summary = row.summaries.get(SPEAKER_KNOWN)
    if summary is None:
        return "–"
    clips = summary["facts"].get("enrolment_clips", "all")
    return f"{linked_cell(summary['scores'][key], row.links[SPEAKER_KNOWN])}, {clips} clips of a speaker"


def _interval_cell(entry: Score, link: str) -> str:
    """The mean with a link, the interval over speakers and the number of repeats."""
    interval = "" if entry["low"] is None else f"{entry['low']:.2f}–{entry['high']:.2f}; "
    return f"{_mean_cell(entry, link)} ({interval}{len(entry['values'])})"


def _published(summaries: dict[str, Summary], key: str) -> str:
    """The published mean; of each protocol where they differ."""

    def cell(published: Published) -> str:
        return f"{triple(published[key])[0]:.2f}" if key in published else "–"

    cells = {
        title.removeprefix("published, "): cell(scores) for title, scores in published_by_column(summaries).items()
    }
    if len(set(cells.values())) == 1:
        return next(iter(cells.values()))
    return f"{cells['`paper`']}, unseen speakers {cells['`strict`']}"


def _link(page: Path, start: Path) -> str:
    return Path(os.path.relpath(page, start)).as_posix()


def _against_another(overview: Path) -> bool:
    return any("/" in reference for reference in read_json(overview).get("references", ()))
