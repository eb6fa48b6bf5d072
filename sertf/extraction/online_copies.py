"""Copies of training utterances drawn anew in every epoch, from waveform to scaled features."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sertf.audio.augmentation import Augmentation
from sertf.audio.files import audio_digest, read_audio
from sertf.errors import SertfError
from sertf.extraction.clip import altered, compiled, pad_clip, usable_cores

if TYPE_CHECKING:
    import keras
    import pandas as pd


def drawable(
    copies: "pd.DataFrame", front_end: "keras.Layer", augmentation: Augmentation, *, seed: int, skip_bad: bool = False
) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """The copies that can be drawn. A silent clip, for instance, gets no copy with noise.

    For the test it makes one copy of each clip and drops it. A step that moves a clip at random may still leave silence
    in some epoch; nobody can know that before.

    Args:
        copies: table of copies, with `path` and `copy`, of clips whose features could be extracted.
        front_end: layer of `sertf.features`.
        augmentation: `sertf.audio.augmentation.Augmentation`.
        seed: seed of the test copies.
        skip_bad: leave copies that cannot be drawn out.

    Returns:
        The table without these, and their (path, reason), as in `sertf.extraction.cache.Features.skipped`.

    Raises:
        SertfError: without `skip_bad`, for all clips at once.
    """

    def fault(path):
        samples, rate = read_audio(path, sample_rate=front_end.sample_rate)
        try:
            altered(front_end, augmentation, seed, 1, samples, audio_digest(samples, rate))
        except SertfError as error:
            return str(path), str(error)

    paths = list(dict.fromkeys(copies["path"]))
    with ThreadPoolExecutor(usable_cores()) as pool:
        bad = [found for found in pool.map(fault, paths) if found is not None]
    if bad and not skip_bad:
        listed = "\n".join(f"  {path}: {reason}" for path, reason in bad)
        raise SertfError(
            f"No augmented copy can be drawn of {len(bad)} of {len(paths)} clips; mend them, or train without their "
            f"copies with skip_bad (--skip-bad):\n{listed}"
        )
    return copies[~copies["path"].astype(str).isin({path for path, _ in bad})], bad


@dataclass(frozen=True)
class CopyPlan:
    """The copies of training utterances that a worker draws anew every epoch.

    Attributes:
        augmentation: the augmentation of a copy.
        copies: each copy's utterance to that of its original, the path of its recording and its number.
    """

    augmentation: Augmentation
    copies: dict[str, tuple[str, str, int]]

    def originals(self, utterances: Iterable[str]) -> tuple[str, ...]:
        """The originals among some utterances and those of the copies among them, each once."""
        return tuple(dict.fromkeys(self.copies[u][0] if u in self.copies else u for u in utterances))

    def rows(self, utterances: Sequence[str]) -> dict[str, int]:
        """Utterances of a training part with its copies, or of these alone, to the index of their original in it.

        Until copies are drawn, the original's features stand for each.
        """
        place = {utterance: i for i, utterance in enumerate(utterances)}
        made = {copy: place[parent] for copy, (parent, _, _) in self.copies.items() if parent in place}
        return {**place, **made} if self.augmentation.keep_original else made


class OnlineCopies:
    """Augmented copies made on demand. Memory holds the clean waveforms, read when first needed.

    Args:
        copies: mapping of a copy's name to the path of its recording and its number.
        front_end: layer of `sertf.features`.
        augmentation: `sertf.audio.augmentation.Augmentation`.
        scaling: function of a copy's name to a function of its features, (frames, dims).
        seed: seed of the run; the same seed, epoch, recording and number give the same copy.
    """

    def __init__(
        self,
        copies: Mapping[str, tuple[str, int]],
        front_end: "keras.Layer",
        augmentation: Augmentation,
        scaling: Callable[[str], Callable[[np.ndarray], np.ndarray]],
        *,
        seed: int,
    ):
        self.copies = copies
        self.front_end = front_end
        self.augmentation = augmentation
        self.scaling = scaling
        self.seed = seed
        self._compute = compiled(front_end)
        self._clips: dict[str, tuple[np.ndarray, int, str]] = {}

    def __contains__(self, utterance: str) -> bool:
        return utterance in self.copies

    def draw(self, utterance: str, epoch: int) -> np.ndarray:
        """Scaled features of a copy in an epoch, (frames, dims) float32."""
        path, copy = self.copies[utterance]
        if path not in self._clips:
            samples, rate = read_audio(path, sample_rate=self.front_end.sample_rate)
            self._clips[path] = samples, rate, audio_digest(samples, rate)
        samples, rate, digest = self._clips[path]
        seed = np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0]
        try:
            samples = altered(self.front_end, self.augmentation, int(seed), copy, samples, digest)
        except SertfError as error:
            raise SertfError(
                f"{path}: copy {copy} cannot be drawn in epoch {epoch + 1}: {error}; leave it out."
            ) from error
        features = self._compute(*pad_clip(samples, rate))[0]
        return self.scaling(utterance)(self.front_end.own_frames(features, len(samples)))
