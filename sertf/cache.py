"""The content-addressed feature store: each utterance's features on disk, made once.

An entry's key is the digest of the decoded audio and the digest of the front end (class, configuration, version).
The same recording at another path is a hit; a changed recording or parameter is a miss. Entries are written to a
temporary name and renamed, so that an extraction that was broken off goes on where it stopped, and carry a checksum,
so that a damaged one is noticed, said and made again.

    folder/<front end digest>/front_end.json
    folder/<front end digest>/<audio digest>.npy    a .npy file and the SHA-256 of its bytes
"""

import hashlib
import json
import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sertf import audio
from sertf.augmentation import seed_of
from sertf.entries import DamagedEntry, entry_path, read_entry, stored_frames, write_atomically, write_entry
from sertf.errors import SertfError, expanded
from sertf.notes import say_cuts, say_rates
from sertf.progress import shown

# Clips inside the front end at one time: its backend spreads each over the cores too, and memory stays bounded on
# machines of many cores.
CLIPS_AT_ONCE = 4
# Clips are padded to multiples of this, so that a backend that compiles for each shape (JAX) meets few of them.
PADDING_SECONDS = 0.5


class CacheError(SertfError):
    """The cache folder or clips in the table cannot be used.

    Attributes:
        bad: (path, reason) of every clip that is at fault; empty if the folder is.
    """

    def __init__(self, message, bad=()):
        super().__init__(message, bad)
        self.bad = list(bad)

    def __str__(self):
        return self.args[0]


def usable_cores():
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def front_end_key(front_end):
    """What makes a front end's features what they are: class, version, configuration."""
    config = front_end.get_config()
    config.pop("name", None)  # Keras numbers the names of layers; the arithmetic does not depend on it
    return {"class": type(front_end).__name__, "version": type(front_end).version, "config": config}


