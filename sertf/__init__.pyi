import os

from . import (
    audio,
    corpora,
    errors,
    evaluation,
    experiment,
    export,
    extraction,
    features,
    inference,
    layers,
    losses,
    metrics,
    models,
    papers,
    plots,
    protocols,
    reports,
    runs,
    training,
    tuning,
)
from .export.pretrained import Pretrained
from .extraction import cache
from .inference.bundled import Presets
from .inference.recognizer import Recognizer

__version__: str

def load(model: str | os.PathLike[str] | None = None) -> Recognizer: ...
def presets() -> Presets: ...
def pretrained(model: str | os.PathLike[str] | None = None) -> Pretrained: ...

__all__ = [
    "Presets",
    "Pretrained",
    "Recognizer",
    "audio",
    "cache",
    "corpora",
    "errors",
    "evaluation",
    "experiment",
    "export",
    "extraction",
    "features",
    "inference",
    "layers",
    "load",
    "losses",
    "metrics",
    "models",
    "papers",
    "plots",
    "presets",
    "pretrained",
    "protocols",
    "reports",
    "runs",
    "training",
    "tuning",
]
