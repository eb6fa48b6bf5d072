"""The figures of a report: of its scores, and of what a run keeps of its model."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sertf.plots.clips import attention, windows
from sertf.plots.scores import confusion, curves, projections, right_and_wrong, save_figure, violin
from sertf.reports.markdown import triple
from sertf.runs.collect import Results
from sertf.runs.facts import Manifest, Summary
from sertf.runs.stored import ResultsError

FIGURES = {
    "confusion.png": "Confusion matrix, all repeats pooled; a row's share in percent",
    "scores.png": "Scores over repeats",
    "groups.png": "Test utterances by group, right and wrong: mean over repeats",
    "curves.png": "Loss and UAR by epoch: mean over runs, band of one standard deviation",
    "projections.png": "Principal components of one test fold: the model's embeddings beside the averaged features",
    "attention.png": "One test utterance over time: features, hidden states, attention",
    "windows.png": "One test utterance, and the windows of deformable attention that three of its steps look through; grey "
    "is the attention that a step gets",
}
"""Caption by file name."""
_OF_A_MODEL = ("projections.png", "attention.png", "windows.png")
_SHOWN = {"UAR": "uar", "WA": "wa", "macro F1": "macro_f1", "weighted F1": "weighted_f1"}


def write_figures(results: Results, summary: Summary, folder: Path, *, before: Path) -> list[list[str]]:
    """Draw what the results allow; returns pairs of file name and caption.

    Where no run has its representations, since all were taken over, the figures of a model come from the stored results
    that these replace.

    Args:
        results: all runs.
        summary: of these results.
        folder: where the figures go.
        before: the folder of kept results of the same recipe that these will replace, if it is there.
    """
    published = summary["facts"].get("published") or {}
    drawn = {
        "confusion.png": confusion(summary["confusion"], results.facts["emotions"]),
        "scores.png": violin(
            {name: summary["scores"][key]["values"] for name, key in _SHOWN.items()},
            published={name: triple(published[key])[0] for name, key in _SHOWN.items() if key in published},
        ),
    }
    if summary["groups"]:
        found = {column: entry["groups"].items() for column, entry in summary["groups"].items()}
        panels = {column: {name: (g["right"], g["wrong"]) for name, g in items} for column, items in found.items()}
        drawn["groups.png"] = right_and_wrong(panels)
    if len(results.histories):
        drawn["curves.png"] = curves(results.histories)
    if results.representations is not None:
        drawn |= draw_representations(results.representations, results.facts["emotions"], results.manifests[0])
    for name, figure in drawn.items():
        save_figure(figure, folder / name)
    taken = [] if results.representations is not None else [before / name for name in _OF_A_MODEL]
    taken = [path for path in taken if path.is_file()]
    for path in taken:
        shutil.copyfile(path, folder / path.name)
    names = {*drawn, *(path.name for path in taken)}
    return [[name, caption] for name, caption in FIGURES.items() if name in names]


def draw_representations(path: Path, emotions: list[str], manifest: Manifest) -> dict[str, Figure]:
    """Figures of a run's representations.npz, by file name.

    Args:
        path: of the file.
        emotions: in the order of its labels.
        manifest: of the run.

    Raises:
        ResultsError: naming the file, if it cannot be drawn.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        labels = arrays["labels"]
        if labels.dtype.kind in "iu":  # indices into the emotions
            labels = np.array(emotions)[labels]
        means = arrays["means"] if arrays["means"].shape[1] > 1 else None  # a waveform's mean says nothing
        drawn = {"projections.png": projections(arrays["embeddings"], means, labels, names=emotions)}
        if "clip_utterance" not in arrays:
            return drawn
        clip = str(arrays["clip_utterance"])
        title = f"{clip} ({labels[arrays['utterances'].tolist().index(clip)]})"
        if "clip_attention" in arrays:
            drawn["attention.png"] = attention(
                arrays["clip_features"],
                arrays["clip_states"],
                arrays["clip_attention"],
                title,
                hop_seconds=_hop_seconds(manifest),
            )
        if "clip_windows" in arrays:
            drawn["windows.png"] = windows(
                arrays["clip_features"][:, 0],
                arrays["clip_windows"],
                arrays["clip_received"],
                title,
                sample_rate=_config(manifest).get("sample_rate"),
            )
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ResultsError(f"{path} cannot be drawn ({error}); delete that run's folder and run again.") from error
    return drawn


def _hop_seconds(manifest: Manifest) -> float | None:
    """Time between frames where the front end states it, else None."""
    config = _config(manifest)
    hop, rate = config.get("hop_length"), config.get("sample_rate")
    return hop / rate if hop and rate else None


def _config(manifest: Manifest) -> dict[str, Any]:
    front_end = manifest.get("front_end")
    return front_end.get("config", {}) if front_end else {}