def front_end_digest(front_end):
    """Hex digest of `front_end_key`."""
    text = json.dumps(front_end_key(front_end), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def pad_clip(samples, sample_rate):
    """A clip zero padded to a standard length, (1, padded samples), and its own length, (1,).

    One clip a call: matrix products round by the place of a row in its batch, and a clip's features must not depend,
    not in the last bit, on what else was missing from the cache. With calls from several threads it costs no time.
    """
    step = round(PADDING_SECONDS * sample_rate)
    padded = np.zeros((1, -(-len(samples) // step) * step), "float32")
    padded[0, : len(samples)] = samples
    return padded, np.array([len(samples)], "int32")


class Compiled:
    """A front end compiled by the Keras backend when first called; safe to call from several threads."""

    def __init__(self, front_end):
        self._front_end = front_end
        self._function = None
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(CLIPS_AT_ONCE)

    def __call__(self, waveform, lengths):
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
_compiled = {}


def compiled(front_end):
    """The compiled front end, shared by all front ends of the same digest."""
    return _compiled.setdefault(front_end_digest(front_end), Compiled(front_end))


def altered(front_end, augmentation, seed, copy, samples, digest):
    """A numbered copy of a recording under an augmentation, which acts on what the front end reads of it.

    A front end that reads a fixed span sees zeros behind a short clip's end; they belong to what is augmented.
    """
    start, stop = front_end.span or (0, len(samples))
    samples = np.pad(samples, (0, max(0, stop - len(samples))))
    made = augmentation.apply(samples[start:stop], seed, seed_of(digest), copy)
    return np.concatenate([samples[:start], made, samples[stop:]])


class Extracted(NamedTuple):
    """A clip whose features are stored: digest of its audio, frames, samples, and the sample rate of these in Hz."""

    digest: str
    frames: int
    samples: int
    sample_rate: int


def extract_clip(path, front_end, compute, folder, alter=None):
    """Decode a clip and store its features if they are missing: an `Extracted`, or the reason why not.

    `alter`, a function of samples and their digest, gives the samples that are used in place of the clip's own.
    """
    try:
        samples, rate = audio.read(path, sample_rate=front_end.sample_rate)
    except audio.AudioError as error:
        return error.reason
    if len(samples) < front_end.minimum_samples:
        needed = front_end.minimum_samples / rate
        return f"too short: {len(samples) / rate:.3f} s, {type(front_end).__name__} needs {needed:.3f} s"
    digest = audio.digest(samples, rate)
    if alter is not None:
        try:
            samples = alter(samples, digest)
        except SertfError as error:
            return str(error)
        digest = audio.digest(samples, rate)
    frames = stored_frames(entry_path(folder, digest))
    if frames is not None:
        return Extracted(digest, frames, len(samples), rate)
    features = compute(*pad_clip(samples, rate))[0, : front_end.frames(len(samples))]  # (frames, dims)
    return store(features, folder, digest) or Extracted(digest, len(features), len(samples), rate)


def store(features, folder, digest):
    """Write an utterance's features; returns the reason if they must not be kept."""
    if not np.isfinite(features).all():
        return "its features are not finite (NaN or infinite); look at the clip or leave it out"
    path = entry_path(folder, digest)
    try:
        write_entry(path, features)
    except OSError as error:
        raise CacheError(
            f"{path}: cannot be written ({error.strerror}); free some space or give another cache folder, then run "
            "the same command again: it goes on from there."
        ) from error
    return None


@dataclass(frozen=True, repr=False)
class Features(Mapping):
    """Features of a table's utterances, from utterance id to float32 (frames, dims); read from disk when asked for.

    Holds paths and no arrays: small, and cheap to send to worker processes.

    Attributes:
        folder: Where the entries lie.
        audio_digests: Utterance to the digest of its decoded audio; equal digests are duplicate recordings.
        lengths: Utterance to its number of frames.
        skipped: (path, reason) of each clip that was left out.
        front_end_digest: Digest of the front end's class, configuration and version.
        sample_rates: Utterance to the Hz at which the front end took it.
    """

    folder: Path
    audio_digests: dict
    lengths: dict
    skipped: list
    front_end_digest: str
    sample_rates: dict

    @property
    def utterances(self):
        """The utterance ids, in the table's order."""
        return list(self.audio_digests)

    def __getitem__(self, utterance):
        path = entry_path(self.folder, self.audio_digests[utterance])
        try:
            return read_entry(path)
        except (DamagedEntry, OSError) as error:
            raise CacheError(f"{path}: cannot be read ({error}); extract the features again.") from error

    def __iter__(self):
        return iter(self.audio_digests)

    def __len__(self):
        return len(self.audio_digests)

    def joined(self, other):
        """These features and those of other utterances of the same front end."""
        return replace(
            self,
            audio_digests={**self.audio_digests, **other.audio_digests},
            lengths={**self.lengths, **other.lengths},
            skipped=[*self.skipped, *other.skipped],
            sample_rates={**self.sample_rates, **other.sample_rates},
        )

    def load(self, utterances):
        """The features of some utterances, a list of arrays (frames, dims)."""
        return [self[utterance] for utterance in utterances]


class FeatureCache:
    """Feature store below a folder.

    Args:
        folder: Made if missing; `~` is the home folder.
    """

    def __init__(self, folder="~/.cache/sertf"):
        self.folder = expanded(folder)

    def extract(self, table, front_end, *, augmentation=None, seed=0, workers=None, skip_bad=False, progress=True):
        """Features of every utterance of a table, computed where the cache lacks them.

        Each thread decodes a clip, pads it to a standard length and runs the compiled front end on it: all cores
        busy, and only one clip for each thread in memory.

        Args:
            table: Utterance table; the columns `utterance` and `path` are used.
            front_end: A layer of `sertf.features`; clips are resampled to its sample rate.
            augmentation: `sertf.augmentation.Augmentation` that makes each row another copy of its clip, by the
                column `copy`; None takes the clips as they are.
            seed: Of the augmentation; a copy is the same for the same seed, recording and number.
            workers: Threads; every core that this process may use if None.
            skip_bad: Leave unusable clips out and list them in `Features.skipped`.
            progress: Show a progress bar on stderr.

        Returns:
            `Features`.

        Raises:
            CacheError: if the folder cannot be written, before any work; or, without `skip_bad`, for all unusable
                clips at once, after the others have been stored.
        """
        workers = workers or usable_cores()
        # What is worked on, a clip or a numbered copy of it; utterances of one file share it.
        clips = [(str(path), copy) for path, copy in zip(table["path"], table["copy"] if augmentation else repeat(0))]
        wanted = list(dict.fromkeys(clips))
        folder = self._prepare(front_end)
        results = {}  # clip: Extracted, or the reason why there is none
        compute = compiled(front_end)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="extract")
        try:
            with shown(f"Extracting {type(front_end).__name__} features", len(wanted), show=progress) as advance:
                tasks = {}
                for clip in wanted:
                    alter = augmentation and partial(altered, front_end, augmentation, seed, clip[1])
                    tasks[pool.submit(extract_clip, clip[0], front_end, compute, folder, alter)] = clip
                for task in as_completed(tasks):
                    results[tasks[task]] = task.result()
                    advance(1)
        finally:
            # After Ctrl-C or an error the waiting clips are dropped; those in work end within a second.
            pool.shutdown(cancel_futures=True)
        bad = list(dict.fromkeys((clip[0], results[clip]) for clip in wanted if isinstance(results[clip], str)))
        if bad and not skip_bad:
            listed = "\n".join(f"  {path}: {reason}" for path, reason in bad)
            raise CacheError(
                f"{len(bad)} of {len({path for path, _ in wanted})} clips cannot be used; mend them, or leave them out "
                f"with skip_bad (--skip-bad):\n{listed}",
                bad,
            )
        good = {
            utterance: results[clip]
            for utterance, clip in zip(table["utterance"], clips, strict=True)
            if not isinstance(results[clip], str)
        }
        say_cuts(front_end, [clip.samples for clip in good.values()])
        say_rates(front_end, [clip.sample_rate for clip in good.values()])
        return Features(
            folder=folder,
            audio_digests={utterance: clip.digest for utterance, clip in good.items()},
            lengths={utterance: clip.frames for utterance, clip in good.items()},
            skipped=bad,
            front_end_digest=front_end_digest(front_end),
            sample_rates={utterance: clip.sample_rate for utterance, clip in good.items()},
        )

    def _prepare(self, front_end):
        """Make the front end's folder, or say before any work why nothing can be kept there."""
        folder = self.folder / front_end_digest(front_end)
        description = json.dumps(front_end_key(front_end), indent=2, sort_keys=True)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "front_end.json", (description + "\n").encode())
        except OSError as error:
            raise CacheError(
                f"{self.folder}: the feature cache cannot be written ({error.strerror}); make the folder writable or "
                "give another one."
            ) from error
        return folder
