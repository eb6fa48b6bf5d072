"""One run, as a worker process does it: train one fold once and write its run directory."""

import functools
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

import sertf
from sertf.custom import models as custom_models
from sertf.custom.code import is_custom
from sertf.evaluation.scores import uar, wa
from sertf.experiment.description import digest
from sertf.parallel.environment import forget_models, import_tensorflow_quietly
from sertf.protocols import splits
from sertf.runs.layout import RunPlace


@dataclass(frozen=True)
class Fresh:
    """Copies of training utterances that a worker draws anew every epoch.

    Attributes:
        augmentation: `sertf.audio.augmentation.Augmentation`.
        copies: each copy's utterance to that of its original, the path of its recording and its number.
    """

    augmentation: object
    copies: dict

    def originals(self, utterances):
        """The originals among some utterances, and those of the copies among them, each once."""
        return tuple(dict.fromkeys(self.copies[u][0] if u in self.copies else u for u in utterances))

    def joined(self, part):
        """The training part, of originals, with its copies behind it, or with these alone.

        Until copies are drawn, the original's array stands for each.
        """
        place = {utterance: i for i, utterance in enumerate(part.utterances)}
        made = {copy: place[parent] for copy, (parent, _, _) in self.copies.items() if parent in place}
        rows = {**place, **made} if self.augmentation.keep_original else made
        return part.taken(list(rows.values()), tuple(rows))


@dataclass(frozen=True)
class Job:
    """One run: everything a worker process needs, picklable, without a live model."""

    folder: Path
    facts: dict
    fold: splits.Fold
    repeat: int
    seed: int
    features: object
    input_shape: tuple
    labels: dict
    speakers: dict
    emotions: tuple[str, ...]
    scaling_rows: tuple[str, ...] | None
    recipe: object
    scaled_each: str = "dimension"
    fresh: Fresh | None = None


def train_job(job):
    """Train one fold once.

    Returns:
        `sertf.training.fit.Fitted`, the fold's parts by name, and their `sertf.training.scaling.Scaling`.
    """
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import_tensorflow_quietly()
    from sertf.training.scaling import parts_of

    fold = job.fold
    if job.fresh is not None:
        fold = replace(fold, train=job.fresh.originals(fold.train))
    parts, scaling = parts_of(fold, job.features, job.labels, scaling_rows=job.scaling_rows, each=job.scaled_each)
    fitted = _fit_classical(job, parts) if _is_classical(job) else _fit_network(job, parts, scaling)
    return fitted, parts, scaling


def run_job(job):
    """Train one fold once and write its run directory.

    Returns:
        Its folder, or `sertf.training.fit.Diverged`, so that the runs behind it are not lost to one that would diverge again.
    """
    started, code = time.time(), code_digest()
    from sertf.training.environment import environment
    from sertf.training.fit import Diverged
    from sertf.training.representations import representations

    label = RunPlace.parse(job.folder).label
    try:
        fitted, parts, scaling = train_job(job)
    except Diverged as error:
        return Diverged(f"{label}: {error}")
    from sertf.runs.folder import write_run
    from sertf.training import batches

    classical = _is_classical(job)
    test = parts["test"]
    predictions = pd.DataFrame(
        {
            "utterance": test.utterances,
            "speaker": [job.speakers[u] for u in test.utterances],
            "repeat": job.repeat,
            "fold": job.fold.name,
            "truth": [job.emotions[i] for i in test.labels],
        }
    )
    predict = functools.partial(batches.predict, batch_size=_scored_at_once(job.recipe))
    outputs = predict(fitted.model, test)
    if not np.isfinite(outputs).all():  # behind the last step no loss is computed any more
        return Diverged(
            f"{label}: Training diverged in its last steps: the scores are not finite; lower the learning rate "
            "or check the features."
        )
    predictions[list(job.emotions)] = outputs
    write_run(
        job.folder,
        predictions=predictions,
        fitted=fitted,
        scaling=scaling,
        arrays={} if classical else representations(fitted.model, test, predict),
        manifest={
            **job.facts,
            **environment("scikit-learn" if classical else None),
            "code": code,
            "repeat": job.repeat,
            "fold": job.fold.name,
            "seed": job.seed,
            "tested": len(test.utterances),
            "emotions": list(job.emotions),
            "parameters": None if classical else _count(fitted.model.trainable_weights),
            "best_epoch": fitted.best_epoch,
            "wall_seconds": round(time.time() - started, 2),
        },
    )
    if not classical:
        forget_models()
    return job.folder


def _is_classical(job):
    from sertf.models.classical import CLASSICAL

    return job.facts["model"]["name"] in CLASSICAL


