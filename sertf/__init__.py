"""sertf: a model zoo for speech emotion recognition on TensorFlow and Keras 3.

The public names:

- `load`: a trained model, as a `sertf.inference.Recognizer`.
- `corpora`: `CORPORA`, `load`, `load_several`, `load_table` give utterance tables.
- `protocols`: `PROTOCOLS` and `protocol` give folds, `audit.audit` says what they leak.
- `features`: `FEATURES`, the front ends, and `FrontEnd` for one of your own.
- `cache`: `FeatureCache` computes features once.
- `models`: `MODELS`, functions that build Keras models.
- `training`: `Recipe`, `fit`, `scaling.parts_of`, `batches`.
- `experiment`: `Experiment`, `Variant`, `Setting`, `Recipe`, `run`, and `main` for scripts.
- `papers`: `PAPERS`, the published systems; `find` gives an experiment by its name, `SPACES` the search spaces.
- `evaluation`: `scores`, `statistics`, `groups`, `reproducibility`, `zero_shot`.
- `reports`: `write_report`.
- `export`: `saved_model.save`.
- `tuning`: `search.search` searches such a space.

Everything loads when it is first touched, so that `import sertf` stays fast: TensorFlow, Keras and librosa come with the
package that needs them.
"""

import os
import sys

import lazy_loader

# Off by default on processors without AVX-512; there too oneDNN trains SpeechNet 1.2 times and the CNN-Transformer 1.7
# times as fast. TensorFlow asks when it loads, and all processes of a run must answer alike to give the same digits.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"


def load(model=None):
    """Load a model as a `sertf.inference.Recognizer`: an exported one's folder, a bundled one's name, or the default."""
    from sertf.inference import bundled, recognizer

    return recognizer.load(bundled.folder_of(model))


__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
