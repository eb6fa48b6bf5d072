"""Front ends of a user's own, from their name to the exported model."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sertf
from sertf import features
from sertf.audio.augmentation import Augmentation, Gain
from sertf.custom import code as own_code
from sertf.custom import front_ends as custom_front_ends
from sertf.errors import SertfError
from sertf.experiment.job import run_job
from sertf.export import checkpoint
from sertf.extraction.clip import Compiled, front_end_digest, front_end_key
from sertf.features import MfccChroma
from sertf.training.fit import RunError
from tests import own_front_end
from tests.toy import EXPERIMENT, RECIPE, changed, in_process, planned, run

OWN = "tests.own_front_end:Energy"


def own(name="Energy", **options):
    """The tiny experiment on a front end of the user's own."""
    small = changed(recipes={"strict": replace(RECIPE, epochs=1)})
    return replace(small, front_end=f"tests.own_front_end:{name}", front_end_options=options)


def test_an_own_front_end_is_trained_on_in_workers_reported_and_exported(corpus, cache, tmp_path):
    (runs,) = run(corpus, cache, tmp_path / "runs", experiment=own(window=800)).values()
    sertf.reports.write_report(runs, tmp_path / "results")
    assert OWN in (tmp_path / "results" / "report.json").read_text()
    model = sertf.load(sertf.export.saved_model.save(runs, tmp_path / "exported"))
    assert model.card["front_end"]["config"] == {"sample_rate": 16000, "window": 800}
    assert len(model.predict(corpus["path"].iloc[0])) == 1
    manifest = next(runs.glob("repeat-00/*/manifest.json")).read_text()
    assert '"window": 800' in manifest


def test_an_own_front_end_of_a_fixed_number_of_frames(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    experiment = replace(own("Loudest", sample_rate=8000), variants={"svm": sertf.experiment.Variant("svm", None)})
    (runs,) = run(corpus, cache, tmp_path, experiment=experiment).values()
    assert len(list(runs.glob("repeat-00/*/manifest.json"))) == 1


def test_rows_beyond_the_own_frames_are_zero_and_lengths_count():
    layer = own_front_end.Energy(window=400)
    waveform = np.random.default_rng(0).normal(size=(2, 1200)).astype("float32")
    together = np.asarray(layer(waveform, np.array([1200, 500], "int32")))
    assert together.shape == (2, 4, 1) and not together[1, 2:].any()
    np.testing.assert_allclose(together[1, :2], np.asarray(layer(waveform[1:, :500]))[0], rtol=1e-6)
    with pytest.raises(SertfError, match="Energy: waveform must be floats"):
        layer((waveform * 1000).astype("int16"))


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        (
            own("Enrgy"),
            r"the module tests.own_front_end has no class Enrgy derived from sertf.features.FrontEnd; define",
        ),
        (own("not_a_class"), "has no class not_a_class derived from"),
        (replace(own(), front_end="keras:Model"), "the module keras has no class Model derived from"),
        (replace(own(), front_end="features.py:Energy"), "Front end features.py:Energy: name the module without .py"),
        (
            replace(own(), front_end="my features:E"),
            "name a custom front end module:Class, such as my_features:",
        ),
        (replace(own(), front_end="__main__:Energy"), "name it by its file, as in my_features:Energy"),
        (replace(own(), front_end="no_such_module:Energy"), "Python finds no module no_such_module"),
        (replace(own(), front_end="mfcc"), "Unknown front end 'mfcc'; did you mean mfcc_chroma"),
        (own(windw=3), "Unknown option of Energy 'windw'; did you mean window"),
        (own(window=np.int64(400)), "Energy: the option window must be a plain value"),
        (
            own("Demanding"),
            "cannot be built with the options .none. .missing a required argument: 'window'.; give every argument",
        ),
        (own("Shapeless"), r"must set self.feature_shape in its constructor to .* got \(None, None\)"),
        (own("Forgetful"), "must store each argument of its constructor under .* has no width; add self.width = width"),
        (
            own("Twisting"),
            "must store the argument window unchanged as self.window; put derived values in another",
        ),
        (own("Twisting", window=400), "must store the argument window unchanged"),
        (own("Versioned"), "has an argument version, but Keras or FrontEnd uses this name; choose another"),
        (own("Passing"), r"must list its constructor's arguments by name, .* in place of \*\*options"),
        (
            own("Joining"),
            r"cannot be rebuilt from its manifest, which has lists in place of tuples \(can only concat",
        ),
        (own("Banded", factors={1: 2.0}), "the option factors must be a plain value .* mapping by text of these"),
        (own("Empty", sample_rate=16000), r"must define features\(self, waveform, lengths\)"),
        (own("Unframed", sample_rate=16000), r"must define frames\(self, lengths\)"),
        (own("Long"), "must have a whole number above 0 as minimum_samples, got 0.1"),
        (own("Spanning"), r"must set span to its first sample and the one behind its last, .* got \(0.0, 400.0\)"),
        (own("Reporting"), "reports cuts but has no span"),
        (own("Middle"), "reads the middle of clips but does not state its length; set duration_seconds"),
        (replace(own(), front_end=own_front_end.Energy), "are named by text, such as 'my_models:build', got <class"),
        (own("Keeping"), "Keeping: the option window must be a plain value .* got np.int64"),
        (own("Energy", sample_rate=0), "Energy: sample_rate must be a whole number above 0, got 0"),
    ],
)
def test_mistakes_are_said_before_any_clip_is_read(corpus, tmp_path, experiment, message):
    with pytest.raises(SertfError, match=message):
        run(corpus.assign(path="nowhere.wav"), tmp_path / "cache", tmp_path, experiment=experiment)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Weighted", r"has weights \(.*scale\), but no run stores them; make its constants NumPy arrays"),
        (
            "Fractional",
            r"frames\(lengths\) must give a whole number above 0 for 1600 samples, got 4.0; divide by //",
        ),
        ("Frameless", r"got 0; divide by //, and let minimum_samples be what a frame needs"),
        (
            "Miscounting",
            r"must give float32 of shape \(1, 6, 1\) for a clip of 1600 samples, .* gives float32 of shape \(1, 5, 1\)",
        ),
        ("Undefined", "gives NaN or infinity for noise of 1600 samples; if it needs more samples, set minimum_samples"),
        ("Leaking", "gives other features where a clip is padded with zeros"),
        ("Telling", "gives other features when rebuilt from its manifest"),
        (
            "Padded",
            "gives other features where a clip is padded with zeros .by .*; ignore the samples beyond `lengths`",
        ),
    ],
)
def test_features_that_are_not_what_the_front_end_says(name, message):
    layer = getattr(own_front_end, name)()
    with pytest.raises(SertfError, match=message):
        custom_front_ends.check_features(name, layer, Compiled, shortest_seconds=0.1)


