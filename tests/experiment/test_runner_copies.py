"""Augmented copies in the runs of an experiment: what is trained on, what is refused."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf.audio.augmentation import Augmentation, Gain, RandomCut
from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.experiment.cells import resolve
from sertf.experiment.description import Teacher, known_speakers
from sertf.experiment.job import train_job
from sertf.experiment.plan import plan as make_plan
from sertf.extraction.checks import FrontEndError
from sertf.protocols import splits
from sertf.protocols.audit import LeakageError
from sertf.training import trainers
from sertf.training.batches import Batches, as_dataset
from tests.toy import EXPERIMENT, in_process, planned, run


def batches_of(part, epoch=0):
    """The batches of an epoch that a fit is given, as arrays."""
    return (as_dataset(part, first_epoch=epoch) if isinstance(part, Batches) else part).as_numpy_iterator()


@pytest.mark.parametrize("fresh", [False, True])
def test_copies_join_the_training_part_alone(corpus, cache, tmp_path, monkeypatch, fresh):
    class Seen(Exception):
        pass

    def fit(*_, train, validation, **__):
        raise Seen([[len(labels) for _, labels in batches_of(part)] for part in (train, validation)])

    in_process(monkeypatch, first=1)
    monkeypatch.setattr(trainers, "fit", fit)
    noisy = replace(EXPERIMENT.variants["small"], augmentation=Augmentation(copies=2, fresh=fresh))
    with pytest.raises(Seen) as seen:
        run(corpus, cache, tmp_path, experiment=replace(EXPERIMENT, variants={"small": noisy}))
    trained, validated = (sum(sizes) for sizes in seen.value.args[0])
    facts = json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text())
    assert facts["augmentation"]["copies"] == 2 and facts["audit"]["verdict"] == "clean"
    fold = splits.protocol("speaker-independent-3")(corpus, seed=5)[0]
    assert (trained, validated) == (3 * len(fold.train), len(fold.validation))


@pytest.mark.parametrize(("fresh", "kept"), [(False, True), (False, False), (True, True)])
def test_a_copy_is_taught_what_its_original_is(corpus, cache, tmp_path, monkeypatch, fresh, kept):
    """The teacher hears originals alone, also where the network does not."""

    class Seen(Exception):
        pass

    def fit(*_, train, **__):
        raise Seen(train.part.utterances, train.taught)

    in_process(monkeypatch, first=1)
    monkeypatch.setattr(trainers, "fit", fit)
    small = EXPERIMENT.variants["small"]
    recipes = {"strict": replace(small.recipes["strict"], distillation=0.5)}
    taught = replace(small, recipes=recipes, teacher=Teacher("ridge", "functionals"))
    altered = replace(taught, augmentation=Augmentation(copies=2, fresh=fresh, keep_original=kept))
    by_variant = {}
    for name, variant in (("clean", taught), ("altered", altered)):
        with pytest.raises(Seen) as seen:
            run(corpus, cache, tmp_path / name, experiment=replace(EXPERIMENT, variants={"small": variant}))
        by_variant[name] = dict(zip(*seen.value.args))
    clean, copies = by_variant["clean"], by_variant["altered"]
    assert len(copies) == (3 if kept else 2) * len(clean)
    for utterance, probabilities in copies.items():
        np.testing.assert_array_equal(probabilities, clean[utterance.split("~")[0]])


@pytest.mark.parametrize("known", [False, True])
def test_a_network_learns_from_fresh_copies(corpus, cache, tmp_path, monkeypatch, known):
    in_process(monkeypatch, first=1)
    strict, small = EXPERIMENT.setting("strict"), EXPERIMENT.variants["small"]
    protocols = known_speakers(strict) if known else {"strict": strict}
    noisy = replace(
        small,
        augmentation=Augmentation(copies=1, fresh=True),
        recipes=dict.fromkeys(protocols, EXPERIMENT.recipe("small", "strict")),
    )
    experiment = replace(EXPERIMENT, variants={"small": noisy}, protocols=protocols)
    (folder,) = run(corpus, cache, tmp_path, experiment=experiment, protocol_names=list(protocols)).values()
    history = pd.read_csv(folder / "repeat-00" / "fold-1" / "history.csv")
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


@pytest.mark.parametrize("fresh", [False, True])
def test_copies_alone_take_the_place_of_their_originals(corpus, cache, tmp_path, monkeypatch, fresh):
    """Every utterance of the training part at another place in the window, every epoch if fresh; validation as it is."""
    in_process(monkeypatch)

    class Enough(Exception):
        pass

    def seen(*_, train, validation, **__):
        raise Enough([list(batches_of(train, 0)), list(batches_of(train, 1)), list(batches_of(validation))])

    monkeypatch.setattr(trainers, "fit", seen)
    augmentation = Augmentation(steps=(RandomCut(32000),), copies=1, fresh=fresh, keep_original=False)
    experiment = replace(
        EXPERIMENT,
        front_end="scalogram",
        front_end_options={"duration_seconds": 2.0, "n_scales": 4, "n_bins": 20, "fmin": 200.0},
        variants={"small": replace(EXPERIMENT.variants["small"], augmentation=augmentation)},
    )
    with pytest.raises(Enough) as caught:
        run(corpus, cache, tmp_path, experiment=experiment)
    first, again, validation = caught.value.args[0]
    facts = json.loads((tmp_path / "small" / "strict" / "experiment.json").read_text())
    assert facts["augmentation"]["keep_original"] is False and facts["audit"]["verdict"] == "clean"
    assert facts["across"] is None  # copies alone are trained on, of the corpus that is tested
    fold = splits.protocol("speaker-independent-3")(corpus, seed=5)[0]
    images = [{image.tobytes() for batch, _ in batches for image in batch} for batches in (first, again, validation)]
    assert [len(found) for found in images] == [len(fold.train), len(fold.train), len(fold.validation)]
    assert not images[0] & images[1] if fresh else images[0] == images[1]


def test_fixed_copies_are_drawn_by_the_experiments_seed(corpus, cache, tmp_path):
    noisy = {"small": replace(EXPERIMENT.variants["small"], augmentation=Augmentation(copies=1))}
    experiments = [replace(EXPERIMENT, variants=noisy, seed=seed) for seed in (5, 6)]
    (first, *_), (second, *_) = (planned(corpus, cache, tmp_path / str(e.seed), experiment=e) for e in experiments)
    for utterance in corpus["utterance"]:
        np.testing.assert_array_equal(first.features[utterance], second.features[utterance])
        assert not np.array_equal(first.features[f"{utterance}~1"], second.features[f"{utterance}~1"])


def test_fresh_copies_are_drawn_by_the_seed_of_the_run(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(
        trainers, "fit", lambda *_, train, **__: {x.tobytes() for xs, *_ in batches_of(train) for x in xs}
    )
    augmentation = Augmentation(copies=1, fresh=True, keep_original=False)
    experiment = replace(
        EXPERIMENT,
        front_end="log_mel",
        front_end_options={"sample_rate": 16000, "offset_seconds": 0.0, "duration_seconds": 0.5},
        variants={"small": replace(EXPERIMENT.variants["small"], augmentation=augmentation)},
    )
    of_fold = [j for j in planned(corpus, cache, tmp_path, experiment=experiment, repeats=2) if j.fold.name == "fold-1"]
    first, again, other = (train_job(job)[0] for job in (of_fold[0], *of_fold))
    assert first == again and not first & other


@pytest.mark.parametrize("keep_original", [True, False])
def test_duplicates_are_found_behind_fresh_copies(corpus, cache, tmp_path, keep_original):
    table = corpus.copy()
    first, second = table["speaker"].unique()[:2]
    table.loc[table.index[table["speaker"] == second][0], "path"] = table["path"][table["speaker"] == first].iloc[0]
    augmentation = Augmentation(steps=(Gain(),), copies=1, fresh=True, keep_original=keep_original)
    noisy = replace(EXPERIMENT.variants["small"], augmentation=augmentation)
    with pytest.raises(LeakageError, match="duplicate waveforms"):
        run(table, cache, tmp_path, experiment=replace(EXPERIMENT, variants={"small": noisy}))


@pytest.mark.parametrize(
    ("front_end", "options", "message"),
    [
        ("log_mel", {}, "RandomCut changes nothing for LogMel, which reads a fixed span"),
        ("mfcc_chroma", {}, "fixed number of frames, and MfccChroma is not one; set fresh=False"),
    ],
)
def test_random_cuts_that_cannot_be_used(corpus, cache, tmp_path, front_end, options, message):
    cut = replace(EXPERIMENT.variants["small"], augmentation=Augmentation(steps=(RandomCut(),), fresh=True))
    experiment = replace(EXPERIMENT, front_end=front_end, front_end_options=options, variants={"small": cut})
    with pytest.raises(FrontEndError, match=message):
        run(corpus, cache, tmp_path, experiment=experiment)


def test_copies_of_tested_utterances_are_never_trained_on(corpus, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(splits.Fold, "with_copies", lambda self, parents: replace(self, train=(*self.train, *parents)))
    noisy = replace(EXPERIMENT.variants["small"], augmentation=Augmentation(copies=1))
    with pytest.raises(LeakageError, match="train and test share .* augmented parents"):
        run(corpus, cache, tmp_path, experiment=replace(EXPERIMENT, variants={"small": noisy}))


@pytest.mark.parametrize("keep_original", [True, False])
def test_clips_silent_under_fresh_noise_stop_before_training_or_are_left_out(corpus, cache, tmp_path, keep_original):
    """Its first half second, which the front end reads, is silent."""
    samples, rate = read_audio(corpus["path"].iloc[0], sample_rate=16000)
    soundfile.write(tmp_path / "late.wav", np.concatenate([np.zeros(8000), samples]), rate, subtype="FLOAT")
    table = corpus.copy()
    table.loc[0, "path"] = str(tmp_path / "late.wav")
    augmentation = Augmentation(copies=2, fresh=True, keep_original=keep_original)
    experiment = replace(
        EXPERIMENT,
        front_end="waveform",
        front_end_options={"sample_rate": 16000, "samples": 8000},
        variants={"small": replace(EXPERIMENT.variants["small"], augmentation=augmentation)},
    )
    plan_of = partial(make_plan, resolve(experiment, None, ["strict"]), table, repeats=1, cache=cache, progress=False)
    with pytest.raises(SertfError, match="of 1 of 32 clips; .*--skip-bad.*\n.*late.wav: it is silent"):
        plan_of(out=tmp_path / "strict")
    plan = plan_of(out=tmp_path / "skipped", skip_bad=True)
    facts = json.loads((plan.folders["small", "strict"] / "experiment.json").read_text())
    assert [name for name, _ in facts["skipped"]] == ["late.wav"]
    late = table["utterance"].iloc[0]
    trained = [{u for u in job.fold.train if u.split("~")[0] == late} for job in plan.jobs]
    assert set().union(*trained) == ({late} if keep_original else set())
