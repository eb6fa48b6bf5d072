"""Small run directories with made-up predictions, as the runner writes them; a summary written out by hand."""

import json

import numpy as np
import pandas as pd

from sertf.runs.folder import seal
from sertf.runs.layout import RunPlace, runs_folder

EMOTIONS = ["neutral", "sadness", "anger"]
FOLDS = ["fold-1", "fold-2"]


def without_rendering(monkeypatch):
    """Leave the rendering of figures out, which takes most of a report's time."""
    monkeypatch.setattr("sertf.reports.figures.save_figure", lambda figure, path: path.touch())


def written(tmp_path, protocol="paper", variant="h64"):
    """Where the report of such runs is written."""
    return tmp_path / "results" / "lstm_toy" / variant / protocol


def make_run(place, *, repeat, fold, skill=1.0, digest="abc", clip=True, **manifest):
    """One run directory: 3 speakers a fold, 8 utterances each."""
    index = FOLDS.index(fold)
    rng = np.random.default_rng([repeat, index, int(100 * skill)])
    truth = np.random.default_rng(index).choice(EMOTIONS, 24)
    speakers = [f"s{3 * index + i // 8}" for i in range(24)]
    values = rng.dirichlet([1, 1, 1], 24)
    values[np.arange(24), [EMOTIONS.index(t) for t in truth]] += skill * rng.random(24)
    values /= values.sum(axis=1, keepdims=True)
    utterances = [f"u{24 * index + i}" for i in range(24)]
    table = pd.DataFrame({"utterance": utterances, "speaker": speakers, "repeat": repeat, "fold": fold, "truth": truth})
    table[EMOTIONS] = values
    place.mkdir(parents=True)
    table.to_csv(place / "predictions.csv", index=False, float_format="%.9g")
    history = {"epoch": [1, 2], "loss": [1.1, 0.9], "uar": [0.4, 0.6], "val_loss": [1.1, 1.0], "val_uar": [0.3, 0.4]}
    pd.DataFrame({**history, "learning_rate": 1e-3}).to_csv(place / "history.csv", index=False)
    if clip:
        np.savez(
            place / "representations.npz",
            utterances=np.array(utterances),
            labels=np.array([EMOTIONS.index(t) for t in truth]),
            embeddings=rng.normal(size=(24, 4)),
            means=rng.normal(size=(24, 5)),
            clip_utterance=np.array(utterances[3]),
            clip_features=rng.normal(size=(20, 5)),
            clip_states=rng.normal(size=(20, 4)),
            clip_attention=np.full(20, 0.05),
            dimension_labels=np.array(["MFCC 1 to 3", "chroma 1 to 2"]),
            dimension_sizes=np.array([3, 2]),
            clip_step_seconds=np.array(0.1),
        )
    content = {
        "digest": digest,
        "experiment": "lstm_toy",
        "repeat": repeat,
        "fold": fold,
        "seed": 10 * repeat + index,
        "tested": 24,
    }
    content |= {"wall_seconds": 2.5, "best_epoch": 2, "parameters": 1234, "backend": "jax", "device": "CPU"}
    (place / "manifest.json").write_text(json.dumps(content | manifest))
    seal(place)


def seal_again(folder):
    """Write the checksums of the runs below a folder anew, so that what a test changed counts as written."""
    for manifest in folder.rglob("manifest.json"):
        seal(manifest.parent)


def make_runs(folder, *, variant="h64", protocol="paper", repeats=3, skill=1.0, groups=False, **overview):
    """Runs of all repeats and folds; with `groups`, every other speaker is male, every other utterance strong."""
    facts = {
        "experiment": "lstm_toy",
        "variant": variant,
        "protocol": protocol,
        "paper": "A. Author, A paper, 2026",
        "published": {"uar": [0.95, 0.01, 0.97], "kappa": [0.5, None, None]},
        "corpus": "toy",
        "licence": "CC0",
        "repeats": repeats,
        "folds": FOLDS,
        "epochs": 2,
        "recipe": {"learning_rate": 1e-3, "l2": None},
        "seed": 0,
        "audit": {"verdict": "leaks by declaration: tuning", "findings": ["the recipe was chosen by test scores"]},
        "emotions": EMOTIONS,
        "digest": "abc",
    }
    place = runs_folder(folder, variant, protocol)
    place.mkdir(parents=True, exist_ok=True)
    for repeat in range(repeats):
        for fold in FOLDS:
            make_run(RunPlace(place, repeat, fold).path, repeat=repeat, fold=fold, skill=skill)
    (place / "experiment.json").write_text(json.dumps(facts | overview))
    if groups:
        table = pd.DataFrame({"utterance": [f"u{i}" for i in range(48)]})
        table["gender"] = [("female", "male")[i // 8 % 2] for i in range(48)]
        table["intensity"] = [("normal", "strong")[i % 2] for i in range(48)]
        table.to_csv(place / "groups.csv", index=False)
    return place


def summary(*, mean=0.5, protocol="strict", published=None, low=0.45, high=0.56):
    score = {"name": "UAR", "values": [mean, mean], "mean": mean, "std": 0.01, "best": mean, "low": low, "high": high}
    return {
        "facts": {
            "experiment": "e",
            "variant": "a|b",
            "protocol": protocol,
            "paper": "P",
            "published": published,
            "corpus": "toy",
            "repeats": 2,
            "folds": ["1"],
            "emotions": ["anger", "fear"],
            "audit": {"verdict": "clean", "findings": []},
            "digest": "d",
        },
        "scores": {"uar": score, "wa": {**score, "name": "WA", "low": None, "high": None}},
        "recall": {"anger": {"mean": 0.5, "std": None}},
        "reproducibility": None,
        "tested": {"utterances": 4, "speakers": 2},
        "runs": 2,
        "seeds": [1, 2],
        "wall_seconds": 60.0,
        "parameters": None,
        "backend": "jax",
        "device": "CPU",
        "beyond_plan": [],
    }
