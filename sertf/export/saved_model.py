"""Export a trained run as one SavedModel: waveform in, emotions out, with its model card."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import sertf
from sertf.audio.files import MIN_SECONDS, SAMPLE_RATES, read_audio
from sertf.audio.segments import is_there
from sertf.errors import exit_code
from sertf.evaluation.calibration import calibration_of, fit_temperature, probabilities, truth_and_scores
from sertf.evaluation.certainty import certain_part, certainty_threshold, check_precision
from sertf.evaluation.scores import scores_of
from sertf.evaluation.statistics import mean_std
from sertf.export import onnx as onnx_file
from sertf.export.checkpoint import (
    ExportError,
    Run,
    check_code_is_there,
    choose_run,
    choose_run_of_speakers,
    held_out_of,
    known_speakers_of,
    restore_run,
)
from sertf.export.litert import check_weights, write_litert
from sertf.files import CHECKSUMS, check_writable, digest, replaced_folder, write_checksums
from sertf.inference.card import CARD, MAKER, Calibration, Card, Certainty, KnownSpeakers
from sertf.inference.card_page import PAGE, write_card
from sertf.inference.litert import FILE, SHARED
from sertf.inference.recognizer import Recognizer, load
from sertf.inference.recordings import Recordings, recordings_of
from sertf.runs.collect import collect
from sertf.runs.facts import Facts
from sertf.runs.folder import CLIPS
from sertf.runs.layout import is_finished, planned_runs
from sertf.runs.stored import read_facts, read_json, read_predictions
from sertf.texts import restored_table
from sertf.training.recipe import Recipe

__all__ = ["ExportError", "Recognizer", "load", "save"]

LEVEL_DEVIATIONS = 0.5
"""A feature that 20 dB move by more deviations hears the level."""
CERTAIN = 0.9
"""Share of certain answers that are to be right."""

FINGERPRINT = "fingerprint.pb"
"""File of a SavedModel with checksums of its parts and an identifier."""
_OURS = {"saved_model.pb", FINGERPRINT, "variables", "assets", CARD, PAGE, FILE, SHARED, onnx_file.FILE, CHECKSUMS}


def save(
    runs: Path | str,
    out: Path | str,
    *,
    repeat: int | None = None,
    fold: str | None = None,
    of_speakers: Path | str | None = None,
    litert: str | None = None,
    onnx: bool = False,
    certain: float = CERTAIN,
    custom_code: bool = False,
) -> Path:
    """Export one run as a SavedModel that needs TensorFlow alone.

    From a folder of runs, it exports the one with the best validation UAR. Ties go to the lower validation loss, then to
    the earlier run. Without a validation part it exports the first run. Test scores have no part in the choice. The
    folds' validation speakers differ, so the choice favours folds with easy validation speakers. The model card describes
    the signatures; see also `sertf.export.graph`.

    Args:
        runs: `<runs>/<variant>/<protocol>`, or one run directory in it.
        out: folder to write. It may replace an exported model there, and nothing else.
        repeat: export a run of this repeat.
        fold: export a run of this fold.
        of_speakers: folder of runs of known speakers, or one run. Its network scores speech of a speaker who is
            enrolled; the other one scores all other speech. Both test the same clips on the same front end.
        litert: write a LiteRT model beside the SavedModel with weights in this form, of
            `sertf.export.litert.WEIGHTS`. None writes none.
        onnx: write an ONNX model beside the SavedModel, see `sertf.export.onnx`.
        certain: share of certain answers that are to be right. The validation clips choose the confidence under which
            the verdict is `uncertain`, as they fit the temperature. Of several corpora models that never met the clip's
            corpus have the same say. Without a validation part the other folds' test clips do both, each scored by a
            model of that fold. Without a threshold that reaches the share there is none.
        custom_code: import the modules of a custom model and front end that the run names. Importing runs their code. Modules
            that are imported already need no leave.

    Returns:
        Path of the written folder.

    Raises:
        ResultsError, ExportError: no such run, a broken or outdated one, or `out` cannot be written.
        LiteRTError: unknown weights, or the network does not convert.
        OnnxError: the extra `onnx` is missing, or the network does not convert.
        SertfError: a precision out of range.
    """
    import keras

    check_precision(certain)
    if litert is not None:
        check_weights(litert)
    if onnx:
        onnx_file.check_installed()
    folder, run, chosen = choose_run(Path(runs), repeat, fold)
    beside = None if of_speakers is None else choose_run_of_speakers(Path(of_speakers), run)
    if not custom_code:
        for one in filter(None, (run, beside)):
            check_code_is_there(one)
    out = Path(out)
    _check_place(out)
    if keras.backend.backend() != "tensorflow":
        _save_elsewhere(run, beside, out, chosen, litert, onnx, certain)
    else:
        _save_here(folder, run, beside, out, chosen, litert, onnx, certain)
    return out


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportError(f"{out} is a file; give a folder for the model.")
    entries = {entry.name for entry in out.iterdir()}
    foreign = sorted(entries - _OURS)
    if entries and (foreign or CARD not in entries or read_json(out / CARD).get("made_by") != MAKER):
        what = f"it holds {', '.join(foreign[:3])}" if foreign else f"it has no {CARD} of sertf"
        raise ExportError(f"{out} is not an exported model ({what}) and stays as it is; give another folder.")


def _save_elsewhere(
    run: Run, beside: Run | None, out: Path, chosen: str, litert: str | None, onnx: bool, certain: float
) -> None:
    """Export in another process: a SavedModel needs Keras on TensorFlow, and a process has one backend."""
    code = "import sys; from sertf.export.saved_model import _export_process; sys.exit(_export_process(*sys.argv[1:]))"
    paths = [str(Path(sertf.__file__).parent.parent), *sys.path]  # with modules beside the user's script
    environment = {
        "KERAS_BACKEND": "tensorflow",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "CUDA_VISIBLE_DEVICES": "",  # its memory is the caller's, and tracing needs no GPU
    }
    command = [sys.executable, "-c", code, str(run.place.absolute()), str(out.absolute()), chosen, str(certain)]
    command += [litert or "", "onnx" if onnx else "", str(beside.place.absolute()) if beside else ""]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.rpartition("error: ")[2] if done.returncode == 2 else done.stderr
        raise ExportError(said.strip() or f"the export of {run.place} ended with exit code {done.returncode}.")


def _export_process(place, out, chosen, certain, litert, onnx, beside):
    with exit_code() as code:
        folder, run, _ = choose_run(Path(place), None, None)
        of_speakers = choose_run_of_speakers(Path(beside), run) if beside else None
        _save_here(folder, run, of_speakers, Path(out), chosen, litert or None, bool(onnx), float(certain))
    return code.value


def _save_here(
    folder: Path, run: Run, beside: Run | None, out: Path, chosen: str, litert: str | None, onnx: bool, certain: float
) -> None:
    import tensorflow as tf

    from sertf.export.graph import ServingModule
    from sertf.layers import LeverageTemperature

    facts = read_facts(folder)
    front_end, network, scaling = restore_run(run)
    known_speakers = known_speakers_of(run)
    calibration = _calibration(run)
    temperature = calibration and calibration["temperature"]
    of_speaker, enrolled = None, run.manifest.get("scaled_each", "dimension") if known_speakers else None
    if beside is not None:
        calibrated = _calibration(beside)
        of_speaker = restore_run(beside)[1], calibrated and calibrated["temperature"]
        enrolled = beside.manifest.get("scaled_each", "dimension")
        known_speakers = _known_beside(beside, calibrated, certain)
    check_writable(out.parent, "folder", ExportError)
    try:
        with replaced_folder(out) as model:
            labels = model / "labels.txt"  # TensorFlow copies it to the assets
            labels.write_text("".join(f"{emotion}\n" for emotion in facts["emotions"]), encoding="utf-8")
            module = ServingModule(
                network,
                front_end,
                **scaling,
                emotions=facts["emotions"],
                labels=labels,
                minimum_seconds=MIN_SECONDS,
                temperature=temperature,
                enrolled=enrolled,
                of_speaker=of_speaker,
                self_training=bool(known_speakers and known_speakers.get("self_training")),
            )
            tf.saved_model.save(module, str(model), signatures=module.signatures())
            labels.unlink()
            _name_by_content(model)
            card = _card(folder, facts, run, chosen, out.name, module, front_end)
            directions = [layer.directions for layer in network.layers if isinstance(layer, LeverageTemperature)]
            if directions:
                card["model"]["directions"] = directions[0]
            if facts.get("smoke"):
                card["smoke"] = True
            if calibration:
                card["calibration"] = calibration
                certainty = _certainty(run, calibration["temperature"], certain)
                if certainty:
                    card["certainty"] = certainty
            if known_speakers:
                card["known_speakers"] = known_speakers
            recordings = _recordings(folder, run, front_end, scaling["std"])
            if recordings:
                card["recordings"] = recordings
            if litert is not None:
                card["litert"] = write_litert(
                    model, network, front_end, **scaling, temperature=temperature, weights=litert
                )
            if onnx:
                card["onnx"] = onnx_file.write_onnx(
                    model, model / onnx_file.FILE, network, front_end, **scaling, temperature=temperature
                )
            write_card(model, card)
            written = (path for path in model.rglob("*") if path.is_file() and path.name not in (CARD, PAGE))
            write_checksums(model, [path.relative_to(model).as_posix() for path in written])
    except (OSError, tf.errors.OpError) as error:  # TensorFlow writes the variables and raises its own errors
        reason = error.strerror if isinstance(error, OSError) else error.message
        raise ExportError(f"Cannot write {out}: {reason}; choose another folder.") from error


def _name_by_content(model: Path) -> None:
    """Replace the random identifier in a SavedModel's fingerprint.pb by the digest of graph and variables.

    So two exports of one run are equal byte for byte.
    """
    from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

    place = model / FINGERPRINT
    fingerprint = FingerprintDef.FromString(place.read_bytes())
    contents = [model / "saved_model.pb", *sorted((model / "variables").iterdir())]
    fingerprint.uuid = str(int(digest(*(path.read_bytes() for path in contents), size=16), 16))
    place.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _calibration(run: Run) -> Calibration | None:
    """The temperature that suits clips held out for it, and what it does to the test part; None without such clips."""
    held_out = held_out_of(run)
    if held_out is None:
        return None
    tested = read_predictions(run.place / "predictions.csv")
    temperature = fit_temperature(*truth_and_scores(held_out.pooled))
    before, after = calibration_of(tested), calibration_of(tested, temperature)
    found: Calibration = {
        "temperature": temperature,
        "utterances": len(held_out.predictions),
        "speakers": int(held_out.predictions["speaker"].nunique()),
        "by_others": held_out.by_others,
        "ece_before": before["ece"],
        "ece": after["ece"],
    }
    if held_out.left_out is not None:
        found["ece_left_out"] = calibration_of(held_out.left_out, temperature)["ece"]
    return found


def _known_beside(run: Run, calibration: Calibration | None, precision: float) -> KnownSpeakers:
    """The card's facts of a network of known speakers beside another one: its test scores and its certainty too."""
    found = known_speakers_of(run)
    assert found is not None, "choose_run_of_speakers takes no other run"
    tested = scores_of(read_predictions(run.place / "predictions.csv"))
    found["held_out"] = {key: tested[key] for key in ("uar", "wa")}
    if calibration:
        found["ece"] = calibration["ece"]
        # All speakers together trained those validation answers, which one speaker's clips cannot match. So the other
        # network's threshold stays.
        if not found.get("self_training"):
            certainty = _certainty(run, calibration["temperature"], precision)
            found["threshold"] = certainty["threshold"] if certainty else 0.0
    return found


