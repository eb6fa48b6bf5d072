"""The folder of a variant's runs under a protocol: experiment.json, clips.csv and groups.csv, and a directory a run.

A run directory is complete or absent. It holds:

- `predictions.csv`, and `validation_predictions.csv` where there is a validation part
- `left_out_predictions.csv` of training clips by models that never met their corpus, where corpora were left out
- `history.csv`
- `weights.keras`, or `weights.joblib` of a scikit-learn model
- `clip_features.keras` where a linear model reads a network
- `scaling.npz`
- `representations.npz`
- `manifest.json`
- `SHA256SUMS`, the checksums of these, which `sha256sum --check` reads too

A directory that was taken over from stored results (`sertf.runs.reuse`) has `taken_over.txt` and no model.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from sertf.evaluation.groups import groups_of
from sertf.files import CHECKSUMS, check_writable, replaced_folder, write_checksums, write_text
from sertf.runs.facts import Facts, Manifest
from sertf.runs.layout import finished_runs
from sertf.runs.stored import ResultsError, check_intact, read_json
from sertf.texts import defused_table
from sertf.training.fit import CLIP_FEATURES, Fitted, RunError
from sertf.training.scaling import Scaling, SpeakerScaling

TAKEN_OVER = "taken_over.txt"
"""File of a run directory that names the stored results it comes from."""
CLIPS = "clips.csv"
"""File beside experiment.json: where the recordings of the runs lie, and whose they are. Runs of before lack it."""
VALIDATION = "validation_predictions.csv"
"""File of a run directory with the predictions of its validation part; runs of before lack it."""
LEFT_OUT = "left_out_predictions.csv"
"""File with predictions of training clips by models that never met their corpus."""


def describe(experiment: Any, variant: str, protocol: str, table: pd.DataFrame) -> dict[str, Any]:
    """The facts of an experiment and its corpus for a report, as plain values."""
    published = experiment.published(variant, protocol)
    return {
        "paper": experiment.paper,
        "published": {name: list(values) for name, values in published.items()} or None,
        "others": dict(experiment.others) or None,
        "remarks": list(experiment.remarks),
        "compared_with": experiment.variant(variant).compared_with,
        "licence": _licence(experiment.corpora),
        "utterances": len(table),
        "speakers": int(table["speaker"].nunique()),
        "languages": sorted(set(table["language"]) - {""}),
        **({"smoke": True} if experiment.smoke else {}),
    }


def write_experiment(folder: Path, overview: Facts, table: pd.DataFrame) -> None:
    """Write experiment.json, where the recordings lie, and the groups of utterances for the report's breakdowns.

    Places and groups decide no run, so they may change between two calls. Without groups there is no groups.csv.

    Args:
        folder: `<out>/<variant>/<protocol>`.
        overview: facts. Their `digest` covers all that decides a run but the recordings, `audio_digest` covers these.
        table: utterance table.

    Raises:
        RunError: the folder holds runs of other digests.
    """
    place = folder / "experiment.json"
    if place.exists() and finished_runs(folder):
        try:
            found = cast(Facts, read_json(place))
        except ResultsError:
            found = overview
        if found.get("digest") != overview["digest"]:
            what = "of another experiment or recipe"
            if found.get("table_digest") != overview.get("table_digest"):
                what = "on another table: its utterances or their labels have changed since"
            elif found.get("front_end") == overview.get("front_end") and found.get("front_end_digest") != overview.get(
                "front_end_digest"
            ):
                what = f"on features of another version of {overview['front_end']['name']}"
            elif found.get("model", {}).get("source") != overview.get("model", {}).get("source"):
                what = f"of another version of the module of {overview['model']['name']}"
            raise RunError(
                f"{folder} holds runs {what} (digest {found.get('digest')}, wanted {overview['digest']}); choose another "
                "--out folder or delete it."
            )
        if found.get("audio_digest") != overview["audio_digest"]:
            raise RunError(
                f"{folder} holds runs on other recordings of the same names; choose another --out folder, or delete "
                "it to train on these."
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps(overview, indent=1, sort_keys=True) + "\n")
    clips = table[["utterance", "corpus", "speaker"]].assign(
        path=[str(Path(path).absolute()) for path in table["path"]]
    )
    write_text(folder / CLIPS, defused_table(clips).to_csv(index=False, lineterminator="\n"))
    groups = groups_of(table)
    if groups is None:
        (folder / "groups.csv").unlink(missing_ok=True)
    else:
        write_text(folder / "groups.csv", defused_table(groups).to_csv(index=False, lineterminator="\n"))


@contextlib.contextmanager
def new_run(folder: Path) -> Iterator[Path]:
    """A folder to fill. It replaces the run directory `folder` at the end; an error leaves no trace.

    Raises:
        RunError: the folder cannot be written to.
    """
    check_writable(folder.parent, "--out folder", RunError)
    try:
        with replaced_folder(folder) as staging:
            yield staging
            seal(staging)
            staging.chmod(0o755)  # whatever the umask
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written: {error.strerror or error}; make room, or choose another --out folder."
        ) from error


def write_run(
    folder: Path,
    *,
    predictions: pd.DataFrame,
    validation: pd.DataFrame | None,
    left_out: pd.DataFrame | None,
    fitted: Fitted,
    scaling: Scaling | SpeakerScaling,
    arrays: dict[str, Any],
    manifest: Manifest,
) -> None:
    """Write the directory of a run.

    Args:
        folder: the run directory.
        predictions: table of the test part's scores.
        validation: the same of the validation part, None without one.
        left_out: the same of training clips by models that never met their corpus, None where none was left out.
        fitted: the trained model and its history.
        scaling: the scaling of its features.
        arrays: from `sertf.training.representations.representations`; an empty dict writes none.
        manifest: the manifest.

    Raises:
        RunError: the folder cannot be written to.
    """
    with new_run(folder) as staging:
        defused_table(predictions).to_csv(staging / "predictions.csv", index=False, float_format="%.9g")
        if validation is not None:
            defused_table(validation).to_csv(staging / VALIDATION, index=False, float_format="%.9g")
        if left_out is not None:
            defused_table(left_out).to_csv(staging / LEFT_OUT, index=False, float_format="%.9g")
        fitted.history.to_csv(staging / "history.csv", index=False, float_format="%.9g")
        fitted.model.save(staging / fitted.weights_file)
        if fitted.clip_features is not None:
            fitted.clip_features.save(staging / CLIP_FEATURES)
        np.savez(staging / "scaling.npz", **scaling.arrays())
        if arrays:
            np.savez_compressed(staging / "representations.npz", **arrays)
        write_manifest(staging, manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest.json of a run directory."""
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def seal(folder: Path) -> None:
    """Write the checksums of all files of a run directory into it."""
    write_checksums(folder, [path.name for path in folder.iterdir() if path.name != CHECKSUMS])


def finished(folder: Path, *, digest: str, audio_digest: str | None = None) -> bool:
    """True if `folder` holds a finished run of these digests; False without one, or if its bytes have changed.

    Raises:
        RunError: it holds another finished run, which is never overwritten.
    """
    try:
        manifest = cast(Manifest, read_json(folder / "manifest.json"))
    except ResultsError:
        return False
    if "digest" not in manifest:
        return False
    if manifest["digest"] != digest:
        raise RunError(
            f"{folder} holds a run of another experiment ({manifest.get('experiment', 'unknown')}, digest "
            f"{manifest['digest']}, wanted {digest}); choose another --out folder or delete it."
        )
    if manifest.get("audio_digest") != audio_digest:
        raise RunError(
            f"{folder} holds a run on other recordings of the same names; choose another --out folder or delete it."
        )
    try:
        check_intact(folder)
    except ResultsError:
        return False
    return True


def _licence(names: tuple[str, ...]) -> str:
    """Licences of the corpora, each with its name if there are several."""
    from sertf.corpora import CORPORA

    own = [CORPORA[name].licence if name in CORPORA else "the user's own data" for name in names]
    return own[0] if len(own) == 1 else "; ".join(f"{name}: {licence}" for name, licence in zip(names, own))
