"""The page of one variant from summaries written out by hand."""

import pytest

from sertf import report_page
from tests.synthetic_runs import summary


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
    assert expected in report_page.render(summary(published={"uar": published}))


def test_columns_are_paper_then_strict_on_either_page():
    paper, strict = summary(protocol="paper", mean=0.6), summary()
    for one, other in ((paper, strict), (strict, paper)):
        page = report_page.render(one, beside=other)
        assert "| UAR | – | 0.6000 ± 0.0100 (0.6000) [0.4500, 0.5600] | 0.5000 ± 0.0100 (0.5000) [" in page
        assert "UAR of `paper` minus `strict`: +0.1000." in page


def test_published_recall_stands_beside_ours():
    page = report_page.render(summary(published={"recall_anger": [0.6, None, None], "recall_joy": [0.7, None, None]}))
    assert "| emotion | published | `strict` |\n| --- | ---: | ---: |\n| anger | 0.6000 | 0.5000 |" in page
    assert "recall_anger" not in page
    assert "| recall_joy | 0.7000 | – |" in page  # of an emotion that we do not have, so among the scores
    assert "| emotion | `strict` |" in report_page.render(summary(published={"wa": [0.8, None, None]}))


def test_other_systems_stand_beside_the_papers_own_and_ours():
    content = summary(published={"wa": [0.8, 0.01, None]})
    assert "other systems" not in report_page.render(content)
    content["facts"]["others"] = {"B": 0.7, "A, 2020": 0.75, "C": 0.6}
    lines = report_page.render(content).splitlines()
    start = lines.index("## Beside other systems, as the paper lists them")
    assert lines[start + 2 : start + 9] == [
        "| system | accuracy |",
        "| --- | ---: |",
        "| C | 0.6000 |",
        "| B | 0.7000 |",
        "| A, 2020 | 0.7500 |",
        "| the paper's own | 0.8000 ± 0.0100 |",
        "| ours, `strict` protocol | 0.5000 ± 0.0100 |",
    ]


def grouped(*, p=None, left_out=0):
    group = {"utterances": 8, "speakers": 2, "right": 6.5, "wrong": 1.5, "accuracy": 0.8125, "low": 0.75, "high": 1.0}
    test = p and {"name": "paired permutation test", "speakers": 24, "difference": -0.0625, "p": p}
    groups = {"normal": group, "strong": {**group, "low": None, "high": None}}
    return summary() | {"groups": {"intensity": {"groups": groups, "test": test, "left_out": left_out}}}


@pytest.mark.parametrize(("p", "expected"), [(0.0002, "is shown"), (0.0499, "is shown"), (0.05, "is not shown")])
def test_groups_and_whether_they_differ(p, expected):
    page = report_page.render(grouped(p=p))
    assert "## By intensity" in page
    assert "| intensity | utterances | right | wrong | accuracy | 95 % interval over speakers |" in page
    assert "| normal | 8 | 6.5 | 1.5 | 0.8125 | [0.7500, 1.0000] |" in page
    assert "| strong | 8 | 6.5 | 1.5 | 0.8125 | – |" in page
    assert (
        f"A difference between normal and strong {expected}: paired permutation test over 24 speakers, p = {p:.4f}; "
        "the speakers' mean accuracy in normal minus that in strong is −0.0625."
    ) in page


def test_groups_without_a_test_and_utterances_without_a_group():
    page = report_page.render(grouped(left_out=3))
    assert "Test of a difference: – (it needs two groups of two speakers or more)." in page
    assert "Utterances without intensity, left out: 3." in page
    assert "left out" not in report_page.render(grouped())
    assert "## By" not in report_page.render(summary())


def test_augmentation_and_scaling_by_cell_are_said():
    content = summary()
    noise = {"steps": [{"name": "WhiteNoise", "snr_db": [15.0, 30.0]}], "copies": 2, "fresh": False}
    page = report_page.render(content | {"facts": content["facts"] | {"augmentation": noise, "scaled_each": "cell"}})
    assert "2 copies an utterance, drawn once: WhiteNoise (snr_db [15.0, 30.0]) |" in page
    assert "| standardised by itself | each cell |" in page
    assert "augmentation" not in report_page.render(content)
