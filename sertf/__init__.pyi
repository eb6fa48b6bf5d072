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
from .inference.bundled import Presets
from .inference.estimator import SpeechEmotionClassifier
from .inference.pretrained import Pretrained
from .inference.recognizer import Recognizer

__version__: str

def load(model: str | os.PathLike[str] | None = None) -> Recognizer: ...
def presets() -> Presets: ...
def pretrained(model: str | os.PathLike[str] | None = None) -> Pretrained: ...

__all__ = [
    "Presets",
    "Pretrained",
    "Recognizer",
    "SpeechEmotionClassifier",
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
