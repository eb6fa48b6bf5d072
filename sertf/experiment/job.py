"""One run in a worker process: train one fold once and write its run directory."""

import functools
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

import sertf
from sertf.evaluation.calibration import probabilities
from sertf.experiment.description import digest
from sertf.extraction.cache import Features
from sertf.extraction.online_copies import CopyPlan, OnlineCopies
from sertf.models import linear
from sertf.models.clip_features import clip_features, side_by_side
from sertf.parallel.environment import forget_models, import_tensorflow_quietly
from sertf.parallel.progress import logged
from sertf.protocols.folds import Fold
from sertf.runs.folder import write_run
from sertf.runs.layout import RunPlace
from sertf.runs.stored import read_json
from sertf.training import batches, trainers
from sertf.training.checkpoint import Checkpoint
from sertf.training.fit import Diverged, Fitted, RunError
from sertf.training.fitted_at_once import of_penalty
from sertf.training.network import in_float32
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part, Scaling, SpeakerScaling, Streamed, parts_of
from sertf.training.tensorboard import events
from sertf.training.trainers import Trainer


@dataclass(frozen=True)
class Job:
    """One run: everything a worker process needs, picklable, without a live model.

    Attributes:
        folder: `<runs>/<variant>/<protocol>/repeat-NN/<fold>`.
        facts: plain values of the manifest.
        fold: its training, validation and test utterances.
        repeat: number of the repeat, from 0.
        seed: seed of all random draws.
        trainer, options, recipe: the model and how it is trained.
        features: utterance to (frames, dims).
        input_shape: shape of the features of one utterance.
        labels: utterance to index into the emotions.
        speakers: utterance to speaker, copies included.
        corpora: utterance to corpus, likewise.
        emotions: in the order of the scores.
        scaling_rows: utterances that the scaling is fitted on; None takes the training part.
        scaled_each: what has a mean and a deviation of its own.
        speakers_known: each speaker is scaled by clips of their own.
        enrolment_clips: how many clips a validation or tested speaker is scaled by; None for all.
        watch_test: log the test part's scores after each epoch; they decide nothing.
        parents: altered copies to their originals.
        online_copies: copies drawn anew every epoch.
        teacher: name of a linear model that teaches; None has no teacher.
        teacher_features: utterance to what the teacher reads. A model without a teacher that reads a network reads these too.
        networks: trainings of networks of other seeds, whose values of a clip the model reads; without any it reads the
            features.
        taken: run directory whose network is taken in place of training one; None trains.
        progress: write on standard error how the epochs go.
        tensorboard: folder of the scores of each epoch, for TensorBoard; None writes none.
    """

    folder: Path
    facts: dict
    fold: Fold
    repeat: int
    seed: int
    trainer: Trainer
    options: dict
    recipe: Recipe | None
    features: Features
    input_shape: tuple
    labels: dict[str, int]
    speakers: dict[str, str]
    corpora: dict[str, str]
    emotions: tuple[str, ...]
    scaling_rows: tuple[str, ...] | None
    scaled_each: str = "dimension"
    speakers_known: bool = False
    enrolment_clips: int | None = None
    watch_test: bool = False
    parents: dict[str, str] = field(default_factory=dict)
    online_copies: CopyPlan | None = None
    teacher: str | None = None
    teacher_features: Features | None = None
    networks: "tuple[Job, ...]" = ()
    taken: Path | None = None
    progress: bool = False
    tensorboard: Path | None = None


