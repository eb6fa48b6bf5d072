"""What a page says of runs across corpora, from summaries written out by hand."""

import pytest

from sertf.reports import zero_shot
from sertf.reports.page import render_page
from tests.synthetic_runs import summary


def across(protocol, mean, low, high):
    """A summary of a model that was trained on RAVDESS and tested on EmoDB."""
    content = summary(protocol=protocol)
    content["facts"]["across"] = {"trained": {"ravdess": {"languages": ["en"]}}, "tested": {"emodb": {"languages": []}}}
    uar = {"mean": mean, "std": None, "low": low, "high": high, "over_repeats": None, "chance": 1 / 6}
    content["by_corpus"] = {
        "emodb": {
            "utterances": 454,
            "speakers": 10,
            "emotions": 6,
            "scores": {"uar": uar, "wa": {**uar, "chance": 0.25, "over_repeats": [0.1, 0.2]}},
        }
    }
    return content


def test_scores_stand_beside_chance_with_languages_and_intervals():
    strict, paper = across("strict", 0.3, 0.2, 0.4), across("paper", 0.2, 0.15, 0.25)
    page = render_page(strict, beside=[paper])
    assert (
        "Trained on ravdess (en), tested on emodb (no language stated), none of whose recordings were trained on: "
        in page
    )
    assert "emodb 454 utterances of 10 speakers and 6 emotions, so that the UAR of chance is 1/6 and its WA" in page
    assert "| tested on | score | chance | ours, `paper` | ours, `strict` |" in page
    assert "| emodb | UAR | 0.1667 | 0.2000 [0.1500, 0.2500] | 0.3000 [0.2000, 0.4000] |" in page
    assert "| emodb | WA | 0.2500 | 0.2000 [0.1500, 0.2500] |" in page
    assert "- emodb, `strict`, UAR: with other speakers above chance; one run says nothing of other seeds." in page
    assert "other speakers not shown to differ from chance; with other seeds below chance [0.1000, 0.2000]." in page
    assert "leak's worth" not in page  # nobody who is tested was trained on, under either


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.2, 0.3, "above chance"),
        (0.1, 0.2, "not shown to differ from chance"),
        (0.05, 0.1, "below chance"),
    ],
)
def test_verdict_by_the_intervals(low, high, expected):
    entry = {"low": low, "high": high, "over_repeats": [0.0, 1.0], "chance": 1 / 6}
    seeds = "with other seeds not shown to differ from chance [0.0000, 1.0000]"
    assert zero_shot.verdict(entry) == f"with other speakers {expected}; {seeds}"
    entry = {"low": None, "high": None, "over_repeats": [low, high], "chance": 1 / 6}
    seeds = f"with other seeds {expected} [{low:.4f}, {high:.4f}]"
    assert zero_shot.verdict(entry) == f"one speaker says nothing of other speakers; {seeds}"


def test_nothing_is_said_of_runs_on_one_corpus():
    assert zero_shot.section({"strict": summary()}) == []
    assert "chance" not in render_page(summary())
