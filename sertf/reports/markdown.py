"""Pieces of Markdown that pages share: tables, cells, sentences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sertf.evaluation.statistics import Difference, PairedTest, UnpairedTest
from sertf.runs.facts import Facts, Named, Published, Score, Summary

SCORE_NOTE = (
    "mean ± standard deviation over repeats, best repeat in parentheses, and in brackets the 95 % interval over "
    "speakers (bootstrap of whole speakers, 2000 draws)"
)
REPRODUCIBILITY = {
    "GLR": "half of the repeats or more agree",
    "FLR": "half or more agree, not all",
    "PLR": "all repeats agree",
    "CLR": "half or more are right",
    "FCLR": "half or more are right, not all",
    "PCLR": "all repeats are right",
}
"""The scores of reproducibility, with the share of utterances that each is."""

HOURS = "training_hours"
"""Among the published scores: hours that training took."""


def comparison(name_a: str, name_b: str, score: str, test: PairedTest | UnpairedTest, difference: Difference) -> str:
    """Sentences on two systems, from a paired test over repeats and a difference over speakers.

    Args:
        name_a, name_b: the systems.
        score: name of the score.
        test: test of a and b over repeats.
        difference: difference of a and b over speakers.
    """
    if isinstance(test.n, tuple):
        repeats, tests = f"{test.n[0]} and {test.n[1]}", f"Welch's t-test p {p_value(test.t_p)}"
    else:
        repeats, tests = f"{test.n}", f"t-test p {p_value(test.t_p)}, Wilcoxon p {p_value(test.wilcoxon_p)}"
    body = [
        [
            f"other seeds ({repeats} repeats)",
            signed(test.difference),
            f"[{signed(test.low)}, {signed(test.high)}]",
            tests,
        ],
        [
            "other speakers",
            signed(difference.difference),
            f"[{signed(difference.low)}, {signed(difference.high)}]",
            "paired bootstrap of speakers",
        ],
    ]
    seeds = verdict(name_a, name_b, test.low, test.high)
    speakers = verdict(name_a, name_b, difference.low, difference.high)
    return "\n".join(
        [
            f"### {name_a} against {name_b}, {score}",
            "",
            *table(["would it hold with", "difference", "95 % interval", "test"], body, align="lrll"),
            "",
            f"With other seeds, {seeds}. With other speakers, {speakers}.",
            "",
        ]
    )


def primary(*summaries: Summary) -> str:
    """Key of the score that speaks for results of one variant: the first of ours that the paper prints, else the UAR."""
    published = [summary["facts"].get("published") or {} for summary in summaries]
    return next((key for key in summaries[0]["scores"] if any(key in printed for printed in published)), "uar")


def published_by_column(summaries: dict[str, Summary]) -> dict[str, Published]:
    """Published scores by the title of their column: one for all protocols, or one each where the paper's differ.

    Args:
        summaries: dict of protocol to summary, of one variant.
    """
    found = {protocol: summary["facts"].get("published") or {} for protocol, summary in summaries.items()}
    first = next(iter(found.values()))
    if all(published == first for published in found.values()):
        return {"published": first}
    return {f"published, `{protocol}`": published for protocol, published in found.items()}


def triple(values: Any) -> tuple[Any, Any, Any]:
    """Mean, standard deviation and best of a published score; what the paper does not print is None."""
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    return (*values, None, None)[:3]


def verdict(name_a: str, name_b: str, low: float, high: float) -> str:
    """The meaning of the interval of a minus b, as half a sentence."""
    if low > 0:
        return f"{name_a} lies above {name_b}"
    if high < 0:
        return f"{name_a} lies below {name_b}"
    return f"a difference between {name_a} and {name_b} is not shown (the interval holds 0)"


def table(head: list[str], body: Iterable[Iterable[Any]], *, align: str = "l") -> list[str]:
    """The lines of a table.

    Args:
        head: titles of the columns.
        body: rows of cells, of any type.
        align: "l" or "r" a column; columns beyond it are aligned to the right.
    """
    sides = [align[i] if i < len(align) else "r" for i in range(len(head))]
    rule = ["---" if side == "l" else "---:" for side in sides]
    rows = [[str(cell).replace("|", "\\|") for cell in row] for row in (head, rule, *body)]
    return [f"| {' | '.join(row)} |" for row in rows]


def called(entry: Named) -> str:
    """A front end or a model as facts have it, by its name and options.

    >>> called({"name": "log_mel", "options": {"sample_rate": 16000, "n_mels": 64}})
    '`log_mel` (n_mels 64, sample_rate 16000)'
    """
    options = ", ".join(f"{name} {value}" for name, value in sorted(entry.get("options", {}).items()))
    return f"`{entry['name']}`" + (f" ({options})" if options else "")


def figures(pairs: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a section of figures, from pairs of file name and caption; none without figures."""
    lines = ["## Figures", ""] if pairs else []
    for name, caption in pairs:
        lines += [f"![{caption}]({name})", "", f"*{caption}*", ""]
    return lines


