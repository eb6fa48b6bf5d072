"""The figures of a report: of its scores, and of what it stores of one run's model."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sertf.plots import FORMATS
from sertf.plots.clips import attention, windows
from sertf.plots.scores import confusion, curves, projections, reliability, right_and_wrong, save_figure, violin
from sertf.plots.style import drawable
from sertf.reports.markdown import triple
from sertf.reports.representations import REPRESENTATIONS, drawing, read_arrays, reduced
from sertf.runs.collect import Results
from sertf.runs.facts import Summary
from sertf.runs.stored import read_history

FIGURES = {
    "confusion.png": "Confusion matrix, all repeats pooled; a row's share in percent",
    "scores.png": "Scores over repeats",
    "reliability.png": "Accuracy by confidence, all repeats pooled; on the diagonal a confidence means what it says",
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
FILES = {Path(name).with_suffix(f".{kind}").name for name in FIGURES for kind in FORMATS}
"""Every file that a report's figures can be."""


def write_figures(
    results: Results, summary: Summary, folder: Path, *, before: Path, formats: Iterable[str] = ()
) -> list[list[str]]:
    """Draw the figures of the results, and store the arrays of the model's figures; returns pairs of file name and caption.

    If no run has its representations, since all were taken over, those of the replaced stored results stay, or the
    figures drawn from them.

    Args:
        results: all runs.
        summary: summary of these results.
        folder: folder of the figures.
        before: folder of the stored results of the same recipe that these will replace, if there is one.
        formats: of `FORMATS`, to write besides PNG.
    """
    drawn, taken = draw_scores(summary, results.histories), []
    if results.representations is not None:
        arrays: dict[str, Any] = {**reduced(results)}
        np.savez_compressed(folder / REPRESENTATIONS, **arrays)
        with drawing(results.representations, "delete that run's folder and run again"):
            drawn |= draw_model(arrays, results.facts["emotions"])
    elif (before / REPRESENTATIONS).is_file():
        shutil.copyfile(before / REPRESENTATIONS, folder / REPRESENTATIONS)
        drawn |= _stored_model(before, summary)
    else:
        taken = [name for name in _OF_A_MODEL if (before / name).is_file()]
    for name in taken:
        shutil.copyfile(before / name, folder / name)
    save_figures(drawn, folder, formats)
    names = {*drawn, *taken}
    return [[name, caption] for name, caption in FIGURES.items() if name in names]


def redraw_figures(folder: Path, summary: Summary, formats: Iterable[str] = ()) -> bool:
    """Draw the figures of stored results anew from their files.

    Args:
        folder: of the stored results.
        summary: their report.json.
        formats: of `FORMATS`, to write besides PNG.

    Returns:
        False if the report has figures of a model, but does not store what they show; these stay as they are.

    Raises:
        ResultsError: naming a file that cannot be read or drawn.
    """
    drawn = draw_scores(summary, read_history(folder / "history.csv.gz"))
    stored = (folder / REPRESENTATIONS).is_file()
    if stored:
        drawn |= _stored_model(folder, summary)
    save_figures(drawn, folder, formats)
    return stored or not any(name in _OF_A_MODEL for name, _ in summary.get("figures", ()))


def save_figures(drawn: Mapping[str, Figure], folder: Path, formats: Iterable[str]) -> None:
    """Write figures, by the names of their PNG files, as PNG and in the other formats of `FORMATS`."""
    for name, figure in drawn.items():
        for kind in dict.fromkeys(("png", *formats)):
            save_figure(figure, (folder / name).with_suffix(f".{kind}"))


def draw_scores(summary: Summary, histories: pd.DataFrame) -> dict[str, Figure]:
    """The figures of scores, groups and training curves, by file name.

    Args:
        summary: of a report.
        histories: of all runs, as `sertf.plots.scores.curves` takes them.
    """
    published, chance = summary["facts"].get("published") or {}, {"UAR": 1 / len(summary["facts"]["emotions"])}
    drawn = {}
    if "confusion" in summary:
        drawn["confusion.png"] = confusion(summary["confusion"], summary["facts"]["emotions"])
        of_emotion = [sum(row) for row in summary["confusion"]]
        chance["WA"] = max(of_emotion) / sum(of_emotion)  # of always predicting the most frequent emotion
    drawn["scores.png"] = violin(
        {name: summary["scores"][key]["values"] for name, key in _SHOWN.items()},
        published={name: triple(published[key])[0] for name, key in _SHOWN.items() if key in published},
        chance=chance,
    )
    if "calibration" in summary:
        drawn["reliability.png"] = reliability(summary["calibration"]["bins"])
    if summary.get("groups"):
        found = {column: entry["groups"].items() for column, entry in summary["groups"].items()}
        panels = {column: {name: (g["right"], g["wrong"]) for name, g in items} for column, items in found.items()}
        drawn["groups.png"] = right_and_wrong(panels)
    if len(histories):
        drawn["curves.png"] = curves(histories)
    return drawn


def draw_model(arrays: Mapping[str, np.ndarray], emotions: list[str]) -> dict[str, Figure]:
    """Figures of one run's model, by file name.

    Args:
        arrays: as `sertf.reports.representations.reduced` gives them.
        emotions: that its labels are indices of.
    """
    titles = {"embeddings": "embeddings", "means": "averaged features"}
    shown = {
        title: (arrays[f"{name}_points"], arrays[f"{name}_shares"])
        for name, title in titles.items()
        if f"{name}_points" in arrays
    }
    drawn = {"projections.png": projections(shown, np.array(emotions)[arrays["labels"]], names=emotions)}
    if "clip_utterance" not in arrays:
        return drawn
    utterance, truth, found = (str(arrays[f"clip_{name}"]) for name in ("utterance", "truth", "predicted"))
    names = dict(zip(emotions, drawable(emotions)))
    title = f"{utterance} (truth: {names[truth]}, prediction: {names[found]})"
    step = float(arrays["clip_step_seconds"]) if "clip_step_seconds" in arrays else None
    if "clip_attention" in arrays:
        drawn["attention.png"] = attention(
            arrays["clip_features"],
            arrays["clip_states"],
            arrays["clip_attention"],
            title,
            dimensions=list(zip(arrays["dimension_labels"].tolist(), arrays["dimension_sizes"].tolist())),
            hop_seconds=step,
        )
    if "clip_windows" in arrays:
        drawn["windows.png"] = windows(
            arrays["clip_features"][:, 0],
            arrays["clip_windows"],
            arrays["clip_received"],
            title,
            sample_rate=1 / step if step else None,
        )
    return drawn


def _stored_model(folder: Path, summary: Summary) -> dict[str, Figure]:
    path = folder / REPRESENTATIONS
    with drawing(path, "delete it and write the report again from its runs"):
        return draw_model(read_arrays(path), summary["facts"]["emotions"])
