"""Tables and sentences from summaries written out by hand."""

import doctest

import pytest

from sertf.evaluation.statistics import Difference, PairedTest, UnpairedTest
from sertf.reports import markdown
from tests.synthetic_runs import summary


def test_the_papers_own_score_leads():
    assert markdown.primary(summary()) == "uar"
    assert markdown.primary(summary(published={"kappa": [0.5], "wa": [0.8, None, None]})) == "wa"


def test_the_papers_score_of_either_protocol_leads():
    paper = summary(protocol="paper", published={"wa": [0.9, None, None]})
    assert markdown.primary(paper, summary()) == markdown.primary(summary(), paper) == "wa"


def test_published_scores_of_one_variant():
    one, other = {"wa": [0.9, None, None], "uar": [0.8, None, None]}, {"wa": [0.7, 0.1, None], "uar": [0.8, None, None]}
    same = {"paper": summary(published=one), "strict": summary(published=one)}
    differing = {"paper": summary(published=one), "strict": summary(published=other)}
    assert markdown.published_by_column(same) == {"published": one}
    assert markdown.published_by_column(differing) == {"published, `paper`": one, "published, `strict`": other}
    assert markdown.published_cells(same, "wa") == "0.9000"
    assert markdown.published_cells(differing, "wa") == "`paper` 0.9000 <br>`strict` 0.7000 ± 0.1000"
    assert markdown.published_cells(differing, "uar") == "0.8000" and markdown.published_cells(differing, "f") == "–"
    differing["strict"] = summary()
    assert markdown.published_cells(differing, "wa") == "`paper` 0.9000 <br>`strict` –"


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
    assert "other seeds (10 repeats)" in text and "t-test p < 0.0001, Wilcoxon p = 0.0020" in text
    text = markdown.comparison(
        "A", "B", "UAR", UnpairedTest((3, 10), mean, low, high, 0.00001), Difference(mean, low, high)
    )
    assert f"With other seeds, {expected}" in text
    assert "other seeds (3 and 10 repeats)" in text and "Welch's t-test p < 0.0001 |" in text


def test_doctests():
    result = doctest.testmod(markdown)
    assert result.attempted and not result.failed