def test_a_list_among_the_arguments_goes_to_workers_and_back(corpus, cache, tmp_path):
    (runs,) = run(corpus, cache, tmp_path / "runs", experiment=own("Banded", factors=[1.0, 3.0])).values()
    model = sertf.load(sertf.export.saved_model.save(runs, tmp_path / "exported"))
    assert model.card["front_end"]["config"]["factors"] == [1.0, 3.0]
    assert type(own_front_end.Banded(factors=[1.0]).get_config()["factors"]) is list


def test_the_zoos_front_ends_pass_the_checks():
    for layer in (MfccChroma(16000), features.FusedStatistics(), features.LogMel(offset_seconds=0.0)):
        custom_front_ends.check_features("zoo", layer, Compiled, shortest_seconds=0.1)
        custom_front_ends.check("zoo", type(layer), {})


def test_features_of_another_version_of_the_file_are_not_taken(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    (runs,) = run(corpus, cache, tmp_path / "runs", experiment=own()).values()
    before = front_end_digest(own_front_end.Energy())
    with monkeypatch.context() as patched:
        patched.setattr("sertf.extraction.clip.source_digest", lambda *_: "of another file")
        assert front_end_digest(own_front_end.Energy()) != before
        with pytest.raises(RunError, match=f"runs on features of another version of {OWN} "):
            run(corpus, cache, tmp_path / "runs", experiment=own())
        with pytest.raises(
            checkpoint.ExportError, match="features of another version of tests.own_front_end:Energy; run the"
        ):
            sertf.export.saved_model.save(runs, tmp_path / "exported")
    with monkeypatch.context() as patched:
        patched.setattr(own_code.importlib, "import_module", _missing)
        with pytest.raises(
            checkpoint.ExportError, match="cannot be computed any more: .* Python finds no module tests.own_front"
        ):
            sertf.export.saved_model.save(runs, tmp_path / "exported")
    with monkeypatch.context() as patched:
        patched.setattr(own_front_end.Energy, "__init__", lambda self, pitch: None)
        with pytest.raises(checkpoint.ExportError, match="cannot be computed any more: .*unexpected keyword argument"):
            sertf.export.saved_model.save(runs, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


def test_a_version_of_a_parent_counts_too(tmp_path, monkeypatch):
    for name, base in (("parent_of_mine", "sertf.features:LogMel"), ("child_of_mine", "parent_of_mine:Mine")):
        module, _, parent = base.partition(":")
        (tmp_path / f"{name}.py").write_text(f"from {module} import {parent}\n\n\nclass Mine({parent}):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    child = features.find("child_of_mine:Mine")
    key = front_end_key(child())
    assert [source[0] for source in key["source"]] == ["child_of_mine", "parent_of_mine"]
    before = front_end_digest(child())
    monkeypatch.setattr(features.LogMel, "version", features.LogMel.version + 1)
    assert front_end_digest(child()) != before
    (tmp_path / "parent_of_mine.py").write_text("# another\n")
    with pytest.raises(
        SertfError, match="parent_of_mine.py has changed since Mine was imported from it; restart Python"
    ):
        front_end_digest(child())


def test_fresh_copies_are_made_by_the_version_that_made_the_features(corpus, cache, tmp_path, monkeypatch):
    augmentation = Augmentation((Gain(),), copies=1, fresh=True)
    experiment = replace(
        own(), variants=changed(recipes=own().variants["small"].recipes, augmentation=augmentation).variants
    )
    job = planned(corpus, cache, tmp_path, experiment=experiment)[0]
    facts = {**job.facts, "front_end_digest": "of another file"}
    with pytest.raises(RunError, match="Energy is another version here than where its features were extracted; run"):
        run_job(replace(job, facts=facts))
    run_job(job)


def _missing(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_the_docs_own_front_end(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "adding-a-front-end.md").read_text(encoding="utf-8")
    (block,) = (code for code in page.split("```python\n")[1:] if "from sertf.features import FrontEnd" in code)
    (tmp_path / "my_energy.py").write_text(block.partition("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("my_energy")
    assert "my_energy:Energy" in page
    layer = custom_front_ends.check("my_energy:Energy", module.Energy, {})
    custom_front_ends.check_features("my_energy:Energy", layer, Compiled, shortest_seconds=0.1)
    assert EXPERIMENT.front_end in features.FEATURES
