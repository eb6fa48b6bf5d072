"""Reports from synthetic run directories: numbers against scikit-learn, completeness, files, README."""

import gzip
import json
import shutil
import subprocess
import sys
import threading
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from sertf.errors import SertfError
from sertf.evaluation.groups import compare
from sertf.evaluation.reproducibility import rates_of
from sertf.evaluation.statistics import clustered_bootstrap, paired_test
from sertf.files import locked
from sertf.reports import report
from sertf.runs.collect import collect
from sertf.runs.layout import results_lock
from sertf.runs.stored import ResultsError, read_groups, read_predictions
from tests.synthetic_runs import EMOTIONS, make_run, make_runs, seal_again, without_rendering, written


@pytest.fixture
def drawn():
    """Asked for by tests that need the figures themselves."""


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    """Elsewhere rendering is left out, which takes most of the time."""
    if "drawn" not in request.fixturenames:
        without_rendering(monkeypatch)


@pytest.fixture
def runs(tmp_path):
    return make_runs(tmp_path / "runs")


def test_numbers_equal_scikit_learn_on_the_kept_predictions(runs, tmp_path):
    out = written(tmp_path)
    summary = report.write_report(runs, out)
    kept = pd.read_csv(out / "predictions.csv.gz")
    assert list(kept.columns) == ["utterance", "speaker", "repeat", "fold", "truth", *EMOTIONS]
    assert len(kept) == 3 * 48
    kept["predicted"] = kept[EMOTIONS].idxmax(axis=1)
    parts = [part for _, part in kept.groupby("repeat")]
    stored = json.loads((out / "report.json").read_text())
    assert stored == json.loads(json.dumps(summary))
    uar = [sklearn.metrics.balanced_accuracy_score(part["truth"], part["predicted"]) for part in parts]
    wa = [sklearn.metrics.accuracy_score(part["truth"], part["predicted"]) for part in parts]
    assert stored["scores"]["uar"]["values"] == pytest.approx(uar, abs=1e-12)
    assert stored["scores"]["uar"]["mean"] == pytest.approx(np.mean(uar), abs=1e-12)
    assert stored["scores"]["uar"]["std"] == pytest.approx(np.std(uar, ddof=1), abs=1e-12)
    assert stored["scores"]["uar"]["best"] == pytest.approx(max(uar), abs=1e-12)
    assert stored["scores"]["wa"]["values"] == pytest.approx(wa, abs=1e-12)
    for key, average in (("macro_f1", "macro"), ("weighted_f1", "weighted")):
        expected = [sklearn.metrics.f1_score(part["truth"], part["predicted"], average=average) for part in parts]
        assert stored["scores"][key]["values"] == pytest.approx(expected, abs=1e-12)
    for emotion in EMOTIONS:
        expected = [(part["predicted"] == emotion)[part["truth"] == emotion].mean() for part in parts]
        assert stored["recall"][emotion]["mean"] == pytest.approx(np.mean(expected), abs=1e-12)
    expected = sklearn.metrics.confusion_matrix(kept["truth"], kept["predicted"], labels=EMOTIONS)
    assert stored["confusion"] == expected.tolist()
    assert stored["reproducibility"] == rates_of(kept.drop(columns="predicted"))
    low, high = clustered_bootstrap(kept.drop(columns="predicted"))
    assert (stored["scores"]["uar"]["low"], stored["scores"]["uar"]["high"]) == (low, high)
    assert f"{np.mean(uar):.4f} ± {np.std(uar, ddof=1):.4f} ({max(uar):.4f})" in (out / "report.md").read_text()


def test_files(runs, tmp_path, drawn):
    out = written(tmp_path)
    report.write_report(runs, out)
    figures = {"confusion.png", "scores.png", "reliability.png", "curves.png", "projections.png", "attention.png"}
    assert {p.name for p in out.iterdir()} == {
        "predictions.csv.gz",
        "history.csv.gz",
        "report.md",
        "report.json",
        "manifest.json",
        "representations.npz",
    } | figures
    assert [p.name for p in out.parent.iterdir()] == ["paper"]  # nothing temporary is left
    page = (out / "report.md").read_text()
    for name in figures:
        assert (out / name).stat().st_size < 250_000
        assert f"({name})" in page
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["shared"]["parameters"] == 1234 and manifest["shared"]["digest"] == "abc"
    assert [run["seed"] for run in manifest["runs"]] == [0, 1, 10, 11, 20, 21]
    own = {"repeat": 0, "fold": "fold-2", "seed": 1, "tested": 24, "wall_seconds": 2.5, "best_epoch": 2}
    assert manifest["runs"][1] == own


