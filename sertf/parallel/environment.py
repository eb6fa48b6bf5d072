"""The backend, and the environment variables under which worker processes start."""

import contextlib
import importlib.util
import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from sertf.errors import SertfError

# glibc hands every large array back to the system, which clears its pages anew: 40 % of a worker's time with SpeechNet.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 33), "MALLOC_ARENA_MAX": "1"}


BACKENDS = ("tensorflow", "jax")


def check_backend() -> None:
    """Raise SertfError unless models train on the backend that Keras is going to take, and it is installed.

    Keras takes it from the variable KERAS_BACKEND, else from its keras.json, else TensorFlow.
    """
    named, place = os.environ.get("KERAS_BACKEND"), "KERAS_BACKEND"
    if not named:
        place = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        try:
            named = json.loads(place.read_text(encoding="utf-8"))["backend"]
        except (OSError, ValueError, KeyError, TypeError):
            named = BACKENDS[0]
    if named not in BACKENDS:
        raise SertfError(
            f"{place}: sertf runs on the Keras backends {' and '.join(BACKENDS)}, not on {named}; set "
            f"KERAS_BACKEND={BACKENDS[0]}."
        )
    if named != BACKENDS[0] and importlib.util.find_spec(named) is None:  # TensorFlow comes with sertf
        raise SertfError(f"{place}: the backend {named} is not installed; pip install 'sertf[{named}]'.")


def forget_models() -> None:
    """Drop what a worker's backend keeps of a finished model, so that its memory stays flat over many runs."""
    import keras

    keras.backend.clear_session()
    if keras.backend.backend() == "jax":
        import jax

        jax.clear_caches()


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that it writes before its log level counts, nor its hints on tracing later."""
    with standard_error_hidden():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")


def environment(cache: Path | str) -> dict[str, str]:
    """Environment variables under which worker processes start: one thread each, since the processes fill the cores."""
    import keras

    return {
        "KERAS_BACKEND": keras.backend.backend(),
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        **KEEP_MEMORY,
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false "
        "intra_op_parallelism_threads=1".strip(),
        # A recipe's repeats compile the same steps; what one worker compiled the others read.
        "JAX_COMPILATION_CACHE_DIR": str(Path(cache) / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


@contextlib.contextmanager
def in_environment(wanted: Mapping[str, str | None]) -> Iterator[None]:
    """Environment variables inside, those of before after it; None removes one."""
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(variables):
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


_hiding = threading.Lock()
_hidden: list[int] = []
"""File descriptor of standard error while it is hidden, once for each block inside."""


@contextlib.contextmanager
def standard_error_hidden() -> Iterator[None]:
    """Send what this process's compiled code writes to standard error nowhere; exceptions are raised as ever.

    Threads may hide it at the same time. It is back when the last of their blocks ends.
    """
    with _hiding:
        if not _hidden:
            _hidden.append(os.dup(2))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        else:
            _hidden.append(_hidden[0])
    try:
        yield
    finally:
        with _hiding:
            kept = _hidden.pop()
            if not _hidden:
                os.dup2(kept, 2)
                os.close(kept)
