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
from .extraction import cache
from .inference.recognizer import Recognizer

__version__: str

def load(model: str | os.PathLike[str] | None = None) -> Recognizer: ...

__all__ = [
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
    "protocols",
    "reports",
    "runs",
    "training",
    "tuning",
]
