"""Export a trained run as one SavedModel: waveform in, emotions out, with its model card."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

import sertf
from sertf import audio, model_card, scores, statistics
from sertf.errors import SertfError, exit_code
from sertf.recognizer import CARD, MAKER, Recognizer, load
from sertf.results import collect, read_facts, read_json, read_predictions

__all__ = ["ExportError", "Recognizer", "load", "save"]

_PAGE = "model_card.md"
_OURS = {"saved_model.pb", "fingerprint.pb", "variables", "assets", CARD, _PAGE}


class ExportError(SertfError):
    """A run that cannot be exported, or a place that cannot be written to."""


@dataclass(frozen=True)
class Run:
    """One finished run: its folder, manifest, and the validation scores of the epoch whose weights it kept.

    The scores are None where the protocol has no validation part.
    """

    place: Path
    manifest: dict
    validation_uar: float | None
    validation_loss: float | None


def save(runs, out, *, repeat=None, fold=None):
    """Export one run as a SavedModel that needs TensorFlow alone.

    Of a folder of runs, the one of the best validation UAR is taken (equal ones: lower validation loss, then the
    earlier run), and the first one where the protocol has no validation part; test scores have no part in it. The folds'
    validation speakers differ, so this favours folds whose validation speakers are easy. The signatures are described in
    the model card; see also `sertf.serving`.

    Args:
        runs: `<runs>/<variant>/<protocol>`, or one run directory in it.
        out: folder to write; an exported model that stands there is replaced, anything else never.
        repeat: take a run of this repeat.
        fold: take a run of this fold.

    Returns:
        Path of the written folder.

    Raises:
        ResultsError, ExportError: no such run, a broken or outdated one, or `out` cannot be written.
    """
    import keras

    folder, run, chosen = _choose(Path(runs), repeat, fold)
    out = Path(out)
    _check_place(out)
    if keras.backend.backend() != "tensorflow":
        _save_elsewhere(run, out, chosen)
    else:
        _save_here(folder, run, out, chosen)
    return out


def _choose(runs, repeat, fold):
    """The folder of runs, the run to export, and a sentence on why this one."""
    if (runs / "manifest.json").is_file():
        if repeat is not None or fold is not None:
            raise ExportError(f"{runs} is one run already; leave out repeat and fold, or give the folder of all runs.")
        folder = runs.absolute().parent.parent
        return folder, _read_run(runs, read_facts(folder)), "The run was named by hand."
    facts = read_facts(runs)
    planned = [(r, f) for r in range(facts["repeats"]) for f in facts["folds"]]
    places = [runs / f"repeat-{r:02d}" / f for r, f in planned if repeat in (None, r) and fold in (None, f)]
    found = [_read_run(place, facts) for place in places if (place / "manifest.json").is_file()]
    if not found:
        wanted = f"of repeat {'any' if repeat is None else repeat}, fold {'any' if fold is None else fold}"
        raise ExportError(
            f"{runs} holds no finished run {wanted}; its repeats are 0 to {facts['repeats'] - 1}, its folds "
            f"{', '.join(facts['folds'])}."
        )
    chosen = "It was named by hand."
    if found[0].validation_uar is None:
        if len(places) > 1:
            chosen = f"It is the first of {len(found)} runs; its protocol has no validation part to choose by."
        return runs, found[0], chosen
    best = min(found, key=lambda run: (-run.validation_uar, run.validation_loss))
    if len(places) > 1:
        chosen = (
            f"Of {len(found)} runs it has the best validation UAR, {best.validation_uar:.4f}; test scores had no part "
            "in the choice, and validation speakers differ from fold to fold."
        )
    return runs, best, chosen


def _read_run(place, facts):
    manifest = read_json(place / "manifest.json")
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
        raise ExportError(f"{place} is broken: history.csv lacks what is needed ({error}); run it again.") from error


def _check_place(out):
    if not out.exists():
        return
    if not out.is_dir():
        raise ExportError(f"{out} is a file; give the folder that the model shall be written to.")
    entries = {entry.name for entry in out.iterdir()}
    foreign = sorted(entries - _OURS)
    if entries and (foreign or CARD not in entries or read_json(out / CARD).get("made_by") != MAKER):
        what = f"it holds {', '.join(foreign[:3])}" if foreign else f"it has no {CARD} of ours"
        raise ExportError(f"{out} is no exported model ({what}) and is not overwritten; give another folder.")


def _save_elsewhere(run, out, chosen):
    """Export in a process of its own: a SavedModel needs Keras on TensorFlow, and a process has one backend."""
    code = "import sys; from sertf.export import _export_process; sys.exit(_export_process(*sys.argv[1:]))"
    paths = [str(Path(sertf.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {
        "KERAS_BACKEND": "tensorflow",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "CUDA_VISIBLE_DEVICES": "",  # its memory is the caller's, and tracing needs no GPU
    }
    command = [sys.executable, "-c", code, str(run.place.absolute()), str(out.absolute()), chosen]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.rpartition("error: ")[2] if done.returncode == 2 else done.stderr
        raise ExportError(said.strip() or f"the export of {run.place} ended with exit code {done.returncode}.")


def _export_process(place, out, chosen):
    with exit_code() as code:
        folder, run, _ = _choose(Path(place), None, None)
        _save_here(folder, run, Path(out), chosen)
    return code.value


def _save_here(folder, run, out, chosen):
    import tensorflow as tf

    from sertf.serving import ServingModule

    facts = read_facts(folder)
    front_end, network, scaling = _restore(run)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ExportError(f"Cannot write to {out.parent}: {error.strerror}; choose another folder.") from error
    try:
        labels = staging / "labels.txt"
        labels.write_text("".join(f"{emotion}\n" for emotion in facts["emotions"]), encoding="utf-8")
        module = ServingModule(
            network, front_end, **scaling, emotions=facts["emotions"], labels=labels, minimum_seconds=audio.MIN_SECONDS
        )
        model = staging / "model"
        tf.saved_model.save(module, str(model), signatures=module.signatures())
        card = _card(folder, facts, run, chosen, out.name, module, front_end)
        (model / CARD).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (model / _PAGE).write_text(model_card.markdown(card), encoding="utf-8")
        _take_place(model, out, old=staging / "old")
    except OSError as error:
        raise ExportError(f"Cannot write {out}: {error.strerror}; choose another folder.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _take_place(new, out, *, old):
    """Rename a folder into place; the one that stood there is lost only when the new one is in."""
    if not out.exists():
        os.replace(new, out)
        return
    os.replace(out, old)
    try:
        os.replace(new, out)
    except OSError:
        os.replace(old, out)
        raise


def _restore(run):
    """Front end, network and scaling of a run."""
    import keras

    import sertf.models  # noqa: F401  its layers have to be known before a network is loaded
    from sertf.cache import front_end_digest
    from sertf.features import FEATURES

    if not (run.place / "weights.keras").is_file() and (run.place / "weights.joblib").is_file():
        raise ExportError(f"{run.place} holds a scikit-learn model, which no SavedModel can hold; export a network.")
    described = run.manifest["front_end"]
    if described["name"] not in FEATURES:
        raise ExportError(f"{run.place} used the front end '{described['name']}'; known are {', '.join(FEATURES)}.")
    front_end = FEATURES[described["name"]](**described["config"])
    if front_end.sample_rate is None:
        raise ExportError(
            f"{run.place} was trained on every file at its own rate, so its model knows no rate to bring other audio to; "
            f"train it with a sample_rate of {described['name']}."
        )
    if front_end_digest(front_end) != run.manifest["front_end_digest"]:
        raise ExportError(
            f"{run.place} was trained on features of another version of {described['name']}; run the experiment again."
        )
    try:
        network = keras.saving.load_model(run.place / "weights.keras", compile=False)
        with np.load(run.place / "scaling.npz") as arrays:
            scaling = {"mean": arrays["mean"], "std": arrays["std"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExportError(f"{run.place} is broken: its model cannot be loaded ({reason}); run it again.") from error
    return front_end, network, scaling


def _card(folder, facts, run, chosen, name, module, front_end):
    from sertf.corpora import CORPORA
    from sertf.serving import SAMPLE_RATES

    predictions = read_predictions(run.place / "predictions.csv")
    tested = scores.scores_of(predictions)
    trained = (facts.get("across") or {}).get("trained") or {facts["corpus"]: facts}
    corpora = [CORPORA[corpus] for corpus in trained if corpus in CORPORA]
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
        },
        "emotions": facts["emotions"],
        "sample_rate": front_end.sample_rate,
        "sample_rates": list(SAMPLE_RATES),
        "minimum_seconds": max(audio.MIN_SECONDS, front_end.minimum_samples / front_end.sample_rate),
        "outputs": {key: f"(batch, {sizes[key]})" for key in ("scores", "embedding", "attention") if key in sizes},
        "corpus": {
            "name": "+".join(trained),
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
        | {"validation_uar": run.validation_uar, "validation_loss": run.validation_loss, "chosen": chosen},
        "held_out": {key: tested[key] for key in ("uar", "wa", "recall")}
        | {"utterances": len(predictions), "speakers": int(predictions["speaker"].nunique())},
        "over_repeats": _over_repeats(folder, facts),
        "audit": facts["audit"],
        "versions": {"training": manifest["versions"], "export": _versions()},
    }


def _over_repeats(folder, facts):
    """Mean and spread of the pooled scores over repeats, None while runs are missing."""
    planned = [folder / f"repeat-{r:02d}" / f for r in range(facts["repeats"]) for f in facts["folds"]]
    if not all((place / "manifest.json").is_file() for place in planned):
        return None
    tables = [scores.scores_of(table) for _, table in collect(folder).predictions.groupby("repeat")]
    result = {"repeats": len(tables)}
    for key in ("uar", "wa"):
        values = [table[key] for table in tables]
        mean, std = statistics.mean_std(values) if len(values) > 1 else (values[0], None)
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
