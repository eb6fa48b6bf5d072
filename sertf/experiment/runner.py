"""Repeats × folds of an experiment over worker processes, resumable.

Every (repeat, fold) is one independent run with its own seed and its own directory. Finished runs are skipped, broken
ones start again, so the same command goes on after an interruption with at most the runs in flight lost.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from sertf.corpora import utterances
from sertf.custom import front_ends as custom_front_ends
from sertf.custom.code import is_custom
from sertf.errors import unknown
from sertf.experiment.checks import RunnerError, check_emotions, check_folds, check_lengths, check_names, check_networks
from sertf.experiment.description import digest
from sertf.experiment.job import Fresh, Job, run_job
from sertf.experiment.training_data import extract_material
from sertf.extraction import checks
from sertf.extraction.warnings import say_skipped
from sertf.files import check_writable, remove_leftovers
from sertf.parallel import processes
from sertf.protocols import audit, splits
from sertf.protocols.zero_shot import across
from sertf.runs import folder as run_folder
from sertf.runs import reuse
from sertf.runs.layout import RunPlace, runs_folder, stored_folder
from sertf.runs.stored import check_replaceable
from sertf.training.fit import Diverged, RunError


def run(
    experiment,
    table,
    *,
    out,
    variants=None,
    protocol_names=None,
    repeats=10,
    workers=None,
    scheduler="processes",
    cache=None,
    results=None,
    extend=False,
    skip_bad=False,
    progress=True,
):
    """Train every repeat and fold of an experiment's variants under its protocols.

    Args:
        experiment: `sertf.experiment.Experiment`.
        table: utterance table.
        out: folder of the run directories, `<out>/<variant>/<protocol>/repeat-NN/<fold>`.
        variants: names to run; None runs all.
        protocol_names: names to run; None runs all.
        repeats: runs of every fold with different seeds.
        workers: worker processes, one thread each; None takes one a core.
        scheduler: "processes" on this machine, or a running "dask" or "ray" cluster.
        cache: folder of the feature cache; None takes the default.
        results: folder that reports are to be written to, in `<results>/<experiment>/<variant>/<protocol>`; what they
            must not replace there is refused before anything is trained. None writes none.
        extend: count the runs that `results` keeps as finished, and run only what it keeps.
        skip_bad: go on without clips that cannot be used, and record which.
        progress: show on standard error how far it is.

    Returns:
        dict of (variant, protocol) to the folder that `sertf.reports.report` reads.

    Raises:
        RunnerError, RunError, LeakageError, ProtocolError: bad arguments, foreign run directories, leaking folds.
        ResultsError: results that cannot be extended, or not be replaced.
        Diverged: a training diverged; the other runs are finished first.
    """
    from sertf.extraction.clip import usable_cores

    if scheduler not in processes.SCHEDULERS:
        raise RunnerError(unknown("scheduler", scheduler, processes.SCHEDULERS))
    planned = plan(
        experiment,
        table,
        out=out,
        variants=variants,
        protocol_names=protocol_names,
        repeats=repeats,
        workers=workers,
        cache=cache,
        results=results,
        extend=extend,
        skip_bad=skip_bad,
        progress=progress,
    )
    done = processes.run_all(
        run_job,
        planned.jobs,
        workers=workers or usable_cores(),
        scheduler=scheduler,
        progress=progress,
        cache=planned.cache,
        done=planned.finished,
    )
    diverged = [result for result in done if isinstance(result, Diverged)]
    if diverged:
        raise Diverged(f"{len(diverged)} of {len(done)} runs diverged, the others are finished. {diverged[0]}")
    return planned.folders


@dataclass(frozen=True)
class Plan:
    """Runs that are to do.

    Attributes:
        jobs: list of `sertf.experiment.job.Job`.
        finished: number of runs that are done, those of kept results among them.
        folders: dict of (variant, protocol) to the folder of its runs.
        cache: folder of the feature cache.
    """

    jobs: list
    finished: int
    folders: dict
    cache: Path


def plan(
    experiment,
    table,
    *,
    out,
    variants=None,
    protocol_names=None,
    repeats=10,
    workers=None,
    cache=None,
    results=None,
    extend=False,
    skip_bad=False,
    progress=True,
):
    """Extract the features, cut and audit the folds, and list the runs that are not done yet; arguments as for `run`.

    Returns:
        Plan.

    Raises:
        RunnerError, RunError, LeakageError, ProtocolError, ResultsError: as `run`.
    """
    from sertf import features
    from sertf.audio.files import MIN_SECONDS
    from sertf.extraction.cache import FeatureCache
    from sertf.extraction.clip import Compiled

    for name, number in (("repeats", repeats), ("workers", workers)):
        if number is not None and number < 1:
            raise RunnerError(f"{name} must be 1 or more, but is {number}.")
    variants, protocol_names = list(variants or experiment.variants), list(protocol_names or experiment.protocols)
    check_names(experiment, variants, protocol_names)
    out = Path(out)
    check_writable(out, "--out folder", RunError)
    pairs = [(variant, protocol) for variant in variants for protocol in protocol_names]
    if extend and results is None:
        raise RunnerError("extend needs results, the folder whose runs count; give it.")
    if extend:
        # Whoever extends would train what was never run unawares.
        pairs = reuse.stored_pairs(Path(results) / experiment.name, pairs, wanted="extend")
    table = utterances.merged(utterances.validate(table), experiment.merged)
    check_emotions(table)
    check_lengths(experiment, pairs)
    check_folds(experiment, table, pairs)
    store = FeatureCache() if cache is None else FeatureCache(cache)
    check_networks(experiment, table, pairs, store.folder)
    extract = partial(store.extract, workers=workers, skip_bad=skip_bad, progress=progress)
    materials, keys, folders, jobs, runs = {}, {}, {}, [], 0
    for variant, _ in pairs:
        options, augmentation = experiment.front_end_options_of(variant), experiment.variant(variant).augmentation
        key = keys[variant] = digest([options, augmentation and augmentation.to_dict()])
        if key not in materials:
            front_end = features.find(experiment.front_end)(**options)
            if is_custom(experiment.front_end):
                custom_front_ends.check_features(
                    experiment.front_end, front_end, Compiled, shortest_seconds=MIN_SECONDS
                )
            materials[key] = extract_material(
                table, front_end, augmentation, extract, seed=experiment.seed, skip_bad=skip_bad
            )
    # Before folds are cut, which what is left may be too little for.
    say_skipped(dict.fromkeys(clip for material in materials.values() for clip in material.skipped))
    for variant, protocol in pairs:
        folder = folders[variant, protocol] = runs_folder(out, variant, protocol)
        kept = None if results is None else stored_folder(Path(results), experiment.name, variant, protocol)
        material = materials[keys[variant]]
        missing, planned = _prepare(experiment, variant, protocol, material, folder, repeats, kept, extend)
        jobs, runs = jobs + missing, runs + planned
    # All variants advance together: a run that is broken off leaves every one of them with its first repeats.
    jobs.sort(key=lambda job: (job.repeat, job.fold.name))
    return Plan(jobs, runs - len(jobs), folders, store.folder)


def _prepare(experiment, variant, protocol, material, folder, repeats, kept, extend):
    """Cut and audit the folds, write experiment.json and groups.csv; return the jobs to do and the number of all runs."""
    table, front_end, features = material.table, material.front_end, material.features
    augmentation = experiment.variant(variant).augmentation
    setting, recipe = experiment.setting(protocol), experiment.recipe(variant, protocol)
    cut = splits.protocol(setting.folds)
    folds = originals = cut(table, seed=experiment.seed, audio_digests=features.audio_digests)
    checks.check_rates(folds, features.sample_rates, front_end)
    rows = table
    if material.copies is not None:
        rows = pd.concat([table, material.copies], ignore_index=True)
        parents = dict(zip(material.copies["utterance"], material.copies["parent"]))
        folds = [fold.with_copies(parents) for fold in folds]
    declared = experiment.declared_leaks(variant, protocol)
    checked = audit.audit(folds, rows, allows=cut.allows, audio_digests=features.audio_digests, declared=declared)
    if material.copies is not None and not augmentation.keep_original:
        # Only now: the audit knows duplicate recordings by the originals.
        folds = [fold.with_copies_alone(parents) for fold in folds]
    emotions = tuple(utterances.emotions_of(table))
    identity = {
        **experiment.identity(variant, protocol),
        "table_digest": utterances.digest(table),
        "protocol_digest": digest([(fold.name, fold.parts) for fold in folds]),
        "front_end_digest": features.front_end_digest,
    }
    facts = {
        **identity,
        "digest": digest(identity),
        "audio_digest": digest(sorted((u, features.audio_digests[u]) for u in table["utterance"])),
        "audit": checked.to_dict(),
    }
    overview = {
        **facts,
        **run_folder.describe(experiment, variant, protocol, table),
        "across": across(originals, table),
        "sample_rate": front_end.sample_rate,
        "emotions": list(emotions),
        "repeats": repeats,
        "folds": [fold.name for fold in folds],
        "epochs": recipe and recipe.epochs,
        "skipped": [[Path(path).name, str(reason)] for path, reason in material.skipped],
    }
    if kept is not None and not extend:
        check_replaceable(kept, overview, repeats * len(folds))
    run_folder.write_experiment(folder, overview, table)
    if extend:
        reuse.take_over(kept, folder)
    index = {emotion: i for i, emotion in enumerate(emotions)}
    labels = {u: index[emotion] for u, emotion in zip(rows["utterance"], rows["emotion"])}
    speakers = dict(zip(table["utterance"], table["speaker"]))
    fresh = _fresh_copies(augmentation, material)
    jobs = []
    for repeat in range(repeats):
        for i, fold in enumerate(folds):
            place = RunPlace(folder, repeat, fold.name).path
            remove_leftovers(place)
            if run_folder.finished(place, digest=facts["digest"], audio_digest=facts["audio_digest"]):
                continue
            jobs.append(
                Job(
                    folder=place.absolute(),  # a cluster's workers stand in folders of their own
                    facts={**facts, "front_end": {**facts["front_end"], "config": _plain(front_end.get_config())}},
                    fold=fold,
                    repeat=repeat,
                    seed=int(np.random.SeedSequence([experiment.seed, repeat, i]).generate_state(1)[0] >> 1),
                    features=features,
                    input_shape=tuple(front_end.feature_shape),
                    labels=labels,
                    speakers=speakers,
                    emotions=emotions,
                    scaling_rows=tuple(table["utterance"]) if setting.scaling == "corpus" else None,
                    recipe=recipe,
                    scaled_each=experiment.variant(variant).scaled_each,
                    fresh=fresh,
                )
            )
    return jobs, repeats * len(folds)


def _fresh_copies(augmentation, material):
    """What a worker needs to draw copies anew every epoch, None where there are none or fixed ones."""
    if augmentation is None or not augmentation.fresh:
        return None
    columns = (material.copies[name] for name in ("utterance", "parent", "path", "copy"))
    copies = {u: (parent, str(path), copy) for u, parent, path, copy in zip(*columns)}
    return Fresh(augmentation, copies)


def _plain(config):
    """A front end's configuration without the layer's name, which Keras numbers."""
    return {name: value for name, value in config.items() if name != "name"}
