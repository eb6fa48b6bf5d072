"""Figures of what a run keeps of its model: embeddings of the test part, and one utterance over time."""

import zipfile

import numpy as np

from sertf import plots, plots_clips
from sertf.kept import ResultsError


def draw_representations(results):
    """Figures by file name of the first run's representations.npz.

    Args:
        results: `sertf.results.Results` that have representations.

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
        drawn = {"projections.png": plots.projections(arrays["embeddings"], means, labels, names=emotions)}
        if "clip_utterance" not in arrays:
            return drawn
        clip = str(arrays["clip_utterance"])
        title = f"{clip} ({labels[arrays['utterances'].tolist().index(clip)]})"
        if "clip_attention" in arrays:
            drawn["attention.png"] = plots_clips.attention(
                arrays["clip_features"],
                arrays["clip_states"],
                arrays["clip_attention"],
                title,
                hop_seconds=_hop_seconds(results.manifests[0]),
            )
        if "clip_windows" in arrays:
            drawn["windows.png"] = plots_clips.windows(
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