def _clips(folder: Path, run: Run) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The clips of a run's training and validation parts, and those of its test part; None of runs that do not say."""
    if not (folder / CLIPS).is_file():
        return None
    clips = restored_table(pd.read_csv(folder / CLIPS, dtype=str, keep_default_na=False))
    tested = clips["utterance"].isin(read_predictions(run.place / "predictions.csv")["utterance"])
    return clips[~tested], clips[tested]


def _recordings(folder: Path, run: Run, front_end: Any, std: np.ndarray) -> Recordings | None:
    """Band and levels of a run's training clips; None where they are not there any more."""
    clips = _clips(folder, run)
    if clips is None:
        return None
    paths = [path for path in clips[0]["path"] if is_there(path)]
    if not paths:
        return None
    highest = min(front_end.sample_rate / 2, getattr(front_end, "fmax", None) or np.inf)
    return recordings_of(paths, highest_hz=highest, level_counts=_level_counts(front_end, std, paths[0]))


def _level_counts(front_end: Any, std: np.ndarray, path: str) -> bool:
    """Whether a front end gives other features of a clip that is 20 dB quieter."""
    samples, _ = read_audio(path, sample_rate=front_end.sample_rate)
    padded = np.pad(samples, (0, max(0, front_end.minimum_samples - len(samples))))
    loud, quiet = (np.asarray(front_end((gain * padded)[None])) for gain in (1.0, 0.1))
    return bool(np.abs((loud - quiet) / std).max() > LEVEL_DEVIATIONS)


