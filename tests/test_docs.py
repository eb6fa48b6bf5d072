"""The pages that people read: links, the length of the README, and scores as the stored results have them."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "papers").glob("*.md"))
FOLDER = re.compile(r"report, below `(experiments/results/[^`]+)`")
REPORT = re.compile(r"`([^`]+)/report\.md`")


def rows_of(page):
    """Cells of each table row that names a stored report, and the folder of its results."""
    folder = None
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if found := FOLDER.fullmatch(cells[-1]):
            folder = ROOT / found[1]
        elif found := REPORT.fullmatch(cells[-1]):
            yield cells, folder / found[1]


def written(score):
    spread = "" if score["std"] is None else f" ± {score['std']:.3f}"
    return f"{score['mean']:.3f}{spread} [{score['low']:.3f}, {score['high']:.3f}]"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_papers_page_holds_the_stored_scores(page):
    rows = list(rows_of(page))
    assert rows
    for cells, place in rows:
        stored = json.loads((place / "report.json").read_text(encoding="utf-8"))
        assert cells[-2] in [written(stored["scores"][key]) for key in ("uar", "wa")], place
        assert cells[2] == str(stored["facts"]["repeats"]), place


LINKED = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "experiments" / "results" / "README.md")
    if not page.name.endswith(".template.md")
)


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for address in re.findall(r"\]\(([^)\s]+)\)", text):
        if not address.startswith(("http", "#")):
            assert (page.parent / address.partition("#")[0]).exists(), address


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900
