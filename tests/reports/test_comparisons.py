"""A variant against the one that it is compared with, from stored results of made-up runs."""

import pytest

from sertf.evaluation.statistics import clustered_difference
from sertf.reports.comparisons import compared_with, dependents
from sertf.reports.report import write_report
from sertf.runs.stored import read_json, read_predictions
from tests.synthetic_runs import make_runs, without_rendering

QUESTION = ["good", "less skill"]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    without_rendering(monkeypatch)


def write(root, variant, *, skill, protocol="paper", **facts):
    runs = make_runs(root / "runs", variant=variant, protocol=protocol, skill=skill, **facts)
    write_report(runs, root / "kept" / variant / protocol)
    return root / "kept" / variant / protocol


def test_the_line_is_the_difference_of_the_kept_predictions(tmp_path):
    good, bad = write(tmp_path, "good", skill=3.0), write(tmp_path, "bad", skill=0.1, compared_with=QUESTION)
    tables = [read_predictions(place / "predictions.csv.gz") for place in (bad, good)]
    found, entry = clustered_difference(*tables), read_json(good / "report.json")["scores"]["uar"]
    assert read_json(bad / "report.json")["compared"] == {
        "variant": "good",
        "what": "less skill",
        "score": "uar",
        "mean": entry["mean"],
        "std": entry["std"],
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
    }
    page = (bad / "report.md").read_text()
    assert "## What less skill does\n\nUAR " in page and ": `bad` lies below `good`." in page
    assert "## What less" not in (good / "report.md").read_text()


def test_the_line_follows_when_the_other_variant_is_written_later(tmp_path):
    bad = write(tmp_path, "bad", skill=0.1, compared_with=QUESTION)
    other = write(tmp_path, "bad", skill=0.1, protocol="strict", compared_with=QUESTION)
    assert read_json(bad / "report.json")["compared"] is None and "lies below" not in (bad / "report.md").read_text()
    good = write(tmp_path, "good", skill=3.0)
    assert list(dependents(good)) == [bad]
    assert "`bad` lies below `good`" in (bad / "report.md").read_text()
    assert "ours, `strict`" in (bad / "report.md").read_text()
    assert read_json(other / "report.json")["compared"] is None  # there is no good under strict


def test_variants_tested_on_other_utterances_are_said_so(tmp_path):
    good, bad = write(tmp_path, "good", skill=3.0), write(tmp_path, "bad", skill=0.1)
    summary = read_json(bad / "report.json")
    assert compared_with(summary, None, bad) is None
    summary["facts"]["compared_with"] = QUESTION
    table = read_predictions(bad / "predictions.csv.gz")
    table["utterance"] = "other-" + table["utterance"]
    found = compared_with(summary, table, bad)
    assert "same utterances" in found["reason"] and good.is_dir()
