"""What a report stores of one run's model: no more than the figures of a model show, in one small file."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from sertf.errors import SertfError
from sertf.evaluation.scores import predicted
from sertf.plots.style import finite
from sertf.runs.collect import Results
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
    """The arrays for the figures of the run whose representations `results` have.

    Args:
        results: all runs; `results.representations` is not None.

    Returns:
        dict of arrays: labels (utterances,), the emotions' indices. Of embeddings and, but for waveforms, of means over
        time: NAME_points (utterances, 2) and NAME_shares (2,), as `principal_components` gives them. Of a model with
        attention also the clip's arrays, named as in `sertf.training.representations.representations`, and clip_truth and
        clip_predicted. If known, clip_step_seconds from row to row of clip_features.

    Raises:
        ResultsError: naming the file, if it cannot be read or drawn.
    """
    path = results.representations
    assert path is not None
    with drawing(path, "delete that run's folder and run again"):
        arrays = read_arrays(path)
        found = {"labels": arrays["labels"].astype(np.int16)}
        shown = {"embeddings": finite("embeddings", arrays["embeddings"], 2)}
        if arrays["means"].shape[1] > 1:  # a waveform's mean carries no information
            means = finite("means", arrays["means"], 2)
            shown["means"] = (means - means.mean(axis=0)) / np.maximum(means.std(axis=0), 1e-9)
        for name, values in shown.items():
            found[f"{name}_points"], found[f"{name}_shares"] = principal_components(name, values)
        if "clip_utterance" in arrays:
            found |= _clip(arrays, results, RunPlace.parse(path.parent))
        return found


def principal_components(name: str, values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components, (n, 2), and the share of variance that each explains, (2,).

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


def _clip(arrays: dict[str, np.ndarray], results: Results, place: RunPlace) -> dict[str, np.ndarray]:
    """The arrays of one clip, what it is and what the run predicts of it."""
    clip = str(arrays["clip_utterance"])
    table = results.predictions
    row = table[(table["repeat"] == place.repeat) & (table["fold"] == place.fold) & (table["utterance"] == clip)]
    features = arrays["clip_features"]
    step = arrays.get("clip_step_seconds")
    if "clip_attention" not in arrays and step is not None:
        shorter = _extremes(features[:, 0])[:, None]
        step = step * len(features) / len(shorter)
        features = shorter
    found = {
        "clip_utterance": np.array(clip),
        "clip_truth": np.array(row["truth"].iloc[0]),
        "clip_predicted": np.array(str(predicted(row)[0])),
        "clip_features": _half(features),
        "dimension_labels": arrays["dimension_labels"],
        "dimension_sizes": arrays["dimension_sizes"],
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