def test_groups_can_be_had_again_from_what_is_kept(tmp_path, drawn):
    out = written(tmp_path)
    summary = report.write_report(make_runs(tmp_path / "runs", groups=True), out)
    kept = read_predictions(out / "predictions.csv.gz")
    table = read_groups(out / "groups.csv.gz", kept)
    assert list(table) == ["utterance", "gender", "intensity"] and len(table) == 48
    for column, entry in summary["groups"].items():
        again = compare(kept, dict(zip(table["utterance"], table[column])))
        assert entry == asdict(again)
    assert json.loads((out / "report.json").read_text())["groups"] == summary["groups"]
    page = (out / "report.md").read_text()
    assert "## By gender" in page and "## By intensity" in page and "(groups.png)" in page
    assert "computed again from `predictions.csv.gz` and `groups.csv.gz`" in page
    assert 5_000 < (out / "groups.png").stat().st_size < 250_000
    (tmp_path / "runs" / "h64" / "paper" / "groups.csv").unlink()
    report.write_report(tmp_path / "runs" / "h64" / "paper", out)
    assert not (out / "groups.csv.gz").exists() and not (out / "groups.png").exists()


def test_the_page_says_what_matters(runs, tmp_path):
    report.write_report(runs, written(tmp_path))
    page = (written(tmp_path) / "report.md").read_text()
    for text in (
        "A. Author, A paper, 2026",
        "48 utterances of 6 speakers",
        "0.9500 ± 0.0100 (0.9700)",
        "**UAR falls short of the published mean by",
        "leaks by declaration: tuning",
        "- the recipe was chosen by test scores",
        "| PCLR | all repeats are right |",
        "3 × 2 = 6 runs",
        "6 different",
        "1,234",
        "jax, CPU",
        "0.2 min summed over runs",
        "| kappa | 0.5000 | – |",
    ):
        assert text in page, text
    assert "Not the same in all runs" not in page


def test_written_twice_is_the_same_bytes(runs, tmp_path, drawn):
    report.write_report(runs, written(tmp_path))
    first = {path.name: path.read_bytes() for path in written(tmp_path).iterdir()}
    report.write_report(runs, written(tmp_path))
    assert first == {path.name: path.read_bytes() for path in written(tmp_path).iterdir()}
    with gzip.open(written(tmp_path) / "predictions.csv.gz", "rt") as file:
        value = file.readlines()[1].split(",")[5]
    assert len(value.strip("0.").replace(".", "")) <= 6


def test_files_of_others_in_the_folder_stay(runs, tmp_path):
    out = written(tmp_path)
    report.write_report(runs, out)
    (out / "tuning.csv").write_text("trial\n")
    (out / "notes").mkdir()
    (out / "notes" / "a.txt").write_text("a")
    report.write_report(runs, out)
    assert (out / "tuning.csv").read_text() == "trial\n"
    assert (out / "notes" / "a.txt").read_text() == "a"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda kept: kept["facts"].update(digest="other"), "another recipe, front end, table or recordings"),
        (lambda kept: kept["facts"].update(audio_digest="other"), "another recipe, front end, table or recordings"),
        (lambda kept: kept.update(runs=kept["runs"] + 1), r"holds \d+ runs, but the new report would hold \d+"),
    ],
    ids=["recipe", "recordings", "more runs"],
)
def test_kept_results_are_not_lost(runs, tmp_path, change, message):
    out = written(tmp_path)
    kept = report.write_report(runs, out)
    change(kept)
    (out / "report.json").write_text(json.dumps(kept))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(SertfError, match=message):
        report.write_report(runs, out)
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}


def test_both_protocols_stand_side_by_side_on_both_pages(runs, tmp_path):
    strict = make_runs(tmp_path / "runs", protocol="strict", skill=0.2)
    a = report.write_report(runs, written(tmp_path))
    assert "ours, `strict`" not in (written(tmp_path) / "report.md").read_text()
    b = report.write_report(strict, written(tmp_path, "strict"))
    gap = a["scores"]["uar"]["mean"] - b["scores"]["uar"]["mean"]
    for protocol in ("paper", "strict"):
        page = (written(tmp_path, protocol) / "report.md").read_text()
        assert "| score | published | ours, `paper` | ours, `strict` |" in page
        assert f"`paper` minus `strict`: {gap:+.4f}" in page