def train_job(
    job: Job, *, checkpoint: Checkpoint | None = None
) -> tuple[Fitted, dict[str, Part], Scaling | SpeakerScaling]:
    """Train one fold once.

    Args:
        job: what is trained.
        checkpoint: where the state after each epoch is stored, and from where the training goes on; None stores none.

    Returns:
        The trained model, the fold's parts by name, and their scaling.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import_tensorflow_quietly()
    if job.networks:
        return _train_on_networks(job, checkpoint)
    fold = job.fold
    if job.online_copies is not None:
        fold = replace(fold, train=job.online_copies.originals(fold.train))
    parts, scaling = parts_of(
        fold,
        job.features,
        job.labels,
        scaling_rows=job.scaling_rows,
        each=job.scaled_each,
        speakers=job.speakers if job.speakers_known else None,
        enrolment_clips=job.enrolment_clips,
        seed=job.seed,
        copies=job.parents,
    )
    trained_on, copies = parts, None
    if job.online_copies is not None:
        rows = job.online_copies.rows(parts["train"].utterances)
        trained_on = {**parts, "train": parts["train"].taken(list(rows.values()), tuple(rows))}
        copies = _copies_of(job, scaling)
    fitted = job.trainer.fit(
        trained_on,
        job.options,
        job.recipe,
        input_shape=job.input_shape,
        emotions=job.emotions,
        seed=job.seed,
        online_copies=copies,
        watch_test=job.watch_test,
        checkpoint=checkpoint,
        speakers=job.speakers,
        corpora=job.corpora,
        speakers_known=job.speakers_known,
        taught=_taught(job, fold, trained_on["train"].utterances),
    )
    return fitted, parts, scaling


def _train_on_networks(job, checkpoint):
    """Train networks, or take them. Train the job's model on their values of each clip as recorded."""
    networks, seconds = [], 0.0
    for number, network in enumerate(job.networks):
        trained, scaling, before = _network_of(network, checkpoint and checkpoint.of_part(number))
        networks.append(clip_features(in_float32(trained), scaling.mean, scaling.std, name=f"clip_features_{number}"))
        seconds += before
    read = side_by_side(networks)
    train = tuple(dict.fromkeys(job.parents.get(utterance, utterance) for utterance in job.fold.train))
    fold = replace(job.fold, train=train)
    heard = [utterance for ids in fold.parts.values() for utterance in ids]
    clips = Part(tuple(heard), Streamed(job.features, heard), np.zeros(len(heard), np.int32))
    values = batches.predict(read, clips, batch_size=batches.utterances_at_once(job.networks[0].recipe))
    if job.teacher_features is not None:
        beside = np.stack([job.teacher_features[utterance] for utterance in heard])
        values = np.concatenate([values, beside.reshape(len(heard), 1, -1)], axis=2)
    on_values = replace(
        job,
        networks=(),
        teacher_features=None,
        fold=fold,
        features=dict(zip(heard, values)),
        speakers={utterance: job.speakers[utterance] for utterance in heard},
        input_shape=values.shape[1:],
        scaled_each="dimension",
        parents={},
    )
    fitted, parts, scaling = train_job(on_values)
    return replace(fitted, clip_features=read, seconds_before=seconds), parts, scaling


def _network_of(job, checkpoint):
    """The trained network of a job, the scaling of its features, and the seconds that it took before."""
    if job.taken is None:
        fitted, _, scaling = train_job(job, checkpoint=checkpoint)
        return fitted.model, scaling, fitted.seconds_before
    with np.load(job.taken / "scaling.npz") as arrays:
        scaling = Scaling(arrays["mean"], arrays["std"])
    return job.trainer.load(job.taken), scaling, read_json(job.taken / "manifest.json")["wall_seconds"]


def _taught(job, fold, utterances):
    """What the job's teacher says of training utterances, (utterances, emotions) probabilities; None without a teacher.

    The teacher hears originals alone. A copy is taught what its original is.
    """
    if job.teacher is None:
        return None
    originals = [job.parents.get(utterance, utterance) for utterance in utterances]
    heard = tuple(dict.fromkeys(originals))
    parts, _ = parts_of(replace(fold, train=heard, validation=(), test=()), job.teacher_features, job.labels)
    fitted = trainers.find(job.teacher).fit(
        parts,
        {},
        None,
        input_shape=parts["train"].arrays[0].shape,
        emotions=job.emotions,
        seed=job.seed,
        speakers=job.speakers,
        corpora=job.corpora,
    )
    _, temperature = of_penalty(parts["train"].labels, fitted.out_of_fold)
    place = {utterance: i for i, utterance in enumerate(heard)}
    return probabilities(fitted.out_of_fold, temperature)[[place[utterance] for utterance in originals]]


