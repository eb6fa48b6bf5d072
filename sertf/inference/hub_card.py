"""The front matter of a model card for the Hugging Face Hub: what its filters and its table of results read.

The keys are those of the Hub's documentation of model cards. The values are JSON, which YAML takes as it is.
"""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sertf.inference.card import Card

TASK = "audio-classification"
TAG = "speech-emotion-recognition"
_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
    "CC BY-NC-ND 4.0": "cc-by-nc-nd-4.0",
    "ODbL 1.0": "odbl",
}
"""The Hub's names of licences of recordings; all others are "other"."""


def front_matter(card: "Card") -> str:
    """The block of YAML before the page, with its lines of three hyphens."""
    lines = ["---"]
    for key, value in metadata(card).items():
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            lines += [f"{key}:", *(f"- {json.dumps(entry, ensure_ascii=False)}" for entry in value)]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*lines, "---", "", ""])


def metadata(card: "Card") -> dict[str, Any]:
    """The front matter as plain values: language, licence, library, task, tags, corpora, metrics and model-index."""
    corpus = card["corpus"]
    names = corpus.get("names", [corpus["name"]])
    licence = _LICENCES.get(corpus["licence"], "other")
    found: dict[str, Any] = {"language": corpus["languages"]} if corpus["languages"] else {}
    found["license"] = licence
    if licence == "other":
        found["license_name"] = "licence-of-the-training-recordings"
        found["license_link"] = "#training-data"  # a section of the page
    found |= {
        "library_name": "keras",
        "pipeline_tag": TASK,
        "tags": [TAG, "sertf", "tensorflow", *(["onnx"] if "onnx" in card else []), card["model"]["name"]],
        "datasets": names,
        "metrics": ["recall", "accuracy"],
        "model-index": [{"name": card["name"], "results": _results(card, names)}],
    }
    return found


def _results(card: "Card", names: list[str]) -> list[dict[str, Any]]:
    tested = card["held_out"]
    speakers = f"{tested['speakers']} held-out speakers" if tested.get("names") else "held-out part"
    results = [_result(" + ".join(names), f"test, {speakers}", "-".join(names), tested["uar"], tested["wa"])]
    for name, other in card.get("other_corpora", {}).items():
        results.append(_result(name, "all, never trained on", name, other["uar"]))
    return results


def _result(title: str, split: str, kind: str, uar: float, wa: float | None = None) -> dict[str, Any]:
    metrics: list[dict[str, Any]] = [
        {"type": "recall", "name": "UAR", "value": round(uar, 4), "args": {"average": "macro"}}
    ]
    if wa is not None:
        metrics.append({"type": "accuracy", "name": "WA", "value": round(wa, 4)})
    return {
        "task": {"type": TASK, "name": "Speech emotion recognition"},
        "dataset": {"name": title, "type": kind, "split": split},
        "metrics": metrics,
    }
