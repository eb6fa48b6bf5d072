"""A trained model in its run directory: the choice of a run, and its front end, network and scaling."""

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from sertf import files
from sertf.custom.code import is_custom
from sertf.errors import SertfError
from sertf.inference.card import KnownSpeakers
from sertf.runs.facts import Facts, Manifest
from sertf.runs.folder import LEFT_OUT, TAKEN_OVER, VALIDATION
from sertf.runs.layout import folder_of, is_finished, planned_runs
from sertf.runs.stored import check_intact, read_facts, read_json, read_predictions
from sertf.training import trainers
from sertf.training.fit import CLIP_FEATURES, WEIGHTS
from sertf.training.network import in_float32, load_network

_RETRAIN = "train more --repeats and export one of these, or delete it and run the same without --extend"


class ExportError(SertfError):
    """A run that cannot be exported, or a folder that cannot be written to."""


@dataclass(frozen=True)
class Run:
    """One finished run: its folder, its manifest, and the validation scores of the epoch that gave its weights.

    The scores are None if the protocol has no validation part.
    """

    place: Path
    manifest: Manifest
    validation_uar: float | None
    validation_loss: float | None


def choose_run(runs: Path, repeat: int | None, fold: str | None) -> tuple[Path, Run, str]:
    """The folder of runs, the run to export, and a sentence on the choice."""
    if is_finished(runs):
        if (runs / TAKEN_OVER).is_file():
            raise ExportError(f"{runs} was taken over from stored results, without its model; {_RETRAIN}.")
        if repeat is not None or fold is not None:
            raise ExportError(f"{runs} is one run already; leave out repeat and fold, or give the folder of all runs.")
        folder = folder_of(runs)
        return folder, _read_run(runs, read_facts(folder)), "The user chose the run."
    facts = read_facts(runs)
    planned = planned_runs(runs, facts["repeats"], facts["folds"])
    places = [run.path for run in planned if repeat in (None, run.repeat) and fold in (None, run.fold)]
    finished = [place for place in places if is_finished(place)]
    found = [_read_run(place, facts) for place in finished if not (place / TAKEN_OVER).is_file()]
    if finished and not found:
        raise ExportError(
            f"{len(finished)} runs in {runs} were taken over from stored results, without their models; {_RETRAIN}."
        )
    if not found:
        wanted = f"of repeat {'any' if repeat is None else repeat}, fold {'any' if fold is None else fold}"
        raise ExportError(
            f"{runs} holds no finished run {wanted}; its repeats are 0 to {facts['repeats'] - 1}, its folds "
            f"{', '.join(facts['folds'])}."
        )
    chosen = "The user chose the run."
    if found[0].validation_uar is None:
        if len(places) > 1:
            chosen = f"It is the first of {len(found)} runs; its protocol has no validation part to choose by."
        return runs, found[0], chosen
    best = min(found, key=lambda run: (-(run.validation_uar or 0.0), run.validation_loss))
    if len(places) > 1:
        chosen = (
            f"Of {len(found)} runs it has the best validation UAR, {best.validation_uar:.4f}. Test scores had no part "
            "in the choice. Validation speakers differ from fold to fold."
        )
    return runs, best, chosen


def _read_run(place: Path, facts: Facts) -> Run:
    check_intact(place)
    manifest = cast(Manifest, read_json(place / "manifest.json"))
    if manifest.get("digest") != facts["digest"]:
        raise ExportError(
            f"{place} is a run of another experiment (digest {manifest.get('digest')}, not {facts['digest']}); "
            "delete it and run the experiment again."
        )
    try:
        history = pd.read_csv(place / "history.csv").set_index("epoch").loc[manifest["best_epoch"]]
        uar, loss = (None if np.isnan(history[key]) else float(history[key]) for key in ("val_uar", "val_loss"))
        return Run(place, manifest, uar, loss)
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(f"{place} is broken: history.csv lacks a column or row ({error}); run it again.") from error


class HeldOut(NamedTuple):
    """Predictions of clips that a run neither trained on nor was tested on, to calibrate it.

    Attributes:
        predictions: of its validation part. Without one they are the test predictions of the other folds of its repeat,
            each by a model of the same recipe that never saw the clip (cross-fitting).
        by_others: whether the other folds made them.
        left_out: of its training clips, by models that never met their corpus; None where no corpus was left out.
    """

    predictions: pd.DataFrame
    by_others: bool = False
    left_out: pd.DataFrame | None = None

    @property
    def pooled(self) -> pd.DataFrame:
        """All of them: where a corpus was left out, a clip counts once for a new speaker and once for a new corpus."""
        return pd.concat([self.predictions, self.left_out], ignore_index=True)


def held_out_of(run: Run) -> HeldOut | None:
    """The predictions that calibrate a run; None without any."""
    if (run.place / VALIDATION).is_file():
        left_out = run.place / LEFT_OUT
        return HeldOut(
            read_predictions(run.place / VALIDATION),
            left_out=read_predictions(left_out) if left_out.is_file() else None,
        )
    folder = folder_of(run.place)
    facts = read_facts(folder)
    same = (
        one for one in planned_runs(folder, facts["repeats"], facts["folds"]) if one.repeat == run.manifest["repeat"]
    )
    others = [one.path for one in same if one.fold != run.manifest["fold"] and is_finished(one.path)]
    if not others:
        return None
    found = pd.concat([read_predictions(place / "predictions.csv") for place in others], ignore_index=True)
    tested = read_predictions(run.place / "predictions.csv")["utterance"]
    found = found[~found["utterance"].isin(tested)].drop_duplicates("utterance")
    return HeldOut(found, by_others=True) if len(found) else None


