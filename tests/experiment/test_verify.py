import json
from dataclasses import replace

import pytest

from sertf.errors import SertfError
from sertf.experiment import verify as verification
from sertf.experiment.description import Variant
from sertf.parallel import processes
from sertf.reports.report import write_report
from sertf.runs.stored import ResultsError
from tests.toy import EXPERIMENT, RECIPE, on_network, run


@pytest.fixture(scope="module")
def results(done, tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    write_report(done[1], root / "toy" / "small" / "strict")
    return root


@pytest.fixture
def verify(corpus, cache, results, monkeypatch):
    """Call `verify` on the tiny experiment, with training in this process."""
    module = processes
    monkeypatch.setattr(module, "run_all", lambda function, jobs, **__: [function(job) for job in jobs])

    def call(experiment=EXPERIMENT, results=results, **options):
        return verification.verify(experiment, corpus, results=results, cache=cache, progress=False, **options)

    return call


def test_the_same_seed_gives_the_kept_losses(verify):
    found = verify(epochs=2)
    assert found[["variant", "protocol", "repeat", "fold"]].drop_duplicates().values.tolist() == [
        ["small", "strict", 0, "fold-1"]
    ]
    assert found["epoch"].tolist() == [1, 2] and set(found["runs"]) == {6}
    assert found["here"].tolist() == pytest.approx(found["kept"].tolist(), rel=1e-4)
    assert (found["lowest"] <= found["kept"]).all() and (found["kept"] <= found["highest"]).all()
    assert (found["highest"] - found["lowest"] > 1e-3).all()  # seeds and folds differ by more
    assert len(verify()) == 1 and len(verify(epochs=100)) == 2


def test_one_utterance_less_gives_another_loss(verify, monkeypatch):
    train = verification.train_job

    def without_the_last(job):
        return train(replace(job, fold=replace(job.fold, train=job.fold.train[:-1])))

    monkeypatch.setattr(verification, "train_job", without_the_last)
    found = verify()
    assert abs(found["here"] - found["kept"]).item() > 1e-3


def test_nothing_is_written(verify, results):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    verify()
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


def test_what_cannot_be_verified(verify, results, tmp_path):
    with pytest.raises(ResultsError, match="nothing to verify: .*toy holds no .* of small under strict, paper; leave"):
        verify(results=tmp_path)
    with pytest.raises(SertfError, match="Unknown variant 'smal'; did you mean small"):
        verify(variants=["small", "smal"])
    with pytest.raises(SertfError, match="Unknown protocol"):
        verify(protocol_names=["strickt"])
    with pytest.raises(SertfError, match="verify: epochs must be a whole number above 0, got 0"):
        verify(epochs=0)
    recipes = {"strict": replace(RECIPE, epochs=3), "paper": RECIPE}
    other = replace(EXPERIMENT, variants={"small": replace(EXPERIMENT.variants["small"], recipes=recipes)})
    with pytest.raises(
        ResultsError, match="of another experiment, recipe or seed .digest .*so training cannot reproduce them"
    ):
        verify(other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "another experiment, recipe or seed"),
        ({"audio_digest": "other"}, "on other recordings of the same names"),
        (
            {"backend": "torch"},
            "strict was trained under torch, which .* set KERAS_BACKEND=torch to verify",
        ),
        ({"repeat": 7}, "holds first repeat 7, fold fold-1, but the experiment has no such run"),
    ],
)
def test_kept_runs_of_something_else(verify, results, tmp_path, change, message):
    place = tmp_path / "toy" / "small" / "strict"
    place.mkdir(parents=True)
    for name in ("report.json", "history.csv.gz", "manifest.json"):
        (place / name).write_bytes((results / "toy" / "small" / "strict" / name).read_bytes())
    content = json.loads((place / "manifest.json").read_text())
    content["runs"][0] |= change
    (place / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ResultsError, match=message):
        verify(results=tmp_path)


def test_a_scikit_learn_model_is_fitted_again(verify, corpus, cache, tmp_path, monkeypatch):
    experiment = replace(
        EXPERIMENT,
        front_end="fused_statistics",
        front_end_options={"sample_rate": 16000, "fmax": 7200},
        variants={"svm": Variant("svm", recipes=None)},
    )
    monkeypatch.setattr(processes, "run_all", lambda function, jobs, **__: [function(job) for job in jobs])
    folder = run(corpus, cache, tmp_path / "runs", experiment=experiment)["svm", "strict"]
    write_report(folder, tmp_path / "results" / "toy" / "svm" / "strict")
    found = verify(experiment, results=tmp_path / "results")
    assert found["here"].tolist() == pytest.approx(found["kept"].tolist(), rel=1e-5)


def test_a_linear_model_is_fitted_again_on_the_network_it_took(verify, corpus, cache, done, tmp_path):
    experiment = on_network()
    folders = run(corpus, cache, tmp_path / "runs", experiment=experiment, networks=done[1])
    write_report(folders["ridge", "strict"], tmp_path / "results" / "on_network" / "ridge" / "strict")
    found = verify(experiment, results=tmp_path / "results", networks=done[1])
    assert found["here"].tolist() == pytest.approx(found["kept"].tolist(), rel=1e-4)


def test_the_page(verify):
    text = verification.page(verify())
    row = text.splitlines()[2]
    assert row.startswith("| `small` | `strict` | 0, fold-1 | 1 | ") and "(6 runs) |" in row
    assert "Rounding differs between processors" in text