def run_job(job: Job) -> Path | Diverged:
    """Train one fold once and write its run directory.

    Returns:
        Its folder, or `Diverged`. So one diverging run does not cost the runs behind it.
    """
    started, code = time.time(), code_digest()
    label, checkpoint = RunPlace.parse(job.folder).label, _checkpoint_of(job)
    try:
        with logged(label, show=job.progress), events(job.tensorboard):
            fitted, parts, scaling = train_job(job, checkpoint=checkpoint)
        test = parts["test"]
        predict = functools.partial(batches.predict, batch_size=batches.utterances_at_once(job.recipe))
        score = predict
        if isinstance(scaling, SpeakerScaling) and job.trainer.self_trains:
            score = functools.partial(_self_trained, scaling.enrolled)
        outputs = score(fitted.model, test)
        if not np.isfinite(outputs).all():  # no loss is computed after the last step
            raise Diverged(
                "Training diverged in its last steps: the scores are not finite; lower the learning rate or check the "
                "features."
            )
    except Diverged as error:
        checkpoint.remove()
        return Diverged(f"{label}: {error}")
    write_run(
        job.folder,
        predictions=_predictions(job, test, outputs),
        validation=_validation(job, parts, fitted, score),
        left_out=None if fitted.out_of_corpus is None else _predictions(job, parts["train"], fitted.out_of_corpus),
        fitted=fitted,
        scaling=scaling,
        arrays=job.trainer.representations(fitted.model, test, predict, _front_end_of(job)),
        manifest={
            **job.facts,
            **_of_epochs(job).trainer.environment(),
            "code": code,
            "repeat": job.repeat,
            "fold": job.fold.name,
            "seed": job.seed,
            "tested": len(test.utterances),
            "emotions": list(job.emotions),
            "parameters": _parameters(job, fitted),
            "best_epoch": fitted.best_epoch,
            "wall_seconds": round(fitted.seconds_before + time.time() - started, 2),
        },
    )
    checkpoint.remove()
    forget_models()
    return job.folder


def _parameters(job, fitted):
    """Number of trained weights, those of networks that the model reads among them."""
    found = job.trainer.parameters(fitted.model)
    return found + job.networks[0].trainer.parameters(fitted.clip_features) if job.networks else found


def _of_epochs(job):
    """The job that trains by epochs: of a network that the model reads, or the job itself."""
    return job.networks[0] if job.networks else job


def _checkpoint_of(job):
    """Where a job's training is stored after each epoch; of other data, settings or code it does not count."""
    environment = _of_epochs(job).trainer.environment()
    facts = [job.facts["digest"], job.facts["audio_digest"], job.fold.name, job.seed, environment]
    return Checkpoint(RunPlace.parse(job.folder).checkpoint, digest([*facts, code_digest()]))


def _predictions(job, part, outputs):
    """One row an utterance of a part: what it is, and its scores."""
    table = pd.DataFrame(
        {
            "utterance": part.utterances,
            "speaker": [job.speakers[u] for u in part.utterances],
            "repeat": job.repeat,
            "fold": job.fold.name,
            "truth": [job.emotions[i] for i in part.labels],
        }
    )
    table[list(job.emotions)] = outputs
    return table


def _self_trained(enrolled, model, part):
    """Scores of a part by a linear model that trains itself on its enrolled utterances first."""
    own = np.array([utterance in enrolled for utterance in part.utterances])
    return linear.self_trained_scores(model, linear.flat_rows(part.arrays), own)


def _validation(job, parts, fitted, score):
    """The table of predictions that a temperature is fitted on: of the validation part, or of inner folds; else None."""
    if fitted.out_of_fold is not None:
        return _predictions(job, parts["train"], fitted.out_of_fold)
    part = parts["validation"]
    return _predictions(job, part, score(fitted.model, part)) if part.utterances else None


def _front_end_of(job):
    """The front end of a run's features."""
    from sertf import features

    described = job.facts["front_end"]
    return features.find(described["name"])(**described["config"])


def _copies_of(job, scaling):
    """The copies of a run, drawn by its front end."""
    from sertf.extraction.clip import front_end_digest

    described, front_end = job.facts["front_end"], _front_end_of(job)
    if front_end_digest(front_end) != job.facts["front_end_digest"]:
        raise RunError(
            f"{described['name']} is another version here than where its features were extracted; run the same command "
            "again, with one version on all machines."
        )
    copies = {copy: (path, number) for copy, (_, path, number) in job.online_copies.copies.items()}
    return OnlineCopies(copies, front_end, job.online_copies.augmentation, scaling.of, seed=job.seed)


@functools.cache  # the code that this process imported, even if the files change during a long training
def code_digest() -> str:
    """Digest of the installed package's sources, more exact than a version number."""
    root = Path(sertf.__file__).parent
    return digest([(str(path.relative_to(root)), path.read_text()) for path in sorted(root.rglob("*.py"))])
