import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.errors import SertfError
from sertf.experiment import job as jobs
from sertf.experiment.description import Setting, Variant
from sertf.experiment.runner import run_job
from sertf.extraction.cache import CacheError
from sertf.parallel import processes
from sertf.protocols.audit import LeakageError
from sertf.training import fit
from sertf.training.batches import Batches, predict
from tests.toy import EXPERIMENT, RECIPE, in_process, planned, run


def test_every_utterance_is_tested_once_a_repeat(done, corpus):
    _, folder = done
    predictions = pd.concat([pd.read_csv(path) for path in folder.glob("*/*/predictions.csv")])
    for _, of_repeat in predictions.groupby("repeat"):
        assert sorted(of_repeat["utterance"]) == sorted(corpus["utterance"])
    assert list(predictions)[5:] == ["neutral", "happiness", "sadness", "anger"]
    truth = corpus.set_index("utterance")["emotion"]
    assert (truth[predictions["utterance"]].to_numpy() == predictions["truth"].to_numpy()).all()


def test_manifest_says_what_ran(done):
    _, folder = done
    manifest = json.loads((folder / "repeat-01" / "fold-2" / "manifest.json").read_text())
    assert manifest["repeat"] == 1 and manifest["fold"] == "fold-2"
    assert manifest["recipe"]["epochs"] == 2 and manifest["audit"]["verdict"] == "clean"
    assert manifest["front_end"]["config"]["n_mfcc"] == 8
    assert {"seed", "digest", "table_digest", "protocol_digest", "versions", "backend", "device", "code"} <= set(
        manifest
    )
    seeds = {json.loads(path.read_text())["seed"] for path in folder.glob("*/*/manifest.json")}
    assert len(seeds) == 6


def test_same_seed_same_predictions_bit_by_bit(done, corpus, cache, tmp_path):
    """One (repeat, fold) again, in another folder and process, equals the first run byte by byte."""
    _, folder = done
    again = run(corpus, cache, tmp_path, repeats=1)["small", "strict"]
    for fold in ("fold-1", "fold-3"):
        first = (folder / "repeat-00" / fold / "predictions.csv").read_bytes()
        assert (again / "repeat-00" / fold / "predictions.csv").read_bytes() == first
    assert (folder / "repeat-01" / "fold-1" / "predictions.csv").read_bytes() != (
        folder / "repeat-00" / "fold-1" / "predictions.csv"
    ).read_bytes()


