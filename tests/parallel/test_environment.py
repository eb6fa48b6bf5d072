import os
import subprocess
import sys
import threading

import pytest

from sertf.errors import SertfError
from sertf.parallel.environment import check_backend, standard_error_hidden

SCRIPT = """
from sertf.parallel.environment import import_tensorflow_quietly
import_tensorflow_quietly()
import tensorflow as tf
add = tf.function(lambda x: x + 1)
for i in range(12):
    add(i)  # a new Python number is a new graph: TensorFlow's hint on tracing
import sys
import threading
print("kept", file=sys.stderr)
"""


def test_a_worker_imports_tensorflow_without_a_line(tmp_path):
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0
    assert done.stderr == "kept\n"


def test_a_backend_that_is_unknown_or_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    check_backend()
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    with pytest.raises(
        SertfError, match="keras.json: sertf runs on the Keras backends tensorflow and jax, not on torch; set"
    ):
        check_backend()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "jax" else name)
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    with pytest.raises(SertfError, match=r"keras.json: the backend jax is not installed; pip install 'sertf\[jax\]'"):
        check_backend()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # goes before the file
    check_backend()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(SertfError, match="KERAS_BACKEND: the backend jax is not installed"):
        check_backend()


def test_standard_error_is_back_when_the_last_thread_is_done(capfd):
    """The first to hide it is the first to show it, too early for the other."""
    hidden, done = threading.Event(), threading.Event()

    def second():
        with standard_error_hidden():
            hidden.set()
            done.wait(10)
            os.write(2, b"lost")

    thread = threading.Thread(target=second)
    with standard_error_hidden():
        thread.start()
        assert hidden.wait(10)
    done.set()
    thread.join()
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"
