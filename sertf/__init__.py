"""sertf: a model zoo for speech emotion recognition on TensorFlow and Keras 3.

Submodules load when first touched, so that `import sertf` stays fast: TensorFlow, Keras and librosa come with the
module that needs them.
"""

import importlib
import os
import sys

# Off by default on processors without AVX-512; there too oneDNN trains SpeechNet 1.2 times and the CNN-Transformer 1.7
# times as fast. TensorFlow asks when it loads, and all processes of a run must answer alike to give the same digits.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

_SUBMODULES = (
    "audio",
    "audit",
    "bundled",
    "cache",
    "corpora",
    "download",
    "experiment",
    "export",
    "features",
    "layers",
    "litert",
    "metrics",
    "models",
    "pipeline",
    "plots",
    "protocols",
    "recipes",
    "recognizer",
    "report",
    "results",
    "runner",
    "scores",
    "statistics",
    "systems",
    "training",
    "tuning",
    "utterances",
)


def load(model=None):
    """Load a model as a `sertf.recognizer.Recognizer`: an exported one's folder, a bundled one's name, or the default."""
    folder = importlib.import_module("sertf.bundled").folder_of(model)
    return importlib.import_module("sertf.recognizer").load(folder)


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"sertf.{name}")
    raise AttributeError(f"module 'sertf' has no attribute '{name}'")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
