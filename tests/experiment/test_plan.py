"""From an experiment to jobs: what is planned, and what is refused before anything is trained."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.experiment.description import Setting
from sertf.experiment.plan import PlanError
from sertf.extraction.cache import CacheError
from sertf.protocols.audit import LeakageError
from sertf.training import fit
from tests.toy import EXPERIMENT, RECIPE, in_process, planned, run


def test_workers_elsewhere_are_given_whole_paths(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs = planned(corpus, cache, "runs/toy")
    assert {job.folder.parent for job in jobs} == {tmp_path / "runs/toy/small/strict/repeat-00"}


def test_recordings_that_changed_under_finished_runs_are_refused(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    run(corpus, cache, tmp_path / "runs")
    other = corpus.assign(path=list(corpus["path"])[::-1])
    with pytest.raises(fit.RunError, match="on other recordings of the same names"):
        run(other, cache, tmp_path / "runs", repeats=2)


def test_emotions_that_count_as_others_and_what_a_report_says(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    published = {"paper": {"wa": (0.9, None, None)}, "strict": {"wa": (0.8, None, None)}}
    variant = replace(EXPERIMENT.variants["small"], published=published, compared_with=("large", "fewer units"))
    experiment = replace(
        EXPERIMENT, variants={"small": variant}, merged={"sadness": "neutral"}, remarks=("Table 1 says so.",)
    )
    folder = run(corpus, cache, tmp_path, experiment=experiment)["small", "strict"]
    facts = json.loads((folder / "experiment.json").read_text())
    assert facts["emotions"] == ["neutral", "happiness", "anger"] and facts["merged"] == {"sadness": "neutral"}
    assert facts["published"] == {"wa": [0.8, None, None]} and facts["remarks"] == ["Table 1 says so."]
    assert facts["compared_with"] == ["large", "fewer units"]
    predictions = pd.read_csv(folder / "repeat-00" / "fold-1" / "predictions.csv").set_index("utterance")
    emotion = corpus.set_index("utterance")["emotion"].replace("sadness", "neutral")
    assert (predictions["truth"] == emotion[predictions.index]).all()
    assert set(corpus["emotion"]) == {"neutral", "happiness", "sadness", "anger"}


def test_each_variant_has_its_front_end_and_no_validation_part_is_needed(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch)
    small = EXPERIMENT.variants["small"]
    last = replace(RECIPE, monitor=None)
    experiment = replace(
        EXPERIMENT,
        variants={
            "few": replace(small, recipes={"paper": last}, front_end_options={"n_mfcc": 5}),
            "more": replace(small, recipes={"paper": last}),
        },
        protocols={"paper": Setting("random-80-20", watch_test=True)},
    )
    folders = run(corpus, cache, tmp_path, experiment=experiment, protocol_names=["paper"])
    dims = []
    for folder in folders.values():
        run_folder = folder / "repeat-00" / "split"
        with np.load(run_folder / "scaling.npz") as scaling:
            dims.append(len(scaling["mean"]))
        history = pd.read_csv(run_folder / "history.csv")
        assert history["val_uar"].isna().all() and history[["test_loss", "test_uar", "test_wa"]].notna().all(axis=None)
        assert json.loads((run_folder / "manifest.json").read_text())["best_epoch"] == RECIPE.epochs
        audit = json.loads((folder / "experiment.json").read_text())["audit"]
        assert audit["verdict"] == "leaks by declaration: speaker"
        assert any("no validation part" in finding for finding in audit["findings"])
    assert dims == [5 + 12, 8 + 12]


def test_bad_clips_stop_the_run_or_are_left_out_and_recorded(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=0)
    broken = tmp_path / "broken.wav"
    broken.write_text("no audio")
    table = corpus.copy()
    table.attrs.clear()
    table.loc[0, "path"] = str(broken)
    with pytest.raises(CacheError, match="broken.wav"):
        run(table, cache, tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("small/**/*"))
    table = pd.concat([table, table.tail(1).assign(utterance="extra")], ignore_index=True)
    with pytest.warns(
        UserWarning, match="1 clips, or their copies, cannot be used and are left out:\n .*broken.wav: not readable"
    ):
        folder = run(table, cache, tmp_path / "runs", skip_bad=True)["small", "strict"]
    facts = json.loads((folder / "experiment.json").read_text())
    assert [name for name, _ in facts["skipped"]] == ["broken.wav"]
    assert facts["utterances"] == len(table) - 1


def test_bad_clips_are_said_though_the_others_are_too_few_for_the_folds(corpus, cache, tmp_path):
    (tmp_path / "broken.wav").write_text("no audio")
    table = corpus.copy()
    table.attrs.clear()
    chosen = (table["speaker"] != table["speaker"].iloc[0]) & (table["emotion"] == "anger")
    table.loc[chosen, "path"] = str(tmp_path / "broken.wav")
    with pytest.warns(UserWarning, match=r"\d+ clips, .* are left out:\n .*broken.wav: not readable"):
        with pytest.raises(LeakageError, match="no utterance of anger"):
            run(table, cache, tmp_path / "runs", skip_bad=True)


def test_leaking_folds_stop_before_training(corpus, cache, tmp_path):
    """The same recording under two speakers stands on both sides of some fold."""
    table = corpus.copy()
    first, second = table["speaker"].unique()[:2]
    victim = table.index[table["speaker"] == second][0]
    table.loc[victim, "path"] = table.loc[table["speaker"] == first, "path"].iloc[0]
    with pytest.raises(LeakageError, match="duplicate waveforms"):
        run(table, cache, tmp_path)
    assert not list(tmp_path.glob("small/**/repeat-*"))


def test_one_emotion_cannot_be_told_apart(corpus, cache, tmp_path):
    table = corpus[corpus["emotion"] == "anger"]
    with pytest.raises(SertfError, match=f"All {len(table)} utterances have the emotion anger; add utterances of"):
        run(table, cache, tmp_path)


def test_networks_are_taken_from_runs_that_would_train_the_same(corpus, cache, tmp_path, done):
    from tests.toy import on_network

    def jobs(experiment, folder=done[1], **options):
        return planned(corpus, cache, tmp_path, experiment=experiment, networks=folder, **options)

    assert [job.networks[0].taken.name for job in jobs(on_network())] == ["fold-1", "fold-2", "fold-3"]
    both = jobs(on_network(seeds=2))[0].networks
    assert [job.taken.parent.name for job in both] == ["repeat-00", "repeat-01"] and both[0].seed != both[1].seed
    with pytest.raises(PlanError, match="repeat-02.* times the seeds that are read together"):
        jobs(on_network(seeds=2), repeats=2)
    reads = on_network().variants["ridge"]
    other = replace(reads, network=replace(reads.network, recipe=replace(RECIPE, batch_size=4)))
    with pytest.raises(PlanError, match=r"by its recipe; give runs of the same folds"):
        jobs(replace(on_network(), variants={"ridge": other}))
    with pytest.raises(PlanError, match="holds no finished run"):
        jobs(on_network(), tmp_path / "none")
    with pytest.raises(PlanError, match="small reads no network; leave --networks out"):
        jobs(EXPERIMENT)
