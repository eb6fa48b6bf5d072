import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sertf
from sertf.custom import models as custom_models
from sertf.errors import SertfError
from sertf.experiment.cells import resolve
from sertf.experiment.job import run_job
from sertf.export import checkpoint
from sertf.training import trainers
from sertf.training.fit import RunError
from sertf.training.recipe import Recipe
from tests import own_network
from tests.toy import RECIPE, changed, in_process, planned, run

OWN = "tests.own_network:build"


@pytest.fixture
def here(monkeypatch):
    """One run, and the check before it, in this process, which saves the start of others."""
    in_process(monkeypatch, first=1)
    monkeypatch.setattr("sertf.experiment.checks.in_own_process", lambda function, job, _: function(job))


def own(name, **options):
    """The tiny experiment with a model of the user's own in its variant."""
    recipes = {"strict": replace(RECIPE, epochs=1)}
    return changed(**{"model": f"tests.own_network:{name}", "options": {}, "recipes": recipes, **options})


def test_an_own_model_is_trained_in_workers_reported_and_exported(corpus, cache, tmp_path):
    (runs,) = run(corpus, cache, tmp_path / "runs", experiment=own("build", options={"units": 3})).values()
    sertf.reports.write_report(runs, tmp_path / "results")
    assert "tests.own_network:build" in (tmp_path / "results" / "report.json").read_text()
    assert (tmp_path / "results" / "projections.png").is_file()  # of its layer "embedding"
    model = sertf.load(sertf.export.saved_model.save(runs, tmp_path / "exported"))
    rows = model.predict(corpus["path"].iloc[0])
    assert set(corpus["emotion"]) == set(model.emotions) and len(rows) == 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("tests.own_network:", "name a custom model module:function, such as my_models:build"),
        (":build", "name a custom model module:function"),
        ("my models:build", "name a custom model module:function"),
        ("folder/my_models.py:build", "name the module without .py, as my_models:build"),
        ("__main__:build", "cannot import from the script that started them; name it by its file"),
        (
            "my_modls:build",
            "Python finds no module my_modls; put my_modls.py beside the script, or its folder on PYTHONPATH",
        ),
        ("tests.own_netwrk:build", "Python finds no module tests.own_netwrk; put tests/own_netwrk.py beside"),
        (
            "tests.own_network:biuld",
            "the module tests.own_network has no Python function biuld; define it there, as biuld\\(input",
        ),
        ("tests.own_network:not_a_function", "has no Python function not_a_function"),
        ("time:sleep", "the module time has no Python function sleep"),
    ],
)
def test_names_that_nothing_can_be_imported_by(model, message):
    with pytest.raises(SertfError, match=message):
        custom_models.find(model)


def test_what_a_module_itself_cannot_import_is_raised_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "module_of_mine.py").write_text("import a_package_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_missing"):
        custom_models.find("module_of_mine:build")


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (own("build", options={"unit": 3}), "Unknown option of tests.own_network:build 'unit'; did you mean units"),
        (own("build", options={"units": np.int64(3)}), "the option units must be a plain value .* got np.int64\\(3\\)"),
        (own("build", options={"units": float("nan")}), "the option units must be a plain value"),
        (
            own("logits", recipes={"strict": Recipe(dropout=0.3)}),
            "has a dropout of 0.3, but tests.own_network:logits takes",
        ),
        (
            changed(model="wavelet_cnn_lstm", options={}, recipes={"strict": Recipe(dropout=0.3)}),
            "a dropout of 0.3, but",
        ),
        (own("of_one"), r"takes \(input_shape\), but is called with .* options \(none\) \(too many positional"),
        (
            own("required"),
            "takes .*'units'.. Let it take these two first, and give every other argument a default or an option",
        ),
        (own("build", recipes=None), "small trains tests.own_network:build, a network, but has no recipes"),
        (own("nothing"), "must return a keras.Model, but returned NoneType"),
    ],
)
def test_mistakes_are_said_before_any_clip_is_read(corpus, tmp_path, experiment, message):
    with pytest.raises(SertfError, match=message):
        run(corpus.assign(path="nowhere.wav"), tmp_path / "cache", tmp_path, experiment=experiment)
    assert not (tmp_path / "cache").exists()


