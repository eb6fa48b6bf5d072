"""Tables and sentences from summaries written out by hand."""

import pytest

from sertf import markdown
from sertf.statistics import Difference, PairedTest
from tests.synthetic_runs import summary


def test_the_papers_own_score_leads():
    assert markdown.primary(summary()) == "uar"
    assert markdown.primary(summary(published={"kappa": [0.5], "wa": [0.8, None, None]})) == "wa"


def test_results_table():
    rows = [{"summaries": {"strict": summary(published={"wa": [0.8, None, None]})}, "links": {"strict": "r.md"}}]
    assert markdown.results_table(rows).splitlines()[2] == (
        "| e | `a\\|b` | toy | WA | 0.8000 | not run | [0.5000 ± 0.0100](r.md) (0.5000) <br>2 repeats | – |"
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.03, "A lies above B"),
        (-0.03, -0.01, "A lies below B"),
        (-0.01, 0.03, "a difference between A and B is not shown"),
    ],
)
def test_comparison_goes_by_the_interval(low, high, expected):
    mean = (low + high) / 2
    text = markdown.comparison(
        "A", "B", "UAR", PairedTest(10, mean, low, high, 0.00001, 0.002), Difference(mean, low, high)
    )
    assert f"With other seeds, {expected}" in text and f"With other speakers, {expected}" in text
    assert "t-test p < 0.0001, Wilcoxon p = 0.0020" in text
