"""From cells to the missing runs: extract features, make and audit folds, list jobs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from sertf.corpora import utterances
from sertf.errors import SertfError
from sertf.experiment import checks
from sertf.experiment.cells import Cell
from sertf.experiment.description import digest
from sertf.experiment.job import Job
from sertf.experiment.training_data import TrainingData, extract_training_data
from sertf.extraction.cache import Features
from sertf.extraction.checks import check_rates
from sertf.extraction.warnings import say_skipped
from sertf.files import remove_leftovers
from sertf.protocols import audit
from sertf.protocols.folds import Fold
from sertf.protocols.zero_shot import across
from sertf.runs import reuse
from sertf.runs.folder import describe, finished, write_experiment
from sertf.runs.layout import RunPlace, runs_folder, stored_folder
from sertf.runs.stored import ResultsError, check_intact, check_replaceable, read_json
from sertf.training.checkpoint import part_path


class PlanError(SertfError):
    """Arguments of a run that are out of range or do not fit each other."""


@dataclass(frozen=True)
class Plan:
    """The runs to do.

    Attributes:
        jobs: list of `sertf.experiment.job.Job`.
        finished: number of finished runs, stored results among them.
        folders: dict of (variant, protocol) to the folder of its runs.
        cache: folder of the feature cache.
    """

    jobs: list[Job]
    finished: int
    folders: dict[tuple[str, str], Path]
    cache: Path


def plan(
    cells: Sequence[Cell],
    table: pd.DataFrame,
    *,
    out: Path | str,
    repeats: int,
    workers: int | None = None,
    cache: Path | str | None = None,
    results: Path | str | None = None,
    extend: bool = False,
    skip_bad: bool = False,
    progress: bool = True,
    networks: Path | str | None = None,
) -> Plan:
    """Extract the features, make and audit the folds, and list the missing runs.

    Args:
        cells: cells of one experiment, one or more.
        table: utterance table.
        out, repeats, workers, cache, results, extend, skip_bad, progress, networks: as for `sertf.experiment.runner.run`.

    Raises:
        PlanError, RunError, LeakageError, ProtocolError, ResultsError: as `run`.
    """
    from sertf import features
    from sertf.extraction.cache import FeatureCache

    for name, number in (("repeats", repeats), ("workers", workers)):
        if number is not None and number < 1:
            raise PlanError(f"{name} must be 1 or more, but is {number}.")
    if extend and results is None:
        raise PlanError("extend needs results, the folder of the stored runs; give it.")
    stored = None if results is None else Path(results)
    experiment, out = cells[0].experiment, Path(out)
    if extend and stored is not None:
        # --extend must not start variants that were never run.
        found = reuse.stored_pairs(stored / experiment.name, [cell.names for cell in cells], wanted="extend")
        cells = [cell for cell in cells if cell.names in found]
    table = utterances.merged(utterances.validate(table), experiment.merged)
    store = FeatureCache() if cache is None else FeatureCache(cache)
    checks.check(cells, table, store.folder)
    extract = partial(store.extract, workers=workers, skip_bad=skip_bad, progress=progress)
    data: dict[str, TrainingData] = {}
    for cell in cells:
        if cell.data_digest not in data:
            features.check_computed(experiment.front_end, cell.front_end)
            data[cell.data_digest] = extract_training_data(
                table, cell.front_end, cell.variant.augmentation, extract, seed=experiment.seed, skip_bad=skip_bad
            )
    # Before the folds: the clips that are left may be too few for them.
    say_skipped(list(dict.fromkeys(clip for of_cells in data.values() for clip in of_cells.skipped)))
    taught: dict[str, Features] = {}
    jobs, folders, runs = [], {}, 0
    for cell in cells:
        folder = folders[cell.names] = runs_folder(out, *cell.names)
        if cell.variant.teacher is not None and cell.teacher_digest not in taught:
            taught[cell.teacher_digest] = extract(data[cell.data_digest].table, cell.teacher_front_end)
        prepared = _prepare(cell, data[cell.data_digest], taught.get(cell.teacher_digest))
        kept = None if stored is None else stored_folder(stored, experiment.name, *cell.names)
        _write(prepared, folder, repeats, kept=kept, extend=extend)
        jobs += _missing_jobs(prepared, folder, repeats, progress=progress, networks=networks and Path(networks))
        runs += repeats * len(prepared.folds)
    # All variants advance together. After an interruption each of them has its first repeats.
    jobs.sort(key=lambda job: (job.repeat, job.fold.name))
    return Plan(jobs, runs - len(jobs), folders, store.folder)


@dataclass(frozen=True)
class Prepared:
    """A cell with its folds made and audited.

    Attributes:
        cell: the cell.
        data: its features and copies.
        folds: with copies in their training parts.
        originals: the same folds before copies joined.
        facts: plain values that decide the runs, with their digests and the audit.
        taught: features that the variant's teacher reads; None without a teacher.
    """

    cell: Cell
    data: TrainingData
    folds: list[Fold]
    originals: list[Fold]
    facts: dict
    taught: Features | None = None

    @property
    def emotions(self) -> tuple[str, ...]:
        """In the order of the scores."""
        return tuple(utterances.emotions_of(self.data.table))


def _prepare(cell, data, taught):
    """Make and audit the folds of a cell, and describe what decides its runs."""
    originals = cell.cut(data.table, data.features.audio_digests)
    check_rates(originals, data.features.sample_rates, cell.front_end)
    folds, audited = _audited(cell, data, originals)
    identity = {
        **cell.experiment.identity(*cell.names),
        "table_digest": utterances.digest(data.table),
        "protocol_digest": digest([(fold.name, fold.parts) for fold in folds]),
        "front_end_digest": data.features.front_end_digest,
    }
    if taught is not None:
        identity["teacher"]["front_end_digest"] = taught.front_end_digest
    audio_digests = sorted((u, data.features.audio_digests[u]) for u in data.table["utterance"])
    facts = {
        **identity,
        "digest": digest(identity),
        "audio_digest": digest(audio_digests),
        "audit": audited.to_dict(),
    }
    return Prepared(cell, data, folds, originals, facts, taught)


def _audited(cell, data, folds):
    """The folds with the copies in their training parts, and their audit."""
    copies, parents = data.copies, data.parents
    if copies is not None:
        folds = [fold.with_copies(parents) for fold in folds]
    audited = audit.audit(
        folds,
        data.rows,
        allows=cell.protocol.allows,
        audio_digests=data.features.audio_digests,
        declared=cell.experiment.declared_leaks(*cell.names),
    )
    if copies is not None and not cell.variant.augmentation.keep_original:
        # Copies join after this: the audit finds duplicate recordings by the originals.
        folds = [fold.with_copies_alone(parents) for fold in folds]
    return folds, audited


def _write(prepared, folder, repeats, *, kept, extend):
    """Write experiment.json and groups.csv. Refuse to replace other results. Take stored runs over."""
    cell, data = prepared.cell, prepared.data
    overview = {
        **prepared.facts,
        **describe(cell.experiment, *cell.names, data.table),
        "across": across(prepared.originals, data.table),
        "sample_rate": cell.front_end.sample_rate,
        "emotions": list(prepared.emotions),
        "repeats": repeats,
        "folds": [fold.name for fold in prepared.folds],
        "epochs": cell.recipe and cell.recipe.epochs,
        "skipped": [[Path(path).name, str(reason)] for path, reason in data.skipped],
    }
    if kept is not None and not extend:
        check_replaceable(kept, overview, repeats * len(prepared.folds))
    write_experiment(folder, overview, data.table)
    if extend:
        reuse.take_over(kept, folder)


def _missing_jobs(prepared, folder, repeats, *, progress, networks):
    """The missing jobs of a cell. Remains of broken runs are removed."""
    cell, data, facts = prepared.cell, prepared.data, prepared.facts
    index = {emotion: i for i, emotion in enumerate(prepared.emotions)}
    front_end = {**facts["front_end"], "config": _plain(cell.front_end.get_config())}
    if cell.front_end.pretrained is not None:
        front_end["pretrained"] = dict(cell.front_end.pretrained)
    common = {
        "facts": {**facts, "front_end": front_end},
        "trainer": cell.trainer,
        "options": dict(cell.variant.options),
        "recipe": cell.recipe,
        "features": data.features,
        "input_shape": cell.input_shape,
        "labels": {u: index[emotion] for u, emotion in zip(data.rows["utterance"], data.rows["emotion"])},
        "speakers": dict(zip(data.rows["utterance"], data.rows["speaker"])),
        "corpora": dict(zip(data.rows["utterance"], data.rows["corpus"])),
        "emotions": prepared.emotions,
        "scaling_rows": tuple(data.table["utterance"]) if cell.setting.scaling == "corpus" else None,
        "scaled_each": cell.variant.scaled_each,
        "speakers_known": cell.setting.scaling == "speaker",
        "enrolment_clips": cell.setting.enrolment_clips,
        "watch_test": cell.setting.watch_test,
        "parents": data.parents,
        "online_copies": data.online_copies,
        "teacher": cell.variant.teacher and cell.variant.teacher.model,
        "teacher_features": prepared.taught,
        "progress": progress,
    }
    jobs, seeds = [], cell.variant.network.seeds if cell.variant.network else 1
    for repeat in range(repeats):
        for i, fold in enumerate(prepared.folds):
            place = RunPlace(folder, repeat, fold.name)
            parts = [part_path(place.checkpoint, number) for number in range(seeds)]
            for path in (place.path, place.checkpoint, *parts):
                remove_leftovers(path)
            if finished(place.path, digest=facts["digest"], audio_digest=facts["audio_digest"]):
                continue
            seed = _seed(cell, repeat, i)
            # The workers of a cluster have other current folders.
            job = Job(folder=place.path.absolute(), fold=fold, repeat=repeat, seed=seed, **common)
            trainings = {number: _seed(cell, number, i) for number in range(repeat * seeds, (repeat + 1) * seeds)}
            jobs.append(_with_networks(job, cell, trainings, networks))
    return jobs


def _seed(cell, repeat, fold):
    """Seed of a run, of the numbers of its repeat and fold."""
    return int(np.random.SeedSequence([cell.experiment.seed, repeat, fold]).generate_state(1)[0] >> 1)


def _with_networks(job, cell, trainings, networks):
    """The job with the trainings of the networks that its model reads, if it reads any. They have the copies and the teacher.

    `trainings` maps the repeat of each to its seed.
    """
    network = cell.variant.network
    if network is None:
        if networks is not None:
            raise PlanError(f"{cell.variant_name} reads no network; leave --networks out, or name variants that do.")
        return job
    training = replace(
        job,
        trainer=cell.network_trainer,
        options=dict(network.options),
        recipe=network.recipe,
        speakers_known=False,
        enrolment_clips=None,
    )
    each = [replace(training, repeat=repeat, seed=seed) for repeat, seed in trainings.items()]
    if networks is not None:
        each = [replace(one, taken=_taken(one, networks.absolute())) for one in each]
    beside = job.teacher_features if network.with_teacher else None
    return replace(job, networks=tuple(each), teacher=None, teacher_features=beside, online_copies=None)


def _taken(job, networks):
    """The run directory of the network that a job would train, below a folder of runs.

    Raises:
        PlanError: there is none, or a network of other data, settings or another seed.
    """
    place = RunPlace(networks, job.repeat, job.fold.name).path
    try:
        check_intact(place)
        manifest = read_json(place / "manifest.json")
    except ResultsError as error:
        raise PlanError(
            f"--networks: {place} holds no finished run; give the folder of a variant's runs under a protocol, with "
            "as many repeats, times the seeds that are read together."
        ) from error
    facts = job.facts
    wanted = {
        "model": {key: facts["network"][key] for key in ("name", "options")},
        "recipe": facts["network"]["recipe"],
        "scaling": "training",
        "seed": job.seed,
        **{key: facts.get(key) for key in _SAME},
    }
    other = [key for key, value in wanted.items() if digest(manifest.get(key)) != digest(value)]
    if other:
        raise PlanError(
            f"--networks: {place} differs from what would be trained here, by its {' and '.join(other)}; give runs of "
            "the same folds and settings, or leave it out and train."
        )
    return place


_SAME = ("corpus", "front_end_digest", "table_digest", "protocol_digest", "audio_digest", "augmentation", "teacher")
"""Facts that a network has in common with the run that takes it."""


def _plain(config):
    """A front end's configuration without the layer's name, which Keras numbers."""
    return {name: value for name, value in config.items() if name != "name"}