def test_known_speakers_stand_beside_the_other_protocols_on_all_pages(runs, tmp_path):
    for protocol in ("strict", "speaker-known"):
        report.write_report(make_runs(tmp_path / "runs", protocol=protocol), written(tmp_path, protocol))
    report.write_report(runs, written(tmp_path))
    few = make_runs(tmp_path / "runs", protocol="speaker-known-5")
    report.write_report(few, written(tmp_path, "speaker-known-5"))
    for protocol in ("paper", "strict", "speaker-known"):
        page = (written(tmp_path, protocol) / "report.md").read_text()
        assert "| score | published | ours, `paper` | ours, `strict` | ours, `speaker-known` |" in page
    assert (
        "| score | published | ours, `speaker-known-5` |"
        in (written(tmp_path, "speaker-known-5") / "report.md").read_text()
    )


def test_beside_may_lie_elsewhere_but_must_fit(runs, tmp_path):
    strict = make_runs(tmp_path / "runs", protocol="strict")
    report.write_report(strict, tmp_path / "elsewhere")
    report.write_report(runs, tmp_path / "here", beside=tmp_path / "elsewhere")
    assert "ours, `strict`" in (tmp_path / "here" / "report.md").read_text()
    with pytest.raises(SertfError, match="not another protocol"):
        report.write_report(strict, tmp_path / "there", beside=tmp_path / "elsewhere")


def test_one_repeat_has_no_spread_and_no_reproducibility(tmp_path):
    runs = make_runs(tmp_path / "runs", repeats=1, published=None)
    summary = report.write_report(runs, written(tmp_path))
    assert summary["scores"]["uar"]["std"] is None and summary["reproducibility"] is None
    page = (written(tmp_path) / "report.md").read_text()
    assert "need 2 or more" in page
    assert "no published score to set beside" in page


def test_runs_beyond_the_plan_are_said_not_counted(runs, tmp_path):
    make_run(runs / "repeat-07" / "fold-1", repeat=7, fold="fold-1")
    (runs / "repeat-07" / "fold-2").mkdir()  # half-written
    assert collect(runs).beyond_plan == ("repeat-07/fold-1",)
    summary = report.write_report(runs, written(tmp_path))
    assert summary["runs"] == 6
    assert "not counted: 1." in (written(tmp_path) / "report.md").read_text()


def test_what_differs_between_runs_is_said(runs, tmp_path):
    shutil.rmtree(runs / "repeat-00" / "fold-1")
    make_run(runs / "repeat-00" / "fold-1", repeat=0, fold="fold-1", device="GPU", code="new")
    summary = report.write_report(runs, written(tmp_path))
    assert summary["device"] == "several"
    assert "Not the same in all runs: code, device;" in (written(tmp_path) / "report.md").read_text()


def test_features_of_one_dimension_are_no_projection(runs, tmp_path):
    for place in runs.rglob("representations.npz"):
        with np.load(place) as file:
            arrays = {name: file[name] for name in file.files}
        np.savez(place, **{**arrays, "means": arrays["means"][:, :1]})
    seal_again(runs)
    report.write_report(runs, written(tmp_path))
    assert (written(tmp_path) / "projections.png").is_file()


def test_bad_representations(runs, tmp_path):
    (runs / "repeat-00" / "fold-1" / "representations.npz").write_bytes(b"PK\x03\x04 cut off")
    seal_again(runs)
    with pytest.raises(SertfError, match="representations.npz cannot be drawn"):
        report.write_report(runs, written(tmp_path))
    assert not written(tmp_path).exists()
    assert list(written(tmp_path).parent.iterdir()) == []


