"""The contracts of layers, features, metrics, models, pipeline and training once more, on the JAX backend."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
MODELS = ["models/test_models.py", "models/test_reslstm_sa.py"]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="already on the JAX backend")
@pytest.mark.parametrize(
    "places",
    [["layers", "test_metrics.py", "training/test_batches.py", "training/test_fit.py", *MODELS], ["features"]],
    ids=["layers to training", "features"],
)
def test_under_jax(places):
    pytest.importorskip("jax")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(str(HERE / place) for place in places)]
    if places == ["features"]:
        # The arithmetic's own tests; the others differ in nothing that a backend decides.
        command += ["-k", "as_alone or chirp or every_descriptor and not real_speech"]
    environment = os.environ | {"KERAS_BACKEND": "jax", "SERTF_TESTS_COMPILED": os.environ["NUMBA_CACHE_DIR"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=HERE.parent)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