def _certainty(run: Run, temperature: float, precision: float) -> Certainty | None:
    """The threshold of certain answers, chosen on clips held out for it; None if none reaches the precision."""
    held_out = held_out_of(run)
    assert held_out is not None, "its temperature was fitted on them"

    def answers(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        truth, scores = truth_and_scores(predictions)
        return truth, probabilities(scores, temperature)

    threshold = certainty_threshold(*answers(held_out.pooled), precision)
    if threshold is None:
        return None
    found: Certainty = {
        "threshold": threshold,
        "precision": precision,
        "validation": certain_part(*answers(held_out.predictions), threshold),
        "test": certain_part(*answers(read_predictions(run.place / "predictions.csv")), threshold),
    }
    if held_out.left_out is not None:
        found["left_out"] = certain_part(*answers(held_out.left_out), threshold)
    return found


def _card(folder: Path, facts: Facts, run: Run, chosen: str, name: str, module: Any, front_end: Any) -> Card:
    from sertf.corpora import CORPORA

    predictions = read_predictions(run.place / "predictions.csv")
    tested = scores_of(predictions)
    across = facts.get("across")
    trained: dict[str, Any] = dict(across["trained"]) if across else {facts["corpus"]: facts}
    # Joined by "+"; without the suffix of a single language.
    names = dict.fromkeys(name.partition("_")[0] for corpus in trained for name in corpus.split("+"))
    corpora = [CORPORA[name] for name in names if name in CORPORA]
    clips = _clips(folder, run)
    manifest = run.manifest
    outputs = module.waveform.get_concrete_function().structured_outputs
    sizes = {key: output.shape[-1] or "frames" for key, output in outputs.items()}
    return {
        "made_by": MAKER,
        "format": 1,
        "name": name,
        "experiment": facts["experiment"],
        "variant": facts["variant"],
        "protocol": facts["protocol"],
        "paper": facts["paper"],
        "model": manifest["model"] | {"parameters": manifest["parameters"]},
        "front_end": {
            "name": manifest["front_end"]["name"],
            "config": manifest["front_end"]["config"],
            "shape": list(front_end.feature_shape),
            "span_seconds": front_end.span and [sample / front_end.sample_rate for sample in front_end.span],
            "pretrained": front_end.pretrained and dict(front_end.pretrained),
            "middle_seconds": front_end.duration_seconds if getattr(front_end, "reads_middle", False) else None,
        },
        "emotions": facts["emotions"],
        "sample_rate": front_end.sample_rate,
        "sample_rates": list(SAMPLE_RATES),
        "minimum_seconds": max(MIN_SECONDS, front_end.minimum_samples / front_end.sample_rate),
        "outputs": {key: f"(batch, {sizes[key]})" for key in ("scores", "embedding", "attention") if key in sizes},
        "corpus": {
            "name": "+".join(trained),
            **({"names": sorted(set(clips[0]["corpus"]))} if clips else {}),
            "title": "; ".join(corpus.title for corpus in corpora) or "the user's own data",
            "citation": "; ".join(corpus.citation for corpus in corpora),
            "url": " ".join(corpus.url for corpus in corpora),
            "licence": facts["licence"],
            "languages": sorted({language for counted in trained.values() for language in counted["languages"]}),
            "utterances": sum(counted["utterances"] for counted in trained.values()),
            "speakers": sum(counted["speakers"] for counted in trained.values()),
            "merged": facts.get("merged", {}),
        },
        "run": {key: manifest[key] for key in ("repeat", "fold", "seed", "digest", "best_epoch", "backend", "device")}
        | {"precision": (manifest["recipe"] or {}).get("precision", Recipe.precision)}
        | {"validation_uar": run.validation_uar, "validation_loss": run.validation_loss, "chosen": chosen},
        "held_out": {key: tested[key] for key in ("uar", "wa", "recall")}
        | {"utterances": len(predictions), "speakers": int(predictions["speaker"].nunique())}
        | ({"names": sorted(set(clips[1]["speaker"]) - set(clips[0]["speaker"]))} if clips else {}),
        "over_repeats": _over_repeats(folder, facts),
        "audit": facts["audit"],
        "versions": {"training": manifest["versions"], "export": _versions()},
    }


def _over_repeats(folder: Path, facts: Facts) -> dict[str, Any] | None:
    """Mean and spread of the pooled scores over repeats, None while runs are missing."""
    if not all(is_finished(run.path) for run in planned_runs(folder, facts["repeats"], facts["folds"])):
        return None
    tables = [scores_of(table) for _, table in collect(folder).predictions.groupby("repeat")]
    result: dict[str, Any] = {"repeats": len(tables)}
    for key in ("uar", "wa"):
        values = [table[key] for table in tables]
        mean, std = mean_std(values) if len(values) > 1 else (values[0], None)
        result[key] = {"mean": mean, "std": std, "best": max(values)}
    return result


def _versions():
    import keras
    import tensorflow as tf

    try:
        version = metadata.version("sertf")
    except metadata.PackageNotFoundError:
        version = sertf.__version__
    return {
        "python": platform.python_version(),
        "sertf": version,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
