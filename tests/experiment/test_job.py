"""One run: what it is trained, scaled and chosen by, and what it writes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sertf.experiment import job as jobs
from sertf.experiment.description import Variant
from sertf.training import callbacks, fit
from sertf.training.batches import Batches, predict
from sertf.training.checkpoint import Checkpoint
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


def test_a_run_stores_the_predictions_of_its_validation_part(done):
    place = done[1] / "repeat-01" / "fold-2"
    tables = {name: pd.read_csv(place / f"{name}.csv") for name in ("predictions", "validation_predictions")}
    validation, test = tables["validation_predictions"], tables["predictions"]
    assert list(validation) == list(test) and not set(validation["speaker"]) & set(test["speaker"])
    history = pd.read_csv(place / "history.csv").set_index("epoch")
    kept = history.loc[json.loads((place / "manifest.json").read_text())["best_epoch"]]
    right = validation[validation.columns[5:]].idxmax(axis=1) == validation["truth"]
    assert kept["val_wa"] == pytest.approx(right.mean())


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
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0.0)
    stored, write = [], Checkpoint.write
    monkeypatch.setattr(Checkpoint, "write", lambda *given: stored.append(given[0].path) or write(*given))
    small = EXPERIMENT.variants["small"]
    wild = replace(small, recipes={"strict": replace(RECIPE, optimizer="sgd", **recipe)})
    experiment = replace(EXPERIMENT, variants={"wild": wild, "small": small})
    found = f"3 of 6 runs diverged; the others are finished. wild/strict/repeat-00/fold-1: Training diverged {when}"
    with pytest.raises(fit.Diverged, match=found):
        run(corpus, cache, tmp_path, experiment=experiment)
    assert len(list(tmp_path.glob("small/strict/repeat-00/*/manifest.json"))) == 3
    assert not list(tmp_path.glob("wild/strict/repeat-00/*/manifest.json"))
    assert any("wild" in path.parts for path in stored) or "in epoch" in when
    assert not list(tmp_path.glob("**/.*checkpoint*"))


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
    with pytest.raises(fit.RunError, match="needs a batch_size of 3 or more, but the recipe has 1.* Use a larger"):
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


def test_a_linear_model_reads_the_network_of_its_fold(corpus, cache, tmp_path, done):
    """Trained here or taken from finished runs, the network is the same, and known speakers need no other."""
    from tests.toy import on_network

    trained = jobs.run_job(planned(corpus, cache, tmp_path / "trained", experiment=on_network())[0])
    job = planned(corpus, cache, tmp_path / "taken", experiment=on_network(), networks=done[1])[0]
    assert job.networks[0].taken == done[1] / "repeat-00" / "fold-1"
    taken = jobs.run_job(job)
    tables = [pd.read_csv(place / "predictions.csv") for place in (trained, taken)]
    assert (
        tables[0]["utterance"].tolist() == pd.read_csv(job.networks[0].taken / "predictions.csv")["utterance"].tolist()
    )
    np.testing.assert_allclose(tables[0].iloc[:, 5:], tables[1].iloc[:, 5:], atol=1e-6)
    manifests = [json.loads((place / "manifest.json").read_text()) for place in (taken, job.networks[0].taken)]
    assert manifests[0]["network"]["name"] == "lstm_sa" and manifests[0]["model"]["name"] == "ridge"
    assert manifests[0]["parameters"] > 4 and manifests[0]["wall_seconds"] > manifests[1]["wall_seconds"]
    assert manifests[0]["backend"] == manifests[1]["backend"]


def test_known_speakers_are_scaled_by_what_the_network_makes_of_their_clips(corpus, cache, tmp_path, done):
    from tests.toy import on_network

    known = on_network("speaker-known", scaling="speaker")
    options = {"experiment": known, "protocol_names": ["speaker-known"], "networks": done[1]}
    job = planned(corpus, cache, tmp_path, **options)[0]
    assert not job.networks[0].speakers_known
    place = jobs.run_job(job)
    with np.load(place / "scaling.npz") as scaling, np.load(job.networks[0].taken / "scaling.npz") as features:
        assert scaling["speaker_mean"].shape[1:] == scaling["mean"].shape != features["mean"].shape
    audit = json.loads((place / "manifest.json").read_text())["audit"]
    assert "the model trains itself on these clips" in " ".join(audit["findings"])


def test_it_reads_what_the_teacher_of_the_network_reads_too(corpus, cache, tmp_path):
    from sertf.features import functionals
    from tests.toy import on_network

    job = planned(corpus, cache, tmp_path, experiment=on_network(with_teacher=True))[0]
    assert job.networks[0].teacher == "ridge" and job.teacher is None
    fitted, parts, _ = jobs.train_job(job)
    values = fitted.clip_features.output_shape[-1] + functionals.Functionals().feature_shape[-1]
    assert parts["train"].arrays[0].shape == (1, values)
    assert fitted.model.input_shape == (None, 1, values)


def test_networks_of_several_seeds_are_read_together(corpus, cache, tmp_path, done):
    """Taken or trained here they are the same, and a training that was killed in the second keeps the first."""
    from tests.toy import on_network

    experiment = on_network(seeds=2)
    taken = jobs.run_job(planned(corpus, cache, tmp_path / "taken", experiment=experiment, networks=done[1])[0])
    job = planned(corpus, cache, tmp_path / "trained", experiment=experiment)[0]
    checkpoint = jobs._checkpoint_of(job)
    ends, whole = [], callbacks.EndOfEpoch.on_epoch_end

    def killed(self, *arguments):
        ends.append(1)
        if len(ends) > RECIPE.epochs:
            raise KeyboardInterrupt
        whole(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(callbacks, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(callbacks.EndOfEpoch, "on_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.run_job(job)
    assert checkpoint.of_part(0).read() is not None
    trained = jobs.run_job(job)
    assert not list(trained.parent.glob(".*checkpoint*"))
    tables = [pd.read_csv(place / "predictions.csv") for place in (trained, taken)]
    np.testing.assert_allclose(tables[0].iloc[:, 5:], tables[1].iloc[:, 5:], atol=1e-6)
    manifest = json.loads((taken / "manifest.json").read_text())
    assert manifest["network"]["seeds"] == 2
    one = json.loads((done[1] / "repeat-00" / "fold-1" / "manifest.json").read_text())["parameters"]
    assert 2 * one > manifest["parameters"] > one
