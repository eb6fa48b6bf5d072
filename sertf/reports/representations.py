"""What a report stores of one run's model: no more than the figures of a model show, in one small file."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sertf.errors import SertfError
from sertf.evaluation.scores import predicted
from sertf.plots.style import finite
from sertf.runs.collect import Results
from sertf.runs.facts import Named
from sertf.runs.layout import RunPlace
from sertf.runs.stored import ResultsError

REPRESENTATIONS = "representations.npz"
"""The file's name, in a run directory and in stored results."""
COLUMNS = 2000
"""Shares of a waveform whose extremes are stored: more than a figure has pixels."""

_FAULTS = (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile)
_HALF = float(np.finfo(np.float16).max)


@contextlib.contextmanager
def drawing(path: Path, remedy: str) -> Iterator[None]:
    """Name the file where what is read from it cannot be drawn.

    Raises:
        ResultsError: naming the file, the fault and the remedy.
    """
    try:
        yield
    except _FAULTS as error:
        raise ResultsError(f"{path} cannot be drawn ({error}); {remedy}.") from error


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a representations.npz."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def reduced(results: Results) -> dict[str, np.ndarray]:
    """What figures draw of the run whose representations `results` have.

    Args:
        results: all runs; `results.representations` is not None.

    Returns:
        dict of arrays: labels (utterances,), the emotions' indices; of embeddings and, but for waveforms, of means over
        time NAME_points (utterances, 2) and NAME_shares (2,), as `principal_components` gives them. Of a model with
        attention also the clip's as `sertf.training.representations.representations` names them, and clip_truth,
        clip_predicted, clip_step_seconds from row to row of clip_features where that is known, dimension_labels and
        dimension_sizes as `dimensions_of` gives them.

    Raises:
        ResultsError: naming the file, if it cannot be read or drawn.
    """
    path = results.representations
    assert path is not None
    with drawing(path, "delete that run's folder and run again"):
        arrays = read_arrays(path)
        found = {"labels": arrays["labels"].astype(np.int16)}
        shown = {"embeddings": finite("embeddings", arrays["embeddings"], 2)}
        if arrays["means"].shape[1] > 1:  # a waveform's mean says nothing
            means = finite("means", arrays["means"], 2)
            shown["means"] = (means - means.mean(axis=0)) / np.maximum(means.std(axis=0), 1e-9)
        for name, values in shown.items():
            found[f"{name}_points"], found[f"{name}_shares"] = principal_components(name, values)
        if "clip_utterance" in arrays:
            found |= _clip(arrays, results, RunPlace.parse(path.parent))
        return found


def principal_components(name: str, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components, (n, 2), and the explained share of each one's variance, (2,).

    Raises:
        SertfError: naming the values, (n, d), if n or d is less than 2.
    """
    from sklearn.decomposition import PCA

    values = np.asarray(values)
    if min(values.shape) < 2:
        raise SertfError(f"{name} must be of two or more utterances and dimensions to be projected, got {values.shape}")
    with np.errstate(invalid="ignore"):  # a collapsed model embeds all utterances alike: no variance to explain
        pca = PCA(n_components=2, svd_solver="full").fit(values)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    return pca.transform(values).astype(np.float32), shares.astype(np.float32)


def dimensions_of(front_end: Named | None, dims: int) -> list[tuple[str, int]]:
    """Pairs of a label and the number of feature dimensions that it names, in their order.

    Args:
        front_end: name and configuration, as a run's manifest states them.
        dims: dimensions of the features; those of a custom front end are only counted.

    >>> dimensions_of({"name": "mfcc_chroma", "config": {"n_mfcc": 34, "n_chroma": 12}}, 46)
    [('MFCC 1 to 34', 34), ('chroma 1 to 12', 12)]
    """
    config = _config(front_end)
    match front_end["name"] if front_end and config else None:
        case "mfcc_chroma":
            groups = {"MFCC": config["n_mfcc"], "chroma": config["n_chroma"]}
        case "log_mel":
            groups = {"mel band": config["n_mels"]}
        case "fused_statistics":
            groups = {"MFCC": 26, "first delta": 26, "second delta": 26, "chroma": 12, "contrast": 7, "tonnetz": 6}
            groups["other"] = 4  # zero crossings, centroid, roll-off, bandwidth
        case "scalogram":
            scales = f"scale 1 to {config['n_scales']}"
            return [(scales if config["colour"] == "power" else f"{scales}, red to blue", dims)]
        case "waveform":
            return [("amplitude", dims)]
        case _:
            groups = {"dimension": dims}
    return [(f"{name} 1 to {size}", size) for name, size in groups.items()]


def _clip(arrays: dict[str, np.ndarray], results: Results, place: RunPlace) -> dict[str, np.ndarray]:
    """The arrays of one clip, what it is and what the run predicts of it."""
    clip, front_end = str(arrays["clip_utterance"]), results.manifests[0].get("front_end")
    table = results.predictions
    row = table[(table["repeat"] == place.repeat) & (table["fold"] == place.fold) & (table["utterance"] == clip)]
    features = arrays["clip_features"]
    step = _step_seconds(front_end, of_samples="clip_windows" in arrays)
    if "clip_attention" not in arrays and step is not None:
        shorter = _extremes(features[:, 0])[:, None]
        step *= len(features) / len(shorter)
        features = shorter
    dimensions = dimensions_of(front_end, features.shape[1])
    found = {
        "clip_utterance": np.array(clip),
        "clip_truth": np.array(row["truth"].iloc[0]),
        "clip_predicted": np.array(str(predicted(row)[0])),
        "clip_features": _half(features),
        "dimension_labels": np.array([label for label, _ in dimensions]),
        "dimension_sizes": np.array([size for _, size in dimensions]),
    }
    if step is not None:
        found["clip_step_seconds"] = np.array(step)
    for name in ("clip_states", "clip_windows", "clip_received"):
        if name in arrays:
            found[name] = _half(arrays[name])
    if "clip_attention" in arrays:
        found["clip_attention"] = arrays["clip_attention"].astype(np.float32)
    return found


def _extremes(waveform: np.ndarray) -> np.ndarray:
    """A waveform's smallest and largest sample of `COLUMNS` or more equal shares, in turn; a short one as it is."""
    size = len(waveform) // COLUMNS
    if size < 3:
        return waveform
    shares = waveform[: len(waveform) // size * size].reshape(-1, size)
    return np.stack([shares.min(axis=1), shares.max(axis=1)], axis=1).ravel()


def _half(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -_HALF, _HALF).astype(np.float16)


def _step_seconds(front_end: Named | None, *, of_samples: bool) -> float | None:
    """Time from one row of the features to the next where the front end states it, else None."""
    config = _config(front_end)
    if "n_bins" in config:
        return config["duration_seconds"] / config["n_bins"]
    hop, rate = 1 if of_samples else config.get("hop_length"), config.get("sample_rate")
    return hop / rate if hop and rate and "segments" not in config else None


def _config(front_end: Named | None) -> dict[str, Any]:
    return front_end.get("config", {}) if front_end else {}
