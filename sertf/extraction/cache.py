"""The content-addressed feature cache: each utterance's features on disk, computed once.

An entry's key is the digest of the decoded audio and the digest of the front end (class, configuration, version). The
same recording at another path is a hit; a changed recording or parameter is a miss. Entries are written under a
temporary name and renamed, so an interrupted extraction resumes where it stopped. They carry a checksum. A damaged
entry raises a warning and is computed again.

TensorFlow and JAX share the entries, but round the last digits differently: on real speech by a millionth of a feature
on average. To reproduce a run to the last digit, fill the cache with the same backend.

    folder/<front end digest>/front_end.json
    folder/<front end digest>/<audio digest>.npy    a .npy file and the SHA-256 of its bytes
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.audio.augmentation import Augmentation
from sertf.errors import expanded
from sertf.extraction.cache_entries import DamagedEntry, entry_path, read_entry
from sertf.extraction.clip import (
    CacheError,
    altered,
    compiled,
    extract_clip,
    front_end_digest,
    front_end_key,
    usable_cores,
)
from sertf.extraction.warnings import say_cuts, say_rates
from sertf.files import write_text
from sertf.parallel.progress import shown

if TYPE_CHECKING:
    import keras
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Features(Mapping[str, np.ndarray]):
    """Features of a table's utterances, from utterance id to float32 (frames, dims), read from disk when needed.

    Holds paths and no arrays: small, and cheap to send to worker processes.

    Attributes:
        folder: Folder of the entries.
        audio_digests: Utterance to the digest of its decoded audio; equal digests are duplicate recordings.
        lengths: Utterance to its number of frames.
        skipped: (path, reason) of each clip left out.
        front_end_digest: Digest of the front end's class, configuration and version.
        sample_rates: Utterance to the Hz that the front end used.
    """

    folder: Path
    audio_digests: dict[str, str]
    lengths: dict[str, int]
    skipped: list[tuple[str, str]]
    front_end_digest: str
    sample_rates: dict[str, int]

    @property
    def utterances(self) -> list[str]:
        """The utterance ids, in the table's order."""
        return list(self.audio_digests)

    def __getitem__(self, utterance: str) -> np.ndarray:
        path = entry_path(self.folder, self.audio_digests[utterance])
        try:
            return read_entry(path)
        except (DamagedEntry, OSError) as error:
            raise CacheError(f"{path}: cannot be read ({error}); extract the features again.") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.audio_digests)

    def __len__(self) -> int:
        return len(self.audio_digests)

    def joined(self, other: "Features") -> "Features":
        """These features together with those of other utterances, from the same front end."""
        return replace(
            self,
            audio_digests={**self.audio_digests, **other.audio_digests},
            lengths={**self.lengths, **other.lengths},
            skipped=[*self.skipped, *other.skipped],
            sample_rates={**self.sample_rates, **other.sample_rates},
        )

    def load(self, utterances: Iterable[str]) -> list[np.ndarray]:
        """The features of some utterances, a list of arrays (frames, dims)."""
        return [self[utterance] for utterance in utterances]


class FeatureCache:
    """Feature store below a folder.

    Args:
        folder: Made if missing; `~` is the home folder.
    """

    def __init__(self, folder: Path | str = "~/.cache/sertf"):
        self.folder = expanded(folder)

    def extract(
        self,
        table: "pd.DataFrame",
        front_end: "keras.Layer",
        *,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        workers: int | None = None,
        skip_bad: bool = False,
        progress: bool = True,
    ) -> Features:
        """Features of every utterance of a table. It computes those that the cache lacks.

        Each thread decodes a clip, pads it to a standard length and runs the compiled front end on it. All cores are
        busy, and memory holds one clip a thread.

        Args:
            table: Utterance table; the columns `utterance` and `path` are used.
            front_end: A layer of `sertf.features`; clips are resampled to its sample rate.
            augmentation: `sertf.audio.augmentation.Augmentation`; each row becomes another copy of its clip, by the
                column `copy`. None uses the clips as they are.
            seed: Seed of the augmentation; the same seed, recording and number give the same copy.
            workers: Threads; None uses every core that this process may use.
            skip_bad: Leave unusable clips out and list them in `Features.skipped`.
            progress: Show progress on standard error.

        Returns:
            `Features`.

        Raises:
            CacheError: the folder cannot be written, before any work. Or, without `skip_bad`, some clips are unusable;
                it lists them all, after the others were stored.
        """
        workers = workers or usable_cores()
        # The unit of work is a clip or a numbered copy of it. Utterances of one file share it.
        clips = [(str(path), copy) for path, copy in zip(table["path"], table["copy"] if augmentation else repeat(0))]
        wanted = list(dict.fromkeys(clips))
        folder = self._prepare(front_end)
        results: dict[tuple[str, int], Any] = {}  # clip: Extracted, or the reason why there is none
        compute = compiled(front_end)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="extract")
        try:
            with shown(f"Extracting {type(front_end).__name__} features", len(wanted), show=progress) as advance:
                tasks = {}
                for clip in wanted:
                    alter = partial(altered, front_end, augmentation, seed, clip[1]) if augmentation else None
                    tasks[pool.submit(extract_clip, clip[0], front_end, compute, folder, alter)] = clip
                for task in as_completed(tasks):
                    results[tasks[task]] = task.result()
                    advance(1)
        finally:
            # After Ctrl-C or an error the waiting clips are dropped. Those in work end within a second.
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
        """Make the front end's folder, or raise before any work if nothing can be written there."""
        folder = self.folder / front_end_digest(front_end)
        description = json.dumps(front_end_key(front_end), indent=2, sort_keys=True)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "front_end.json", description + "\n")
        except OSError as error:
            raise CacheError(
                f"{self.folder}: the feature cache cannot be written ({error.strerror}); make the folder writable or "
                "give another one."
            ) from error
        return folder
