"""The records of JSON files, held against what the runner and the reports write."""

import json
from pathlib import Path

import pytest

from sertf.reports.summary import summarise
from sertf.runs.collect import collect
from sertf.runs.facts import (
    Asked,
    Facts,
    Manifest,
    Manifests,
    Overview,
    Score,
    Summary,
    lacking,
    names_of,
    unsafe_names,
)
from tests.synthetic_runs import make_runs

RESULTS = Path(__file__).parents[2] / "experiments" / "results"
STORED = sorted(RESULTS.glob("*/*/*/report.json"))


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def unknown(record, content):
    return set(content) - set(record.__annotations__)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.relative_to(RESULTS).as_posix())
def test_stored_results_hold_what_their_records_say(path):
    summary, manifests = read(path), read(path.with_name("manifest.json"))
    for record, content in ((Summary, summary), (Facts, summary["facts"]), (Manifests, manifests)):
        assert not lacking(record, content) and not unknown(record, content)
    assert not any(lacking(Score, entry) or unknown(Score, entry) for entry in summary["scores"].values())
    assert not any(unknown(Manifest, {**manifests["shared"], **run}) for run in manifests["runs"])


def test_stored_overviews_hold_what_their_record_says():
    for path in RESULTS.glob("*/overview.json"):
        assert not lacking(Overview, read(path)) and not unknown(Overview, read(path))


def test_runs_hold_what_their_records_say(done):
    facts, manifest = read(done[1] / "experiment.json"), read(done[1] / "repeat-00" / "fold-1" / "manifest.json")
    assert not lacking(Facts, facts) and not unknown(Facts, facts) and not unknown(Manifest, manifest)


def test_a_new_summary_holds_what_its_record_says(tmp_path):
    summary = summarise(collect(make_runs(tmp_path, groups=True)))
    assert not lacking(Summary, summary) and not unknown(Summary, summary)


def test_required_keys_are_named_in_the_order_of_the_record():
    assert lacking(Asked, {"beside": [], "more": 1}) == ["references", "score", "by"]
    assert lacking(Facts, {"experiment": "toy", "digest": "1a"})[:2] == ["variant", "protocol"]
    assert "seed" not in lacking(Facts, {})


def test_names_that_are_missing_are_shown_as_such():
    assert names_of({"experiment": "toy", "protocol": "strict"}) == ("toy", "?", "strict")


@pytest.mark.parametrize(
    "name", ["..", "../..", "/abs", "a/b", "a\\b", "", ".", ".hidden", "C:temp", "a\x00b", "a\nb", 7, None]
)
@pytest.mark.parametrize("key", ["experiment", "variant", "protocol"])
def test_names_that_lead_elsewhere_are_unsafe(key, name):
    facts = {"experiment": "mine", "variant": "my_models:build", "protocol": "strict", "folds": ["fold-1"]}
    assert unsafe_names(facts) == []
    assert unsafe_names(facts | {key: name}) == [str(name)]
    assert unsafe_names(facts | {"folds": ["fold-1", name]}) == [str(name)]