def published_cells(summaries: dict[str, Summary], key: str) -> str:
    """A published score of one variant; of each protocol behind its name where the paper's differ.

    Args:
        summaries: dict of protocol to summary.
        key: of the score.
    """
    columns = published_by_column(summaries)
    cells = {title.removeprefix("published, "): published_cell(published, key) for title, published in columns.items()}
    if len(set(cells.values())) == 1:
        return next(iter(cells.values()))
    return " <br>".join(f"{protocol} {cell}" for protocol, cell in cells.items())


def published_cell(published: Published | None, key: str) -> str:
    """A published score: mean ± standard deviation (best), as far as printed; a dash where it is not."""
    values = (published or {}).get(key)
    if values is None:
        return "–"
    mean, std, best = triple(values)
    return f"{mean:.4f}{'' if std is None else f' ± {std:.4f}'}{'' if best is None else f' ({best:.4f})'}"


def published_time(facts: Facts, before: str = "") -> str:
    """The published time of training behind some text; nothing where none is printed."""
    hours = (facts.get("published") or {}).get(HOURS)
    return "" if hours is None else f"{before}{triple(hours)[0]:g} h of training"


def mean_cell(entry: Mapping[str, Any]) -> str:
    """Mean ± standard deviation; the mean alone of one repeat."""
    return f"{entry['mean']:.4f}" + ("" if entry["std"] is None else f" ± {entry['std']:.4f}")


def score_cell(entry: Mapping[str, Any] | None) -> str:
    """Mean ± standard deviation (best) [interval] of a score, a dash for None."""
    if entry is None:  # of a report that knows this score not yet
        return "–"
    best = "" if entry["std"] is None else f" ({entry['best']:.4f})"
    return f"{mean_cell(entry)}{best}{bracket(entry)}"


def linked_cell(entry: Score, link: str) -> str:
    """As `score_cell`, the mean linked to a report, with the number of repeats."""
    count = len(entry["values"])
    best = "" if entry["std"] is None else f" ({entry['best']:.4f})"
    repeats = f"{count} repeat{'s' if count > 1 else ''}"
    return f"[{mean_cell(entry)}]({link}){best}{bracket(entry, ' <br>')} <br>{repeats}"


def signed(value: float) -> str:
    """Four decimals with a plus or a true minus."""
    return f"{value:+.4f}".replace("-", "−")


def p_value(value: float) -> str:
    """A p-value with its relation, to stand behind a "p"."""
    return "< 0.0001" if value < 0.0001 else f"= {value:.4f}"


def bracket(entry: Mapping[str, Any], separator: str = " ") -> str:
    """The interval of a score in brackets behind a separator; nothing where there is none."""
    return "" if entry["low"] is None else f"{separator}[{entry['low']:.4f}, {entry['high']:.4f}]"