def test_a_failure_leaves_the_old_report_alone(runs, tmp_path, monkeypatch):
    report.write_report(runs, written(tmp_path))
    before = (written(tmp_path) / "report.md").read_bytes()
    monkeypatch.setattr(report, "summarise", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.write_report(runs, written(tmp_path))
    assert (written(tmp_path) / "report.md").read_bytes() == before
    assert [path.name for path in written(tmp_path).parent.iterdir()] == ["paper"]


def test_reports_in_one_folder_are_written_in_turn(runs, tmp_path):
    root = tmp_path / "results"
    second = threading.Thread(target=report.write_report, args=(runs, written(tmp_path)))
    with locked(results_lock(root), root):
        second.start()
        second.join(1)
        assert second.is_alive() and not written(tmp_path).exists()
    second.join(60)
    assert (written(tmp_path) / "report.json").is_file()
    assert [path.name for path in root.iterdir()] == ["lstm_toy"]


def test_what_a_killed_report_left_is_no_result_and_is_removed(runs, tmp_path):
    report.write_report(runs, written(tmp_path))
    left = written(tmp_path).with_name(".paper-abcdefgh") / "paper"
    shutil.copytree(written(tmp_path), left)
    (written(tmp_path) / ".report.md.12-34.tmp").touch()
    hidden = tmp_path / "results" / "lstm_toy" / ".h32"
    shutil.copytree(written(tmp_path).parent, hidden)
    assert report.rewrite_pages(tmp_path / "results") == [written(tmp_path) / "report.md"]
    report.write_report(runs, written(tmp_path))
    assert [path.name for path in written(tmp_path).parent.iterdir()] == ["paper"]
    assert not list(written(tmp_path).glob(".*"))


def test_results_that_a_killed_report_had_moved_are_not_lost(runs, tmp_path):
    report.write_report(runs, written(tmp_path))
    aside = written(tmp_path).with_name(".paper-abcdefgh")
    aside.mkdir()
    written(tmp_path).rename(aside / "paper.old")
    fewer = make_runs(tmp_path / "fewer", repeats=2)
    with pytest.raises(SertfError, match="holds 6 runs, but the new report would hold 4"):
        report.write_report(fewer, written(tmp_path))
    assert [path.name for path in written(tmp_path).parent.iterdir()] == ["paper"]


def test_results_of_something_else_are_not_overwritten(runs, tmp_path):
    other = make_runs(tmp_path / "runs", variant="h32")
    report.write_report(runs, written(tmp_path))
    with pytest.raises(SertfError, match="holds results of lstm_toy/h64/paper, not lstm_toy/h32/paper"):
        report.write_report(other, written(tmp_path))


def test_unwritable_out(runs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SertfError, match="Cannot write to"):
        report.write_report(runs, tmp_path / "file" / "paper")


def test_compare(tmp_path):
    for variant, skill in (("good", 3.0), ("bad", 0.2)):
        report.write_report(
            make_runs(tmp_path / "runs", variant=variant, skill=skill), written(tmp_path, variant=variant)
        )
    a, b = written(tmp_path, variant="good"), written(tmp_path, variant="bad")
    text = report.compare_results(a, b)
    values = [json.loads((x / "report.json").read_text())["scores"]["uar"]["values"] for x in (a, b)]
    test = paired_test(*values)
    assert f"{test.difference:+.4f}" in text and "other seeds (3 repeats)" in text
    assert "With other seeds, good lies above bad. With other speakers, good lies above bad." in text
    fewer = report.write_report(
        make_runs(tmp_path / "runs", variant="few", repeats=2), written(tmp_path, variant="few")
    )
    assert fewer["facts"]["repeats"] == 2
    assert "other seeds (3 and 2 repeats)" in report.compare_results(a, written(tmp_path, variant="few"))
    assert "With other seeds, bad lies below good." in report.compare_results(b, a, score="wa")
    assert "a difference between good (paper) and good (paper) is not shown" in report.compare_results(a, a)
    with pytest.raises(SertfError, match="score must be one of uar, wa, macro_f1, weighted_f1, got"):
        report.compare_results(a, b, score="loss")
    with pytest.raises(SertfError, match="holds no report.json, so it is not a stored result"):
        report.compare_results(a, tmp_path)


def test_module_runs_without_a_deep_learning_framework():
    heavy = {"tensorflow", "keras", "jax", "librosa", "matplotlib.pyplot"}
    code = f"import sys, sertf.reports.report; print({heavy} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "set()"


@pytest.mark.parametrize("name", ["..", "../../elsewhere", "ABSOLUTE"])
def test_names_in_a_strangers_file_decide_no_place(runs, tmp_path, name):
    name = str(tmp_path / "absolute") if name == "ABSOLUTE" else name
    for place in runs.rglob("experiment.json"):
        place.write_text(json.dumps(json.loads(place.read_text()) | {"variant": name}))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ResultsError, match="must be names of one folder"):
        report.write_reports(runs, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before
