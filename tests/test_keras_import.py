import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from sertf.losses import BalancedMarginLoss
from sertf.metrics import UnweightedAverageRecall
from sertf.models import MODELS


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A compiled network with layers, a loss and a metric of sertf, in a file."""
    network = MODELS["speechnet"]((8, 5), 3)
    network.compile("adam", BalancedMarginLoss([1.0, 1.0, 1.0]), metrics=[UnweightedAverageRecall(3)])
    network.fit(np.ones((4, 8, 5)), np.array([0, 1, 2, 0]), verbose=0)
    path = tmp_path_factory.mktemp("network") / "weights.keras"
    network.save(path)
    return path


def said(code, *arguments, **environment):
    """What a new process prints, on standard error if it fails."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@pytest.mark.parametrize(
    "imports",
    ["import sertf, keras", "import keras, sertf", "import sertf; sertf.losses; import keras"],
)
def test_keras_loads_a_network_once_sertf_is_imported(network, imports):
    code = (
        f"{imports}\nimport sys\nmodel = keras.models.load_model(sys.argv[1])\nprint(model.loss.name, model.compiled)"
    )
    assert said(code, network) == "balanced_margin True"


def test_keras_alone_does_not(network):
    code = "import keras, sys\nkeras.models.load_model(sys.argv[1])"
    assert "Could not locate class" in said(code, network)


@pytest.mark.parametrize("name", ["layers", "losses", "metrics", "features", "models"])
def test_another_backend_is_one_sentence(name):
    expected = "KERAS_BACKEND: sertf runs on the Keras backends tensorflow and jax, not on torch; set"
    assert expected in said(f"import sertf; sertf.{name}", KERAS_BACKEND="torch").splitlines()[-1]


def test_keras_itself_works_on_with_another_backend():
    assert said("import sertf, keras; print(keras.backend.backend())", KERAS_BACKEND="numpy") == "numpy"


def test_the_file_of_keras_is_found_as_without_sertf():
    code = "import keras; print(keras.__spec__.origin)"
    assert said(f"import sertf; {code}") == importlib.util.find_spec("keras").origin
    assert keras.__spec__.loader is not None
