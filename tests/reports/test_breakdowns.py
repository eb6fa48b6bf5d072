"""Sections of a report page from summaries written out by hand."""

import pytest

from sertf.reports.breakdowns import by_emotion, by_fold, by_group, calibration
from sertf.reports.page import render_page
from tests.synthetic_runs import summary


def test_published_scores_of_an_emotion_stand_beside_ours():
    page = render_page(summary(published={"recall_anger": [0.6, None, None], "recall_joy": [0.7, None, None]}))
    assert "| emotion | published | `strict` |\n| --- | ---: | ---: |\n| anger | 0.6000 | 0.5000 |" in page
    assert "recall_anger" not in page
    assert "| recall_joy | 0.7000 | – |" in page  # of an emotion that we do not have, so among the scores
    assert "| emotion | `strict` |" in render_page(summary(published={"wa": [0.8, None, None]}))


def test_precision_and_f1_by_emotion_of_protocols_whose_published_scores_differ():
    entry = {"anger": {"mean": 0.4, "std": 0.1}, "fear": {"mean": 0.2, "std": None}}
    new = {"recall": entry, "precision": entry, "f1": entry}
    paper = summary(protocol="paper", published={"precision_anger": [0.9, None, None]}) | new
    strict = summary(published={"wa": [0.8, None, None]})  # of before: recall alone
    lines = by_emotion({"paper": paper, "strict": strict})
    assert [line for line in lines if line.startswith("#")] == [
        "## Recall by emotion",
        "## Precision by emotion",
        "## F1 by emotion",
    ]
    assert "| fear | 0.2000 | – |" in lines and "| anger | 0.4000 ± 0.1000 | 0.5000 |" in lines
    start = lines.index("## Precision by emotion")
    assert lines[start + 2 : start + 5] == [
        "| emotion | published, `paper` | `paper` |",
        "| --- | ---: | ---: |",
        "| anger | 0.9000 | 0.4000 ± 0.1000 |",
    ]


def test_calibration_of_the_protocols_that_have_it():
    values = {"ece": [0.1, 0.3], "brier": [0.5, 0.5], "nll": [1.0, 1.2]}
    strict = summary() | {"calibration": {"values": values, "bins": []}}
    lines = calibration({"paper": summary(protocol="paper"), "strict": strict})
    assert lines[2] == "| error, 0 is best | `strict` |" and "| ECE | 0.2000 ± 0.1414 |" in lines
    assert calibration({"strict": summary()}) == []
    assert "## Calibration" in render_page(strict)


def folds(**more):
    entry = {"utterances": 8, "speakers": 2, "uar": {"mean": 0.4, "std": 0.1}, "wa": {"mean": 0.5, "std": None}}
    return {"fold-1": entry | more, "fold-2": {**entry, "speakers": 3} | more}


def test_folds_beside_those_of_the_paper():
    content = summary(published={"wa_fold-1": [0.9, None, None], "wa_fold-2": [0.8, None, None]})
    lines = by_fold(content | {"folds": folds(highest_wa={"mean": 0.6, "std": 0.2})})
    assert lines[2] == ("| fold | utterances | speakers | UAR, ours | WA, published | WA, ours | WA, highest |")
    assert lines[4:6] == [
        "| fold-1 | 8 | 2 | 0.4000 ± 0.1000 | 0.9000 | 0.5000 | 0.6000 ± 0.2000 |",
        "| fold-2 | 8 | 3 | 0.4000 ± 0.1000 | 0.8000 | 0.5000 | 0.6000 ± 0.2000 |",
    ]
    assert lines[7].endswith("chosen by the test part itself, so it is no honest score.")
    assert "wa_fold-1" not in render_page(content | {"folds": folds()})


def test_one_fold_needs_no_table():
    assert by_fold(summary()) == by_fold(summary() | {"folds": {"split": {}}}) == []
    lines = by_fold(summary() | {"folds": folds()})
    assert lines[2] == "| fold | utterances | speakers | UAR, ours | WA, ours |" and "honest" not in lines[-2]


def grouped(*, p=None, left_out=0):
    group = {"utterances": 8, "speakers": 2, "right": 6.5, "wrong": 1.5, "accuracy": 0.8125, "low": 0.75, "high": 1.0}
    test = p and {"name": "paired permutation test", "speakers": 24, "difference": -0.0625, "p": p}
    groups = {"normal": group, "strong": {**group, "low": None, "high": None}}
    return summary() | {"groups": {"intensity": {"groups": groups, "test": test, "left_out": left_out}}}


@pytest.mark.parametrize(("p", "expected"), [(0.0002, "is shown"), (0.0499, "is shown"), (0.05, "is not shown")])
def test_groups_and_whether_they_differ(p, expected):
    page = "\n".join(by_group(grouped(p=p)["groups"]))
    assert "## By intensity" in page
    assert "| intensity | utterances | right | wrong | accuracy | 95 % interval over speakers |" in page
    assert "| normal | 8 | 6.5 | 1.5 | 0.8125 | [0.7500, 1.0000] |" in page
    assert "| strong | 8 | 6.5 | 1.5 | 0.8125 | – |" in page
    assert (
        f"A difference between normal and strong {expected}: paired permutation test over 24 speakers, p = {p:.4f}; "
        "the speakers' mean accuracy in normal minus that in strong is −0.0625."
    ) in page


def test_groups_without_a_test_and_utterances_without_a_group():
    page = "\n".join(by_group(grouped(left_out=3)["groups"]))
    assert "Test of a difference: – (it needs two groups of two speakers or more)." in page
    assert "Utterances without intensity, left out: 3." in page
    assert not [line for line in by_group(grouped()["groups"]) if "left out" in line]
    assert by_group({}) == []
