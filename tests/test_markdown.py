"""Pages and tables from summaries written out by hand."""

import pytest

from sertf import markdown
from sertf.statistics import Difference, PairedTest


def summary(*, mean=0.5, protocol="strict", published=None, low=0.45, high=0.56):
    score = {"name": "UAR", "values": [mean, mean], "mean": mean, "std": 0.01, "best": mean, "low": low, "high": high}
    return {
        "facts": {
            "experiment": "e",
            "variant": "a|b",
            "protocol": protocol,
            "paper": "P",
            "published": published,
            "corpus": "toy",
            "repeats": 2,
            "folds": ["1"],
            "emotions": ["anger", "fear"],
            "audit": {"verdict": "clean", "findings": []},
            "digest": "d",
        },
        "scores": {"uar": score, "wa": {**score, "name": "WA", "low": None, "high": None}},
        "recall": {"anger": {"mean": 0.5, "std": None}},
        "reproducibility": None,
        "tested": {"utterances": 4, "speakers": 2},
        "runs": 2,
        "seeds": [1, 2],
        "wall_seconds": 60.0,
        "parameters": None,
        "backend": "jax",
        "device": "CPU",
        "beyond_plan": [],
    }


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ([0.62, 0.01, 0.65], "**UAR falls short of the published mean by 0.1200**: 0.5000 ± 0.0100 here, 0.6200 there"),
        ([0.62, 0.01, 0.65], "[−0.1700, −0.0600]; the published mean lies outside our interval [0.4500, 0.5600]"),
        ([0.62, 0.01, 0.65], "Best repeat: 0.5000 here, 0.6500 there."),
        ([0.55, None, None], "by 0.0500**: 0.5000 ± 0.0100 here, 0.5500 there, difference −0.0500"),
        ([0.55, None, None], "[−0.1000, +0.0100]; the published mean lies within our interval [0.4500, 0.5600]."),
        ([0.5, None, None], "**UAR reaches the published mean**"),
    ],
)
def test_shortfall_is_said_plainly(published, expected):
    assert expected in markdown.report(summary(published={"uar": published}))


def test_columns_are_paper_then_strict_on_either_page():
    paper, strict = summary(protocol="paper", mean=0.6), summary()
    for one, other in ((paper, strict), (strict, paper)):
        page = markdown.report(one, beside=other)
        assert "| UAR | – | 0.6000 ± 0.0100 (0.6000) [0.4500, 0.5600] | 0.5000 ± 0.0100 (0.5000) [" in page
        assert "UAR of `paper` minus `strict`: +0.1000." in page


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
    [(0.01, 0.03, "A lies above B"), (-0.03, -0.01, "A lies below B"), (-0.01, 0.03, "a difference is not shown")],
)
def test_comparison_goes_by_the_interval(low, high, expected):
    mean = (low + high) / 2
    text = markdown.comparison(
        "A", "B", "UAR", PairedTest(10, mean, low, high, 0.00001, 0.002), Difference(mean, low, high)
    )
    assert f"With other seeds, {expected}" in text and f"With other speakers, {expected}" in text
    assert "t-test p < 0.0001, Wilcoxon p = 0.0020" in text
