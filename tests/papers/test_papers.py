"""Contracts of every paper, and the look-up of an experiment by its name."""

import subprocess
import sys
from pathlib import Path

import pytest

from sertf import papers
from sertf.errors import SertfError
from sertf.experiment.description import Experiment
from sertf.models import MODELS

STORED = Path(__file__).parents[2] / "experiments" / "results"


@pytest.mark.parametrize("name", papers.PAPERS)
def test_a_paper_has_all_its_facts(name):
    paper = papers.PAPERS[name]
    assert (
        any(word in paper.CITATION for word in ("(2016)", "ICML 2023", "(2024)", "(2025)", "(2026)"))
        and paper.EXPERIMENTS
    )
    # These name a front end, which linear models read; a penalty of theirs needs no search of its own.
    assert name in ("functionals", "whisper") or (paper.SPACES and name in paper.SYSTEMS and name in MODELS)
    for make in paper.EXPERIMENTS.values():
        # What it trains, the command, the time and the score to expect.
        for said in ("Command: ", "sertf run ", "Time: ", "Expect: "):
            assert said in make.__doc__, make
    for model, system in paper.SYSTEMS.items():
        # The linear models' own names mean functionals; on Whisper's blocks one is called by its front end.
        assert system.variant.model == {"whisper": "ridge"}.get(model, model) and not system.variant.for_gpu


def test_every_name_gives_the_experiment_of_this_name():
    assert len(papers.names()) == len(set(papers.names())) > 100
    for name in papers.names():
        found = papers.find(name)
        assert isinstance(found.experiment, Experiment) and found.experiment.name == name
        assert found.experiment.paper.startswith(tuple(paper.CITATION for paper in papers.PAPERS.values()))


@pytest.mark.parametrize("name", papers.names())
def test_every_variant_has_a_title_of_its_own(name):
    titles = [variant.title for variant in papers.find(name).experiment.variants.values()]
    assert all(titles) and len(set(titles)) == len(titles)


def test_headlines_are_one_a_system_and_stored():
    names = sorted({path.parents[2].name for path in STORED.glob("*/*/*/report.json")})
    found = [(name, variant) for name in names for variant in papers.headlines(name)]
    models = [(name, papers.find(name).experiment.variant(variant).model) for name, variant in found]
    assert len(set(models)) == len(models)
    assert {model for _, model in models} == {*papers.PAPERS, "ridge"} - {
        "functionals",
        "whisper",
    }
    for name, variant in found:
        stored = {path.parent.name for path in STORED.glob(f"{name}/{variant}/*/report.json")}
        own = papers.find(name).experiment.variant(variant).model in ("attentive_cnn", "ridge")  # no authors' split
        assert ({"strict"} if own else {"paper", "strict"}) <= stored, name


def test_every_stored_experiment_resolves():
    names = {path.parents[2].name for path in STORED.glob("*/*/*/report.json")}
    assert names and all(papers.find(name).experiment.name == name for name in names)


def test_zero_shot_names_hold_several_corpora():
    found = papers.find("serct_zero_shot_tess_to_emodb_esd_zh").experiment
    assert found.corpus == "tess+emodb+esd_zh" and found.corpora == ("tess", "emodb", "esd")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reslstm_sa_ravdes", "did you mean reslstm_sa_ravdess"),
        ("speechnet_emdb", "did you mean .*speechnet_emodb"),
        ("wavelet_cnn_lstm_tess", "did you mean .*wavelet_cnn_lstm_emodb.*\\?$"),
        ("serct_zero_shot_emodb_to_emodb", "did you mean .*serct_zero_shot_emodb_to_"),
        ("serct_zero_shot_tess_to_ravdess_emodb", "Unknown experiment"),  # sorted, it is another name
        ("serct_zero_shot_esd_to_esd_zh", "Unknown experiment"),
        ("nothing", "known are reslstm_sa_ravdess, reslstm_sa_notebook_ravdess, demo, speechnet_CORPUS"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_the_nearest(name, message):
    with pytest.raises(SertfError, match=message) as raised:
        papers.find(name)
    assert len(str(raised.value)) < 1000


def test_papers_import_nothing_heavy():
    heavy = ("tensorflow", "keras", "jax", "librosa", "matplotlib", "pandas")
    code = f"import sys, sertf.papers.own_data; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
