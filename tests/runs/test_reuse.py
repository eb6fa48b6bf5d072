import gzip
import json
from dataclasses import replace

import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.export.saved_model import ExportError, save
from sertf.parallel import processes
from sertf.reports.report import write_report
from sertf.runs import reuse
from sertf.runs.collect import collect
from sertf.runs.stored import ResultsError, read_predictions
from tests.synthetic_runs import make_run, make_runs, seal_again
from tests.toy import EXPERIMENT, RECIPE, changed, in_process, planned, run

AUDIO = {"audio_digest": "a1"}


@pytest.fixture
def kept(tmp_path):
    """Kept results of 2 repeats × 2 folds."""
    runs = make_runs(tmp_path / "first", repeats=2, groups=True, **AUDIO)
    for place in runs.glob("repeat-*/*"):
        manifest = json.loads((place / "manifest.json").read_text())
        (place / "manifest.json").write_text(json.dumps(manifest | AUDIO | {"code": f"code of {place.parent.name}"}))
    seal_again(runs)
    out = tmp_path / "results" / "lstm_toy" / "h64" / "paper"
    write_report(runs, out)
    return out


@pytest.fixture
def folder(tmp_path):
    """A folder where 3 repeats are planned, of which there is none."""
    runs = make_runs(tmp_path / "second", repeats=0, groups=True)
    facts = json.loads((runs / "experiment.json").read_text())
    (runs / "experiment.json").write_text(json.dumps(facts | AUDIO | {"repeats": 3}))
    return runs


def edit(path, change):
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def test_a_third_repeat_is_all_that_is_lacking(kept, folder):
    before = read_predictions(kept / "predictions.csv.gz")
    manifest = json.loads((kept / "manifest.json").read_text())
    assert reuse.take_over(kept, folder) == 4
    with pytest.raises(
        ResultsError, match="2 of the 6 runs .* repeat 2, fold fold-1 is missing; repeat 2, fold fold-2 is"
    ):
        collect(folder)
    for fold in ("fold-1", "fold-2"):
        make_run(folder / "repeat-02" / fold, repeat=2, fold=fold, **AUDIO, code="newer")
    write_report(folder, kept)
    after = read_predictions(kept / "predictions.csv.gz")
    assert len(after) == 3 * 48
    pd.testing.assert_frame_equal(after.iloc[:96], before)
    runs = json.loads((kept / "manifest.json").read_text())["runs"]
    assert [run["code"] for run in runs] == ["code of repeat-00"] * 2 + ["code of repeat-01"] * 2 + ["newer"] * 2
    assert [{**run, "code": ""} for run in runs[:4]] == [{**run, "code": ""} for run in manifest["runs"]]
    histories = pd.read_csv(kept / "history.csv.gz")
    assert histories.groupby(["repeat", "fold"]).size().tolist() == [2] * 6
    assert "Not the same in all runs: code" in (kept / "report.md").read_text()


def test_figures_of_models_that_are_gone_stay(kept, folder):
    drawn = {name: (kept / name).read_bytes() for name in ("projections.png", "attention.png")}
    edit(folder / "experiment.json", lambda facts: facts | {"repeats": 2})
    reuse.take_over(kept, folder)
    write_report(folder, kept)
    assert {name: (kept / name).read_bytes() for name in drawn} == drawn
    assert all(f"({name})" in (kept / "report.md").read_text() for name in drawn)
    write_report(folder, kept.parents[3] / "elsewhere")
    assert not (kept.parents[3] / "elsewhere" / "projections.png").exists()


def test_what_is_there_stays_and_nothing_kept_gives_nothing(kept, folder):
    make_run(folder / "repeat-01" / "fold-2", repeat=1, fold="fold-2", skill=0.2, **AUDIO)
    own = (folder / "repeat-01" / "fold-2" / "predictions.csv").read_bytes()
    assert reuse.take_over(kept.with_name("strict"), folder) == 0
    assert reuse.take_over(kept, folder) == 3
    assert reuse.take_over(kept, folder) == 0
    assert (folder / "repeat-01" / "fold-2" / "predictions.csv").read_bytes() == own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"digest": "other"},
            "of another experiment or recipe .digest abc, wanted other. and cannot be extended; leav",
        ),
        (
            {"audio_digest": "b2"},
            "on other or unknown recordings and cannot be extended; leave --extend",
        ),
        ({"repeats": 1}, "holds 2 repeats, more than the 1 planned; give --repeats 2 or more"),
    ],
)
def test_what_does_not_belong_together_is_not_mixed(kept, folder, change, message):
    edit(folder / "experiment.json", lambda facts: facts | change)
    with pytest.raises(ResultsError, match=message):
        reuse.take_over(kept, folder)
    assert not list(folder.glob("repeat-*"))


def test_results_that_do_not_say_on_which_recordings(kept, folder):
    edit(kept / "manifest.json", lambda content: content | {"shared": content["shared"] | {"audio_digest": None}})
    with pytest.raises(ResultsError, match="on other or unknown recordings"):
        reuse.take_over(kept, folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: {}, "manifest.json does not list its runs, each with its repeat and fold; make it again"),
        (lambda content: content | {"runs": [{"fold": "fold-1"}]}, "does not list its runs"),
        (
            lambda content: content | {"runs": content["runs"][:3]},
            "its manifest, predictions and history hold differen",
        ),
        (
            lambda content: content | {"runs": [*content["runs"], {"repeat": 2, "fold": "fold-1"}]},
            "hold different runs",
        ),
    ],
)
def test_broken_manifests(kept, folder, change, message):
    edit(kept / "manifest.json", change)
    with pytest.raises(ResultsError, match=message):
        reuse.take_over(kept, folder)
    assert not list(folder.glob("repeat-*"))