@functools.cache  # of what this process has imported, though the files change under a long training
def code_digest():
    """Digest of the installed package's sources, which says more than a version number about what ran."""
    root = Path(sertf.__file__).parent
    return digest([(str(path.relative_to(root)), path.read_text()) for path in sorted(root.rglob("*.py"))])


def _fit_network(job, parts, scaling):
    from sertf import losses
    from sertf.training import batches
    from sertf.training.fit import RunError, fit
    from sertf.training.network import build_network, smallest_batch

    recipe, classes = job.recipe, len(job.emotions)
    balanced = recipe.loss == "balanced_margin"
    weights = losses.class_weights(parts["train"].labels, classes, names=job.emotions) if balanced else None
    validation, train, fresh = parts["validation"], parts["train"], None
    if job.fresh is not None:
        from sertf import features
        from sertf.extraction.clip import front_end_digest
        from sertf.extraction.online_copies import FreshCopies

        front_end = features.find(job.facts["front_end"]["name"])(**job.facts["front_end"]["config"])
        if front_end_digest(front_end) != job.facts["front_end_digest"]:
            raise RunError(
                f"{job.facts['front_end']['name']} is of another version here than where its features were extracted; start "
                "the same command again, with one version on all machines."
            )
        copies = {copy: clip for copy, (_, *clip) in job.fresh.copies.items()}
        fresh = FreshCopies(copies, front_end, job.fresh.augmentation, scaling, seed=job.seed)
        train = job.fresh.joined(train)
    training_batches = batches.Batches(train, recipe.batch_size, seed=job.seed, fresh=fresh)
    scored = _scored_at_once(recipe)

    def build():
        described = job.facts["model"]
        model = build_network(described["name"], described["options"], recipe, job.input_shape, classes)
        training_batches.smallest = smallest_batch(model)
        if is_custom(described["name"]) and custom_models.source_digest(described["name"]) != described["source"]:
            raise RunError(
                f"{described['name']} is of another version here than where the runs were planned; start the same command "
                "again, with one version on all machines."
            )
        if is_custom(described["name"]) and not balanced:
            custom_models.check_scores(
                described["name"], batches.predict(model, train.taken([0], train.utterances[:1]))
            )
        return model

    return fit(
        build,
        recipe,
        train=batches.as_dataset(training_batches),
        validation=batches.as_dataset(batches.Batches(validation, scored)) if validation.utterances else None,
        num_classes=classes,
        seed=job.seed,
        class_weights=weights,
        watch=_scores_of(parts["test"], scored) if job.facts["watch_test"] else None,
    )


def _scored_at_once(recipe):
    """Utterances that are scored at once: no more than are trained on where batches are cut to fit a device's memory."""
    return 64 if recipe is None or recipe.accumulation == 1 else min(64, recipe.batch_size)


def _scores_of(part, batch_size):
    """Function of a model and its loss to the scores of `part`, as columns of the history."""

    def columns_of(model, loss):
        outputs, columns = _uar_and_wa(model, part, batch_size)
        return {f"test_{name}": value for name, value in {"loss": float(loss(part.labels, outputs)), **columns}.items()}

    return columns_of


def _uar_and_wa(model, part, batch_size):
    """Outputs of a model for a part, and their UAR and WA."""
    from sertf.training import batches

    outputs = batches.predict(model, part, batch_size=batch_size)
    chosen = outputs.argmax(axis=1)
    return outputs, {"uar": uar(part.labels, chosen), "wa": wa(part.labels, chosen)}


def _fit_classical(job, parts):
    """Fit a scikit-learn model; its history is one row, with the cross-entropy of its probabilities as loss."""
    from sertf.models.classical import CLASSICAL, ClassicalModel
    from sertf.training.fit import WEIGHTS, Fitted

    described = job.facts["model"]
    estimator = CLASSICAL[described["name"]](seed=job.seed, **described["options"])
    model = ClassicalModel(estimator, classes=len(job.emotions))
    model.fit(parts["train"].arrays, parts["train"].labels)
    row = {"epoch": 1}
    for prefix, name in (("", "train"), ("val_", "validation")):
        part, columns = parts[name], dict.fromkeys(("loss", "uar", "wa"), np.nan)
        if part.utterances:
            outputs, columns = _uar_and_wa(model, part, _scored_at_once(job.recipe))
            of_truth = outputs[np.arange(len(outputs)), part.labels]
            columns["loss"] = float(-np.log(np.maximum(of_truth, 1e-7)).mean())
        row |= {f"{prefix}{name}": value for name, value in columns.items()}
    return Fitted(model, pd.DataFrame([row]), 1, WEIGHTS[1])


def _count(weights):
    return int(sum(np.prod(weight.shape) for weight in weights))