def test_workers_elsewhere_are_given_whole_paths(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs = planned(corpus, cache, "runs/toy")
    assert {job.folder.parent for job in jobs} == {tmp_path / "runs/toy/small/strict/repeat-00"}


def test_the_validation_part_chooses_the_epoch_and_nothing_looks_at_the_test_part(corpus, cache, tmp_path):
    fitted, parts, _ = jobs.train_job(planned(corpus, cache, tmp_path)[0])
    losses = {}
    for name in ("validation", "test"):
        part = parts[name]
        outputs = predict(fitted.model, part)
        losses[name] = -np.log(outputs[np.arange(len(outputs)), part.labels]).mean()
    kept = fitted.history.set_index("epoch").loc[fitted.best_epoch]
    assert kept["val_loss"] == pytest.approx(losses["validation"], rel=1e-4)
    assert kept["val_loss"] != pytest.approx(losses["test"], rel=1e-2)
    assert not [column for column in fitted.history if column.startswith("test")]


def test_finished_runs_are_skipped_and_broken_ones_made_again(done, corpus, cache, monkeypatch):
    out, folder = done
    broken, leftover = folder / "repeat-01" / "fold-3", folder / "repeat-01" / ".fold-3-abcdefgh"
    before = (broken / "predictions.csv").read_bytes()
    (broken / "manifest.json").write_text('{"dig')
    leftover.mkdir()
    trained = []
    monkeypatch.setattr(
        processes,
        "run_all",
        lambda _, jobs, **__: trained.extend(run_job(job) for job in jobs) or [],
    )
    run(corpus, cache, out, repeats=2)
    assert trained == [broken]
    assert (broken / "predictions.csv").read_bytes() == before
    assert not leftover.exists()


def test_recordings_that_changed_under_finished_runs_are_refused(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    run(corpus, cache, tmp_path / "runs")
    other = corpus.assign(path=list(corpus["path"])[::-1])
    with pytest.raises(fit.RunError, match="on other recordings under the same names"):
        run(other, cache, tmp_path / "runs", repeats=2)


@pytest.mark.parametrize(
    ("recipe", "when"),
    [
        ({"learning_rate": 1e30}, r"in epoch \d: the loss is not finite"),
        # One step, whose loss is that of the first weights.
        ({"learning_rate": 1e25, "epochs": 1, "batch_size": 1000}, "in its last steps: the scores are not finite"),
    ],
)
def test_a_training_that_diverges_keeps_none_of_the_others_waiting(corpus, cache, tmp_path, monkeypatch, recipe, when):
    in_process(monkeypatch)
    small = EXPERIMENT.variants["small"]
    wild = replace(small, recipes={"strict": replace(RECIPE, optimizer="sgd", **recipe)})
    experiment = replace(EXPERIMENT, variants={"wild": wild, "small": small})
    found = f"3 of 6 runs diverged, the others are finished. wild/strict/repeat-00/fold-1: Training diverged {when}"
    with pytest.raises(fit.Diverged, match=found):
        run(corpus, cache, tmp_path, experiment=experiment)
    assert len(list(tmp_path.glob("small/strict/repeat-00/*/manifest.json"))) == 3
    assert not list(tmp_path.glob("wild/strict/repeat-00/*/manifest.json"))


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


def test_paper_protocol_scales_on_everything_and_says_so(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=2)
    folder = run(corpus, cache, tmp_path, protocol_names=["paper"])["small", "paper"]
    assert json.loads((folder / "experiment.json").read_text())["audit"]["verdict"] == "leaks by declaration: scaling"
    history = pd.read_csv(folder / "repeat-00" / "fold-1" / "history.csv")
    assert history["test_uar"].between(0, 1).all()
    means = [(folder / "repeat-00" / fold / "scaling.npz").read_bytes() for fold in ("fold-1", "fold-2")]
    assert means[0] == means[1]


@pytest.mark.parametrize(("protocol", "rows"), [("strict", ["train"]), ("paper", ["train", "validation", "test"])])
def test_strict_scales_on_training_rows_alone_and_paper_on_all(corpus, cache, tmp_path, monkeypatch, protocol, rows):
    """Rows that scaling was fitted on have a mean of 0 and a deviation of 1, others do not."""
    monkeypatch.setattr("sertf.training.trainers.fit", lambda *_, **__: None)
    for job in planned(corpus, cache, tmp_path, protocol_names=[protocol]):
        _, parts, _ = jobs.train_job(job)
        frames = np.concatenate([array for name in rows for array in parts[name].arrays])
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(frames.std(axis=0), 1, atol=1e-3)


@pytest.mark.parametrize(("dropout", "expected"), [(None, 0.25), (0.125, 0.125), (0.0, 0.0)])
def test_dropout_of_the_recipe_goes_before_that_of_the_options(corpus, cache, tmp_path, monkeypatch, dropout, expected):
    monkeypatch.setattr("sertf.training.trainers.fit", lambda build, *_, **__: build())
    variant = replace(
        EXPERIMENT.variants["small"],
        options={"units": 4, "dropout": 0.25},
        recipes={"strict": replace(RECIPE, dropout=dropout)},
    )
    job, *_ = planned(corpus, cache, tmp_path, experiment=replace(EXPERIMENT, variants={"small": variant}))
    model, _, _ = jobs.train_job(job)
    assert model.get_layer("dropout").rate == expected


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


def test_each_cell_is_scaled_by_itself(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch, first=1)
    variant = Variant(
        "autoencoder",
        options={"units": (8, 4)},
        recipes={"strict": RECIPE},
        scaled_each="cell",
    )
    options = {"sample_rate": 16000, "offset_seconds": 0.0, "duration_seconds": 0.5, "hop_length": 512, "n_mels": 16}
    experiment = replace(EXPERIMENT, front_end="log_mel", front_end_options=options, variants={"small": variant})
    folder = run(corpus, cache, tmp_path, experiment=experiment)["small", "strict"]
    with np.load(folder / "repeat-00" / "fold-1" / "scaling.npz") as scaling:
        assert scaling["mean"].shape == scaling["std"].shape == (16, 16)
    assert json.loads((folder / "experiment.json").read_text())["scaled_each"] == "cell"


def test_scikit_learn_models_run_too(corpus, cache, tmp_path, monkeypatch):
    in_process(monkeypatch)
    experiment = replace(
        EXPERIMENT,
        front_end="fused_statistics",
        front_end_options={"sample_rate": 16000},
        variants={"svm": Variant("svm", recipes=None)},
    )
    folder = run(corpus, cache, tmp_path, experiment=experiment, repeats=2)["svm", "strict"]
    facts = json.loads((folder / "experiment.json").read_text())
    assert facts["recipe"] is None and facts["epochs"] is None
    place = folder / "repeat-00" / "fold-1"
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["backend"] == "scikit-learn" and manifest["parameters"] is None
    predictions = pd.read_csv(place / "predictions.csv")
    np.testing.assert_allclose(predictions.iloc[:, 5:].sum(axis=1), 1, rtol=1e-5)
    assert len(pd.read_csv(place / "history.csv")) == 1
    assert (place / "weights.joblib").is_file()
    trained = []
    monkeypatch.setattr(processes, "run_all", lambda _, jobs, **__: trained.extend(jobs) or [])
    run(corpus, cache, tmp_path, experiment=experiment, repeats=2)
    assert trained == []


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
    chosen = (table["speaker"] == table["speaker"].iloc[0]) & (table["emotion"] == "anger")
    table.loc[chosen, "path"] = str(tmp_path / "broken.wav")
    with pytest.warns(UserWarning, match="1 clips, .* are left out:\n .*broken.wav: not readable"):
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
    with pytest.raises(SertfError, match=f"All {len(table)} utterances have the emotion anger; .* add utterances of"):
        run(table, cache, tmp_path)


def test_killed_in_the_middle_the_same_command_goes_on(corpus, cache, tmp_path):
    corpus.drop(columns="path").assign(path=corpus["path"]).to_pickle(tmp_path / "table.pkl")
    code = (
        "import pandas, sys\n"
        "from sertf.experiment import runner\n"
        "from tests.toy import EXPERIMENT\n"
        "runner.run(EXPERIMENT, pandas.read_pickle(sys.argv[1]), out=sys.argv[2], protocol_names=['strict'],\n"
        "           repeats=1, workers=1, cache=sys.argv[3], progress=False)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "table.pkl"), str(tmp_path / "runs"), str(cache)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    manifests = lambda: sorted((tmp_path / "runs").glob("*/*/*/[!.]*/manifest.json"))  # noqa: E731
    deadline = time.monotonic() + 240
    while not manifests() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in manifests()}
    assert 1 <= len(kept) < 3
    run(corpus, cache, tmp_path / "runs")
    assert len(manifests()) == 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_no_batch_norm_is_trained_on_one_utterance(corpus, cache, tmp_path, monkeypatch):
    job = planned(corpus, cache, tmp_path)[0]
    job = replace(job, recipe=replace(job.recipe, epochs=1, batch_size=len(job.fold.train) - 1))
    sizes, batch = [], Batches.batch

    def counted(self, indices, epoch=0):
        if self.seed is not None:
            sizes.append(len(indices))
        return batch(self, indices, epoch)

    monkeypatch.setattr(Batches, "batch", counted)
    jobs.train_job(job)
    assert sorted(sizes) == [2, len(job.fold.train) - 2]


def test_a_batch_norm_refuses_batches_of_one_utterance(corpus, cache, tmp_path):
    job = planned(corpus, cache, tmp_path)[0]
    with pytest.raises(fit.RunError, match="needs a batch_size of 3 or more, .* but the recipe has 1; use a"):
        jobs.train_job(replace(job, recipe=replace(job.recipe, batch_size=1, accumulation=8)))


def test_no_more_are_scored_at_once_than_batches_are_cut_to(corpus, cache, tmp_path, monkeypatch):
    job = planned(corpus, cache, tmp_path)[0]
    sizes, batch = {True: set(), False: set()}, Batches.batch

    def counted(self, indices, epoch=0):
        sizes[self.seed is None].add(len(indices))
        return batch(self, indices, epoch)

    monkeypatch.setattr(Batches, "batch", counted)
    jobs.run_job(replace(job, recipe=replace(job.recipe, epochs=1, batch_size=4, accumulation=2)))
    assert max(sizes[True]) == 4 and max(sizes[False]) == 4
    sizes[True].clear()
    jobs.run_job(replace(job, recipe=replace(job.recipe, epochs=1, batch_size=4)))
    assert max(sizes[True]) > 4