def test_options_of_a_builder_that_takes_any():
    custom_models.check_options("tests.own_network:with_anything", {"whatever": [1, None, "x"]})
    assert custom_models.takes("tests.own_network:with_anything", "dropout")
    assert custom_models.takes(OWN, "dropout") and not custom_models.takes("tests.own_network:logits", "dropout")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "must return a keras.Model, but returned NoneType"),
        ("unbuilt", "must be a functional or sequential Keras model of one input and one output"),
        ("one_too_many", r"scores of shape \(None, 3\), one an emotion, but gives float32 of shape \(None, 4\); use"),
        ("attentive", "figures need the pair of context .* from a layer named 'attention'; rename the layer"),
        (
            "unregistered",
            r"could not be loaded again \(Could not locate class 'Unregistered'\). Put @keras.saving.register",
        ),
    ],
)
def test_networks_that_cannot_be_trained_or_kept(name, message):
    with pytest.raises(SertfError, match=message):
        trainers.find(f"tests.own_network:{name}").try_out({}, Recipe(), (None, 6), 3)
    trainers.find(OWN).try_out({"units": 3}, Recipe(dropout=0.2), (None, 6), 3)


def test_scores_that_are_no_probabilities(corpus, cache, tmp_path, here):
    with pytest.raises(
        SertfError, match="must give probabilities that sum to 1 .* first utterance's sum to 80; use sertf"
    ):
        run(corpus, cache, tmp_path, experiment=own("logits"))
    custom_models.check_scores(OWN, np.full((2, 4), 0.2505))
    for bad in (np.full((2, 4), np.nan), np.array([[1.5, -0.5]])):
        with pytest.raises(SertfError, match="must give probabilities"):
            custom_models.check_scores(OWN, bad)


def test_runs_of_another_version_of_the_module_do_not_count(corpus, cache, tmp_path, here, monkeypatch):
    run(corpus, cache, tmp_path, experiment=own("build"))
    monkeypatch.setattr(custom_models, "source_digest", lambda _: "of another file")
    with pytest.raises(RunError, match="of another version of the module of tests.own_network:build"):
        run(corpus, cache, tmp_path, experiment=own("build"))


def test_the_source_digest_is_that_of_the_file(tmp_path, monkeypatch):
    place = tmp_path / "digested_module.py"
    place.write_text("def build(input_shape, num_classes): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = custom_models.source_digest("digested_module:build")
    assert before == custom_models.source_digest("digested_module:build")
    place.write_text("def build(input_shape, num_classes): ...\n")
    with pytest.raises(
        SertfError, match="digested_module.py has changed since build was imported from it; restart Python"
    ):
        custom_models.find("digested_module:build")


def test_a_worker_that_imports_another_version(corpus, cache, tmp_path):
    job = planned(corpus, cache, tmp_path, experiment=own("build"))[0]
    with pytest.raises(RunError, match="build is another version here than where the runs were planned; run the same"):
        run_job(replace(job, trainer=replace(job.trainer, source="of another file")))


def test_the_docs_own_model(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
    (block,) = (code for code in page.split("```python\n")[1:] if "EXPERIMENT" in code)
    (tmp_path / "my_gru.py").write_text(block.partition("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    experiment = importlib.import_module("my_gru").EXPERIMENT
    for cell in resolve(experiment):
        cell.try_out(8)


def test_a_module_that_is_gone_when_its_run_is_exported(corpus, cache, tmp_path, here):
    (runs,) = run(corpus, cache, tmp_path, experiment=own("build")).values()
    _, chosen, _ = checkpoint.choose_run(runs, None, None)
    gone = {**chosen.manifest, "model": {**chosen.manifest["model"], "name": "module_that_is_gone:build"}}
    shape = (None, 20)
    own_network.build(shape, 4).save(chosen.place / "weights.keras")
    checkpoint.restore_run(replace(chosen, manifest=gone))  # its layers are known from elsewhere
    own_network.unregistered(shape, 4).save(chosen.place / "weights.keras")
    with pytest.raises(
        checkpoint.ExportError, match="cannot be loaded .* 'Unregistered'.. Its layers are in its module; put"
    ):
        checkpoint.restore_run(replace(chosen, manifest=gone))
