"""The numbers that this project prints, computed again from the predictions that it keeps."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from sertf import cli
from sertf.reports import filled_page, report
from sertf.runs.stored import read_history, read_predictions

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "experiments" / "results"
KEPT = sorted(path.parent for path in RESULTS.glob("*/*/*/report.json"))


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: "-".join(folder.parts[-3:]))
def test_scikit_learn_gives_the_printed_scores(folder):
    summary = json.loads((folder / "report.json").read_text())
    predictions = read_predictions(folder / "predictions.csv.gz")
    emotions = summary["facts"]["emotions"]
    chosen = np.array(emotions)[predictions[emotions].to_numpy().argmax(axis=1)]
    uar, wa = [], []
    for _, rows in predictions.assign(chosen=chosen).groupby("repeat"):
        uar.append(sklearn.metrics.recall_score(rows["truth"], rows["chosen"], average="macro", zero_division=0))
        wa.append(sklearn.metrics.accuracy_score(rows["truth"], rows["chosen"]))
    assert len(uar) == summary["facts"]["repeats"]
    for key, values in (("uar", uar), ("wa", wa)):
        assert summary["scores"][key]["values"] == pytest.approx(values)
        assert summary["scores"][key]["mean"] == pytest.approx(np.mean(values))


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: "-".join(folder.parts[-3:]))
def test_the_page_is_what_the_kept_report_gives(folder):
    assert report.report_page(folder) == (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: "-".join(folder.parts[-3:]))
def test_manifest_and_report_are_of_the_same_runs(folder):
    shared, facts = (json.loads((folder / name).read_text()) for name in ("manifest.json", "report.json"))
    shared, facts = shared["shared"], facts["facts"]
    for key in ("audit", "digest", "recipe", "experiment", "variant", "protocol"):
        assert shared[key] == facts[key]


def test_writing_the_readme_and_the_results_page_anew_changes_nothing(tmp_path):
    pages = (Path("README.md"), Path("docs/results.md"), Path("docs/results.template.md"))
    (tmp_path / "docs").mkdir()
    for page in pages:
        shutil.copy(ROOT / page, tmp_path / page)
    (tmp_path / "experiments").symlink_to(RESULTS.parent)
    readme, _, template = (tmp_path / page for page in pages)
    results = tmp_path / "experiments" / "results"
    assert cli.main(["report", "--readme", str(readme), "--fill", str(template), "--results", str(results)]) == 0
    for page in pages:
        assert (tmp_path / page).read_bytes() == (ROOT / page).read_bytes()


def test_no_number_of_the_results_page_is_written_by_hand():
    text = (ROOT / "docs" / "results.template.md").read_text(encoding="utf-8")
    by_hand = re.sub(r"```.*?```|`[^`]*`", "", filled_page.FIELD.sub("", text), flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+", by_hand) == []


@pytest.mark.parametrize("page", sorted(RESULTS.glob("*/overview.json")), ids=lambda page: page.parent.name)
def test_overviews_hold_the_reports_scores(page):
    content = json.loads(page.read_text())
    for name, protocols in content["variants"].items():
        place = (page.parent.parent if "/" in name else page.parent) / name
        for protocol, figures in protocols.items():
            summary = json.loads((place / protocol / "report.json").read_text())
            assert figures["mean"] == summary["scores"][content["score"]]["mean"]
            assert figures["reproducibility"] == summary["reproducibility"]


def test_what_another_processor_changed():
    """The same ten seeds of SpeechNet on two machines: accuracy on the second, share of equal classes (README)."""
    kept = read_predictions(RESULTS / "speechnet_emodb" / "small_segments" / "paper" / "predictions.csv.gz")
    other = read_predictions(RESULTS / "benchmarks" / "speechnet_xeon_predictions.csv.gz")
    key, emotions = ["repeat", "utterance"], list(kept.columns[5:])
    first, second = (table.set_index(key)[emotions].idxmax(axis=1) for table in (kept, other))
    truth = other.set_index(key)["truth"]
    assert len(first) == len(second) == 10 * 107
    assert (second == truth).groupby("repeat").mean().mean() == pytest.approx(0.738, abs=5e-4)
    assert (first == second[first.index]).mean() == pytest.approx(0.97, abs=5e-3)
    by_seed = first.unstack("repeat")
    pairs = [(by_seed[a] == by_seed[b]).mean() for a in by_seed for b in by_seed if a < b]
    assert np.mean(pairs) == pytest.approx(0.74, abs=5e-3)


def test_the_rates_that_were_compared_are_trained_as_the_kept_runs():
    rates, compared = pd.read_csv(RESULTS / "serct_rates.csv"), 0
    for (corpus, rate), rows in rates.groupby(["corpus", "rate"]):
        variant = {1e-3: "narrow", 3e-4: "narrow_rate_3e-4"}.get(rate)
        kept = RESULTS / f"serct_{corpus}" / f"{variant}" / "strict" / "history.csv.gz"
        if not kept.exists():
            continue
        history = read_history(kept)
        first = history[(history["repeat"] == 0) & (history["fold"] == "fold-1")]
        assert rows["val_uar"].to_list() == pytest.approx(first["val_uar"].to_list(), abs=1e-6)
        compared += 1
    assert compared >= 2