@pytest.mark.parametrize("name", ["predictions.csv.gz", "history.csv.gz"])
def test_broken_tables(kept, folder, name):
    content = (kept / name).read_bytes()
    (kept / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ResultsError, match=name):
        reuse.take_over(kept, folder)
    lines = gzip.decompress(content).decode().splitlines()
    (kept / name).write_bytes(gzip.compress("\n".join([lines[0], *(n for n in lines if "fold-1" in n)]).encode()))
    with pytest.raises(ResultsError, match="hold different runs"):
        reuse.take_over(kept, folder)
    assert not list(folder.glob("repeat-*"))


@pytest.fixture(scope="module")
def extended(done, corpus, cache, tmp_path_factory):
    """Results of two repeats, and what is left to do of three that extend them."""
    results, out = tmp_path_factory.mktemp("results"), tmp_path_factory.mktemp("more")
    write_report(done[1], results / "toy" / "small" / "strict")
    return results, out, planned(corpus, cache, out, repeats=3, results=results, extend=True)


def test_the_runner_trains_the_further_repeats_alone(extended, done, corpus, cache, monkeypatch):
    results, out, jobs = extended
    assert [(job.repeat, job.fold.name) for job in jobs] == [(2, "fold-1"), (2, "fold-2"), (2, "fold-3")]
    kept = pd.read_csv(out / "small" / "strict" / "repeat-01" / "fold-2" / "predictions.csv").set_index("utterance")
    own = pd.read_csv(done[1] / "repeat-01" / "fold-2" / "predictions.csv").set_index("utterance")
    assert (kept["truth"] == own["truth"]).all()
    pd.testing.assert_frame_equal(kept.iloc[:, 4:], own.iloc[:, 4:], rtol=1e-5)
    counts = []
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, done, **__: counts.append((done, len(jobs))) or [])
    run(corpus, cache, out, repeats=3, results=results, extend=True)
    assert counts == [(6, 3)]


def test_runs_without_a_model_are_not_exported(extended, corpus, cache, monkeypatch, tmp_path):
    results, out, _ = extended
    folder = out / "small" / "strict"
    with pytest.raises(
        ExportError, match="6 runs in .* were taken over from stored results, without their models; train mo"
    ):
        save(folder, tmp_path / "saved")
    with pytest.raises(
        ExportError, match="repeat-00/fold-1 was taken over from stored results, without its model; train m"
    ):
        save(folder / "repeat-00" / "fold-1", tmp_path / "saved")
    in_process(monkeypatch, first=1)
    run(corpus, cache, out, repeats=3, results=results, extend=True)
    save(folder, tmp_path / "saved")
    card = json.loads((tmp_path / "saved" / "model_card.json").read_text())
    assert (card["run"]["repeat"], card["run"]["fold"]) == (2, "fold-1")


def test_only_what_is_kept_is_extended(extended, corpus, cache, tmp_path):
    results, _, _ = extended
    more = replace(EXPERIMENT, variants={name: EXPERIMENT.variants["small"] for name in ("small", "new")})
    jobs = planned(
        corpus, cache, tmp_path, experiment=more, protocol_names=None, repeats=3, results=results, extend=True
    )
    assert len(jobs) == 3
    assert [str(place.relative_to(tmp_path)) for place in sorted(tmp_path.glob("*/*"))] == ["small/strict"]


def test_results_that_a_report_would_lose_are_said_before_training(extended, corpus, cache, tmp_path):
    results, _, _ = extended
    with pytest.raises(ResultsError, match="holds 6 runs, but the new report would hold 3; give more --re"):
        planned(corpus, cache, tmp_path, repeats=1, results=results)
    with pytest.raises(ResultsError, match="holds results of another recipe, front end, table or recordings"):
        planned(corpus, cache, tmp_path, experiment=changed(options={"units": 5}), repeats=2, results=results)
    assert not list(tmp_path.rglob("experiment.json"))
    assert len(planned(corpus, cache, tmp_path, repeats=2, results=results)) == 6
    with pytest.raises(SertfError, match="extend needs results"):
        planned(corpus, cache, tmp_path, repeats=2, extend=True)


def test_extending_what_is_not_kept_is_said_before_anything_is_read(extended, corpus, cache, tmp_path):
    results, _, _ = extended
    with pytest.raises(
        ResultsError, match="nothing to extend: .*toy holds no stored results of small under paper; leave -"
    ):
        planned(corpus, cache, tmp_path, protocol_names=["paper"], results=results, extend=True)
    recipes = {"strict": replace(RECIPE, epochs=3)}
    other = replace(EXPERIMENT, variants={"small": replace(EXPERIMENT.variants["small"], recipes=recipes)})
    with pytest.raises(ResultsError, match="of another experiment or recipe"):
        planned(corpus, cache, tmp_path, experiment=other, repeats=3, results=results, extend=True)