def check_code_is_there(run: Run) -> None:
    """Raise ExportError if restoring a run would import a custom module that this process has not imported yet."""
    named = [run.manifest[key]["name"] for key in ("model", "front_end")]
    modules = [name.partition(":")[0] for name in named if is_custom(name)]
    missing = [module for module in modules if module not in sys.modules]
    if missing:
        raise ExportError(
            f"{run.place} names the module {missing[0]}, whose code would run here; if you trust it, give --custom-code, or "
            "custom_code=True in Python."
        )


def restore_run(run: Run) -> tuple[Any, Any, dict[str, np.ndarray]]:
    """Front end, network and scaling of a run, of an unknown speaker where each has one.

    Where a linear model reads a trained network, that one belongs to the front end.

    The network computes in float32, whatever its training precision.
    """
    from sertf import features
    from sertf.extraction.clip import front_end_digest
    from sertf.features.network_features import NetworkFeatures

    def restored(described, arguments, digest):
        try:
            front_end = features.find(described["name"])(**arguments)
        except (SertfError, TypeError) as error:  # the constructor's arguments have changed since
            raise ExportError(f"The features of {run.place} cannot be computed any more: {error}") from error
        if front_end.sample_rate is None:
            raise ExportError(
                f"{run.place} was trained on every file at its own rate, so no rate for other audio is known; "
                f"train it with a sample_rate of {described['name']}."
            )
        if front_end_digest(front_end) != digest:
            raise ExportError(
                f"{run.place} was trained on features of another version of {described['name']}; run the experiment again."
            )
        return front_end

    described = run.manifest["front_end"]
    front_end = restored(described, described["config"], run.manifest["front_end_digest"])
    try:
        if "network" in run.manifest:
            beside = None
            if run.manifest["network"].get("with_teacher"):
                teacher = run.manifest["teacher"]
                beside = restored(teacher["front_end"], teacher["front_end"]["options"], teacher["front_end_digest"])
            front_end = NetworkFeatures(front_end, load_network(run.place, CLIP_FEATURES), beside=beside)
        model = trainers.find(run.manifest["model"]["name"]).load(run.place)
        with np.load(run.place / "scaling.npz") as arrays:
            scaling = {"mean": arrays["mean"], "std": arrays["std"]}
    except SertfError as error:
        raise ExportError(str(error)) from error
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"{run.place} is broken: its model cannot be loaded ({reason}); run it again.") from error
    return front_end, in_float32(model), scaling


def choose_run_of_speakers(runs: Path, beside: Run) -> Run:
    """The run of known speakers that an export holds beside another run: that of the same repeat and fold.

    Raises:
        ExportError: a run of unknown speakers, or one of another front end, other emotions or other tested clips; or
            `beside` knows speakers itself.
    """
    if beside.manifest.get("scaling") == "speaker":
        raise ExportError(
            f"{beside.place} knows speakers itself; leave out --known-speakers, or give a strict run first."
        )
    same = (None, None) if is_finished(runs) else (beside.manifest["repeat"], beside.manifest["fold"])
    _, run, _ = choose_run(runs, *same)
    tested, ours = (set(read_predictions(one.place / "predictions.csv")["utterance"]) for one in (run, beside))
    faults = {
        "knows no speakers": run.manifest.get("scaling") != "speaker",
        "has another front end": run.manifest["front_end_digest"] != beside.manifest["front_end_digest"],
        "reads another network": _read_network(run) != _read_network(beside),
        "has other emotions": run.manifest["emotions"] != beside.manifest["emotions"],
        "was tested on other clips": tested != ours,
    }
    for fault, found in faults.items():
        if found:
            raise ExportError(
                f"{run.place} {fault}, so it cannot stand beside {beside.place}; give a run of the same folds that "
                "`--known-speakers` or a protocol speaker-known trained."
            )
    return run


def _read_network(run):
    """Digest of the weights of the network that a run's linear model reads; None where it reads the features."""
    if "network" not in run.manifest:
        return None
    weights = load_network(run.place, CLIP_FEATURES).get_weights()
    return files.digest(b"".join(one.tobytes() for one in weights), size=16)


def known_speakers_of(run: Run) -> KnownSpeakers | None:
    """The card's facts of a run that was scaled by speaker; None for others."""
    if run.manifest.get("scaling") != "speaker":
        return None
    own = (CLIP_FEATURES,) if "network" in run.manifest else ()
    sums = [files.checksum(run.place / name) for name in (WEIGHTS[0], "scaling.npz", *own)]
    with np.load(run.place / "scaling.npz") as arrays:
        trained = int(arrays["trained"])
    found: KnownSpeakers = {
        "model": files.digest("".join([*sums, run.manifest["front_end_digest"]]).encode(), size=16),
        "clips": run.manifest.get("enrolment_clips"),
        "trained": trained,
    }
    if run.manifest.get("self_training"):
        found["self_training"] = True
    return found
