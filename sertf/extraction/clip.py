"""The features of one clip: decode, perhaps augment, pad, run the compiled front end, store."""

import inspect
import json
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sertf import files
from sertf.audio.augmentation import Augmentation, seed_of
from sertf.audio.files import AudioError, audio_digest, read_audio
from sertf.custom.code import source_digest
from sertf.errors import SertfError
from sertf.extraction.cache_entries import entry_path, stored_frames, write_entry

if TYPE_CHECKING:
    import keras

# Clips inside the front end at one time. Its backend spreads each over the cores too, and memory stays bounded on
# machines with many cores.
CLIPS_AT_ONCE = 4
# Clips are padded to multiples of this, so that a backend that compiles for each shape (JAX) gets few shapes.
PADDING_SECONDS = 0.5
# Packages whose version, not their files, decides what a front end computes.
_NOT_OWN = ("sertf", "keras", "tensorflow", "builtins")


class CacheError(SertfError):
    """The cache folder or clips in the table cannot be used.

    Attributes:
        bad: (path, reason) of every unusable clip; empty if the folder is the fault.
    """

    def __init__(self, message: str, bad: Iterable[tuple[str, str]] = ()):
        super().__init__(message, bad)
        self.bad = list(bad)

    def __str__(self):
        return self.args[0]


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def front_end_key(front_end: "keras.Layer") -> dict[str, Any]:
    """Everything that decides a front end's features: class, version, configuration, digest of pretrained weights.

    For a custom front end also the files of its class and base classes, but not what these import.
    """
    config = front_end.get_config()
    config.pop("name", None)  # Keras numbers layers' names; they do not change the arithmetic
    made: Any = type(front_end)
    for argument in made.added_later:
        if config[argument] == inspect.signature(made).parameters[argument].default:
            del config[argument]
    key = {"class": made.__name__, "version": made.version, "config": config}
    if front_end.pretrained is not None:
        key["weights"] = front_end.pretrained["digest"]
    own = [part for part in made.__mro__ if part.__module__.partition(".")[0] not in _NOT_OWN]
    if own:
        key["source"] = [[part.__module__, part.__name__, source_digest(part)] for part in own]
        key["versions"] = [part.version for part in made.__mro__ if "version" in vars(part)]
    return key


def front_end_digest(front_end: "keras.Layer") -> str:
    """Hex digest of `front_end_key`."""
    text = json.dumps(front_end_key(front_end), sort_keys=True)
    return files.digest(text.encode(), size=16)


def pad_clip(samples: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """A clip zero padded to a standard length, (1, padded samples), and its unpadded length, (1,).

    One clip a call: matrix products round by the place of a row in its batch. A clip's features must not depend, not
    even in the last bit, on which other clips the cache lacked. With calls from several threads it costs no time.
    """
    step = round(PADDING_SECONDS * sample_rate)
    padded = np.zeros((1, -(-len(samples) // step) * step), "float32")
    padded[0, : len(samples)] = samples
    return padded, np.array([len(samples)], "int32")


class Compiled:
    """A front end compiled by the Keras backend when first called; safe to call from several threads."""

    def __init__(self, front_end: "keras.Layer"):
        self._front_end = front_end
        self._function: Callable[..., Any] | None = None
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(CLIPS_AT_ONCE)

    def __call__(self, waveform: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """(rows, samples) and (rows,) to a NumPy array (rows, frames, dims)."""
        with self._lock:
            if self._function is None:
                self._function = self._compile()
        with self._turns:
            return np.asarray(self._function(waveform, lengths))

    def _compile(self):
        import keras

        if not self._front_end.built:
            self._front_end.build((None, None))
        if keras.backend.backend() == "jax":
            import jax

            return jax.jit(self._front_end)
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            signature = [tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)]
            return tf.function(self._front_end, input_signature=signature).get_concrete_function()
        raise CacheError(f"the Keras backend must be tensorflow or jax, got {keras.backend.backend()}.")


# One for each front end digest: a second extraction in the same process does not compile again.
_compiled: dict[str, Compiled] = {}


def compiled(front_end: "keras.Layer") -> Compiled:
    """The compiled front end, shared by all front ends of the same digest."""
    return _compiled.setdefault(front_end_digest(front_end), Compiled(front_end))


def altered(
    front_end: "keras.Layer", augmentation: Augmentation, seed: int, copy: int, samples: np.ndarray, digest: str
) -> np.ndarray:
    """A numbered copy of a recording. The augmentation acts on the part that the front end reads.

    A front end that reads a fixed span sees zeros behind a short clip's end. They are augmented too.
    """
    start, stop = front_end.span or (0, len(samples))
    samples = np.pad(samples, (0, max(0, stop - len(samples))))
    made = augmentation.apply(samples[start:stop], seed, seed_of(digest), copy)
    return np.concatenate([samples[:start], made, samples[stop:]])


class Extracted(NamedTuple):
    """A clip with stored features: digest of its audio, frames, samples, and their sample rate in Hz."""

    digest: str
    frames: int
    samples: int
    sample_rate: int


def extract_clip(
    path: Path | str,
    front_end: "keras.Layer",
    compute: Compiled,
    folder: Path,
    alter: Callable[[np.ndarray, str], np.ndarray] | None = None,
) -> Extracted | str:
    """Decode a clip and store its features if they are missing: an `Extracted`, or the reason why not.

    `alter`, a function of samples and their digest, gives samples that replace the clip's own.
    """
    try:
        samples, rate = read_audio(path, sample_rate=front_end.sample_rate)
    except AudioError as error:
        return error.reason
    if len(samples) < front_end.minimum_samples:
        needed = front_end.minimum_samples / rate
        return f"too short: {len(samples) / rate:.3f} s, {type(front_end).__name__} needs {needed:.3f} s"
    digest = audio_digest(samples, rate)
    if alter is not None:
        try:
            samples = alter(samples, digest)
        except SertfError as error:
            return str(error)
        digest = audio_digest(samples, rate)
    frames = stored_frames(entry_path(folder, digest))
    if frames is not None:
        return Extracted(digest, frames, len(samples), rate)
    features = front_end.own_frames(compute(*pad_clip(samples, rate))[0], len(samples))  # (frames, dims)
    return store(features, folder, digest) or Extracted(digest, len(features), len(samples), rate)


def store(features: np.ndarray, folder: Path, digest: str) -> str | None:
    """Write an utterance's features; returns the reason if they must not be stored."""
    if not np.isfinite(features).all():
        return "its features are not finite (NaN or infinite); look at the clip or leave it out"
    path = entry_path(folder, digest)
    try:
        write_entry(path, features)
    except OSError as error:
        raise CacheError(
            f"{path}: cannot be written ({error.strerror}); free some space or give another cache folder, and run "
            "the same command again to resume."
        ) from error
    return None
