"""What a page says of runs across corpora, from summaries written out by hand."""

import pytest

from sertf import report_page, zero_shot_page
from tests.synthetic_runs import summary


def across(protocol, mean, low, high):
    """A summary of a model that was trained on RAVDESS and tested on EmoDB."""
    content = summary(protocol=protocol)
    content["facts"]["across"] = {"trained": {"ravdess": {"languages": ["en"]}}, "tested": {"emodb": {"languages": []}}}
    uar = {"mean": mean, "std": None, "low": low, "high": high, "chance": 1 / 6}
    content["by_corpus"] = {
        "emodb": {
            "utterances": 454,
            "speakers": 10,
            "emotions": 6,
            "scores": {"uar": uar, "wa": {**uar, "chance": None}},
        }
    }
    return content


def test_scores_stand_beside_chance_with_languages_and_intervals():
    strict, paper = across("strict", 0.3, 0.2, 0.4), across("paper", 0.2, 0.15, 0.25)
    page = report_page.render(strict, beside=paper)
    assert (
        "Trained on ravdess (en), tested on emodb (no language stated), none of whose recordings were trained on: "
        in page
    )
    assert "emodb 454 utterances of 10 speakers and 6 emotions, so that the UAR of chance is 1/6 and its WA" in page
    assert "| tested on | score | chance | ours, `paper` | ours, `strict` |" in page
    assert "| emodb | UAR | 0.1667 | 0.2000 [0.1500, 0.2500] | 0.3000 [0.2000, 0.4000] |" in page
    assert "| emodb | WA | – | 0.2000 [0.1500, 0.2500] |" in page and "emodb, `strict`, WA" not in page
    assert "- emodb, `strict`, UAR: above chance." in page
    assert "leak's worth" not in page  # nobody who is tested was trained on, under either
    assert "- emodb, `paper`, UAR: a difference from chance is not shown." in page


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.2, 0.3, "above chance"),
        (0.1, 0.2, "not shown"),
        (0.05, 0.1, "below chance"),
        (None, None, "one speaker gives"),
    ],
)
def test_verdict_by_the_interval(low, high, expected):
    assert expected in zero_shot_page.verdict({"low": low, "high": high, "chance": 1 / 6})


def test_nothing_is_said_of_runs_on_one_corpus():
    assert zero_shot_page.section({"strict": summary()}) == []
    assert "chance" not in report_page.render(summary())
