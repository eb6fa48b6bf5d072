"""Versions, backend, device and kernels for a manifest."""

import contextlib
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any


def environment(backend: str | None = None) -> dict[str, Any]:
    """Versions, backend, device and kernels for a manifest; `backend` trained the run, None for Keras's current one."""
    import keras

    backend = backend or keras.backend.backend()
    packages = ["sertf", "keras", "numpy", "librosa", backend]
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            # Distributed under another name (tensorflow-cpu), or run from a checkout.
            versions[package] = getattr(sys.modules.get(package), "__version__", "unknown")
    found = {"versions": versions, "backend": backend, "device": _device()}
    if backend == "tensorflow":
        # It changes the order of sums, and so the last digits.
        found["onednn"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as by default")
    return found


def _device():
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        return device.device_kind if device.platform != "cpu" else f"CPU ({_processor()})"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return f"CPU ({_processor()})"


def _processor():
    """The processor's name if the system tells it, else its architecture; processors round differently."""
    with contextlib.suppress(OSError):  # Python itself does not know it on Linux
        found = re.search(r"^model name\s*:\s*(.*\S)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
