"""The experiments as the scripts define them, beside what is kept of them and on corpora that are not at hand."""

import importlib
import inspect
import json
import sys
from pathlib import Path

import pytest

from sertf import corpora, protocols, zero_shot
from sertf.audit import audit
from sertf.experiment import Experiment, digest
from sertf.features import FEATURES
from sertf.models import MODELS
from sertf.models.classical import CLASSICAL
from tests.corpora import trees

FOLDER = Path(__file__).parents[1] / "experiments"
KEPT = sorted(FOLDER.glob("results/*/*/*/report.json"))


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def script(name):
    return importlib.import_module(name)


def every_experiment():
    """Each script's experiment, by name."""
    sys.path.insert(0, str(FOLDER))
    try:
        found = [getattr(importlib.import_module(path.stem), "EXPERIMENT", None) for path in FOLDER.glob("*.py")]
    finally:
        sys.path.remove(str(FOLDER))
    return {experiment.name: experiment for experiment in found if isinstance(experiment, Experiment)}


EXPERIMENTS = every_experiment()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: "-".join(path.parts[-4:-1]))
def test_kept_results_are_of_the_experiments_as_they_stand(path):
    """A change of an experiment's identity would strand every run that was made of it."""
    facts = json.loads(path.read_text())["facts"]
    identity = EXPERIMENTS[facts["experiment"]].identity(facts["variant"], facts["protocol"])
    made = {name: facts[name] for name in ("table_digest", "protocol_digest", "front_end_digest")}
    assert digest({**identity, **made}) == facts["digest"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_names_what_there_is(name):
    experiment = EXPERIMENTS[name]
    assert set(experiment.corpora) <= set(corpora.CORPORA)
    for variant, described in experiment.variants.items():
        FEATURES[experiment.front_end](**experiment.front_end_options_of(variant))
        classical = described.model in CLASSICAL
        build = (CLASSICAL if classical else MODELS)[described.model]
        inspect.signature(build).bind_partial(**described.options)
        for protocol in experiment.protocols:
            recipe = experiment.recipe(variant, protocol)
            assert (recipe is None) == classical
            if "no validation" in protocols.protocol(experiment.setting(protocol).folds).allows:
                assert recipe is None or recipe.monitor is None


def test_serct_on_tess_which_is_not_at_hand(tmp_path):
    """Its folds, from the names of its files."""
    table = corpora.load("tess", trees.touch(tmp_path, trees.tess()))
    experiment = script("serct_tess").EXPERIMENT
    folds = {}
    for name in ("paper", "strict"):
        cut = protocols.protocol(experiment.setting(name).folds)
        folds[name] = cut(table, seed=experiment.seed)
        audit(folds[name], table, allows=cut.allows)
    assert [(len(fold.train), len(fold.test)) for fold in folds["paper"]] == [(2520, 280)]
    assert [(len(fold.train), len(fold.test)) for fold in folds["strict"]] == [(1400, 1400)] * 2
    assert experiment.variants["narrow"].published["wa"] == (0.9893, None, None)
    assert experiment.recipe("narrow", "strict").monitor is None


def test_serct_zero_shot_from_tess(tmp_path):
    """The published direction: six emotions and 454 utterances of EmoDB, as the thesis counts them."""
    folders = {
        "tess": trees.touch(tmp_path / "tess", trees.tess()),
        "emodb": trees.touch(tmp_path / "e", trees.emodb()),
    }
    with pytest.warns(corpora.CorpusWarning):  # the tree has EmoDB's emotions, not its speakers' shares of them
        table = zero_shot.shared_emotions(corpora.load_several(folders))
    experiment = script("serct_zero_shot").between("tess", ("emodb",))
    assert experiment.name == "serct_zero_shot_tess_to_emodb" and experiment.corpora == ("tess", "emodb")
    assert experiment.variants["narrow"].published["uar"] == (0.3712, None, None)
    for name, trained in (("paper", 2160), ("strict", 1200)):
        (fold,) = protocols.protocol(experiment.setting(name).folds)(table, seed=experiment.seed)
        assert (fold.name, len(fold.train), len(fold.test)) == ("emodb", trained, 454)
    assert script("serct_zero_shot").between("ravdess", ("tess", "emodb")).name.endswith("ravdess_to_emodb_tess")


def test_sizes_and_rates_of_serct():
    experiment = script("serct_tess").EXPERIMENT
    assert experiment.variants["paper_size"].for_gpu and not experiment.variants["narrow"].for_gpu
    assert experiment.front_end_options_of("paper_size") == {"samples": 144_000}  # at each file's own rate
    assert experiment.front_end_options_of("narrow") == {"sample_rate": 16000, "samples": 48_000}
    large = script("serct_zero_shot").EXPERIMENT.front_end_options_of("paper_size")
    assert large == {"sample_rate": 16000, "samples": 144_000}  # corpora differ in rate
    layers = [variant.options["layers"] for variant in script("serct_depth").EXPERIMENT.variants.values()]
    assert layers == [1, 2, 3, 4, 5, 6]
