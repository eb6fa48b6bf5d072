"""The figures of a report: of its scores, and of what a run keeps of its model."""

import shutil
import zipfile
from pathlib import Path

import numpy as np

from sertf.plots.clips import attention, windows
from sertf.plots.scores import confusion, curves, projections, right_and_wrong, save_figure, violin
from sertf.reports.markdown import triple
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


def write_figures(results, summary, folder, *, before):
    """Draw what the results allow; returns pairs of file name and caption.

    Where no run has its representations, since all were taken over, the figures of a model come from the kept results
    that these replace.

    Args:
        results: `sertf.runs.collect.Results`.
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
        drawn |= draw_representations(results)
    for name, figure in drawn.items():
        save_figure(figure, folder / name)
    taken = [] if results.representations is not None else [Path(before) / name for name in _OF_A_MODEL]
    taken = [path for path in taken if path.is_file()]
    for path in taken:
        shutil.copyfile(path, folder / path.name)
    names = {*drawn, *(path.name for path in taken)}
    return [[name, caption] for name, caption in FIGURES.items() if name in names]


def draw_representations(results):
    """Figures by file name of the first run's representations.npz.

    Args:
        results: `sertf.runs.collect.Results` that have representations.

    Raises:
        ResultsError: naming the file, if it cannot be drawn.
    """
    path, emotions = results.representations, results.facts["emotions"]
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
                hop_seconds=_hop_seconds(results.manifests[0]),
            )
        if "clip_windows" in arrays:
            drawn["windows.png"] = windows(
                arrays["clip_features"][:, 0],
                arrays["clip_windows"],
                arrays["clip_received"],
                title,
                sample_rate=_config(results.manifests[0]).get("sample_rate"),
            )
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ResultsError(f"{path} cannot be drawn ({error}); delete that run's folder and run again.") from error
    return drawn


def _hop_seconds(manifest):
    """Time between frames where the front end states it, else None."""
    config = _config(manifest)
    hop, rate = config.get("hop_length"), config.get("sample_rate")
    return hop / rate if hop and rate else None


def _config(manifest):
    return (manifest.get("front_end") or {}).get("config") or {}
