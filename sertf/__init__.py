"""sertf: a model zoo for speech emotion recognition on TensorFlow and Keras 3.

The public names:

- `load`: a trained model, as a `sertf.inference.Recognizer`; `presets` lists those that ship with sertf.
- `pretrained`: the Keras model of a trained one, to fine-tune.
- `SpeechEmotionClassifier`: a scikit-learn estimator on audio files.
- `corpora`: `CORPORA`, `load`, `load_several`, `load_table` give utterance tables.
- `protocols`: `PROTOCOLS` and `protocol` give folds; `audit.audit` lists what they leak.
- `features`: `FEATURES`, the front ends, and `FrontEnd`, the base class of a custom one.
- `cache`: `FeatureCache` computes features once.
- `models`: `MODELS`, functions that build Keras models.
- `training`: `Recipe`, `fit`, `scaling.parts_of`, `batches`.
- `experiment`: `Experiment`, `Variant`, `Setting`, `Recipe`, `run`, and `main` for scripts.
- `papers`: `PAPERS`, the published systems; `find` gives an experiment by its name, `SPACES` the search spaces.
- `evaluation`: `scores`, `statistics`, `groups`, `reproducibility`, `zero_shot`.
- `reports`: `write_report`.
- `export`: `saved_model.save`.
- `tuning`: `search.search` searches such a space.

Every name loads when it is first touched. So `import sertf` stays fast: TensorFlow, Keras and librosa come with the
package that needs them.
"""

import os
import sys

import lazy_loader

from sertf import keras_import

# TensorFlow turns oneDNN off on processors without AVX-512. There too it trains SpeechNet 1.2 times and the
# CNN-Transformer 1.7 times as fast. TensorFlow reads this when it loads. The digits are equal only if all processes agree.
if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"


def load(model=None):
    """Load a `sertf.inference.Recognizer`: an exported model by its folder, a bundled one by its name, or the default."""
    from sertf.inference import bundled, recognizer

    return recognizer.load(bundled.folder_of(model))


def presets():
    """The trained models that ship with sertf: a dict of name and one line each, which prints as a list."""
    from sertf.inference import bundled

    return bundled.presets()


def pretrained(model=None):
    """Load the Keras model of an exported or bundled one, with front end, scaling and emotions, to fine-tune it."""
    from sertf.inference import pretrained as exported

    return exported.pretrained(model)


keras_import.watch()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
