"""The parts of a fold under one scaling, fitted on the rows that the protocol grants, or under one of each speaker."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sertf.errors import SertfError
from sertf.extraction.cache import Features
from sertf.protocols.folds import Fold


class PipelineError(SertfError):
    """Features or settings that make no batches."""


# A fold's features up to this size stay in memory, in every worker. Larger ones (waveforms) are read when needed.
HELD_BYTES = 2 * 2**30


SCALED_EACH = ("dimension", "cell", "nothing")
"""Units that get a mean and a deviation: a feature dimension, for features of one length a dimension in a frame, or none."""


CONSTANT = 1e-6
"""A standard deviation below this share of the mean, or of 1, counts as none."""


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation, of each feature dimension (dims,) or of each cell (frames, dims)."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, arrays: Sequence[np.ndarray], *, each: str = "dimension") -> "Scaling":
        """Fit on a sequence of (frames, dims) arrays; constant values keep a standard deviation of 1."""
        if len(arrays) == 0:
            raise PipelineError("Scaling needs at least one utterance to fit on, but got none.")
        if each not in SCALED_EACH:
            raise PipelineError(f"Scaling must be of each dimension, each cell or nothing, got {each!r}.")
        lengths = lengths_of(arrays)
        if each == "cell" and len(set(lengths)) > 1:
            raise PipelineError(
                f"Scaling of each cell needs features of one length, got {min(lengths)} to {max(lengths)} frames; "
                "scale each dimension, or use a front end that reads a fixed span."
            )
        if each == "nothing":
            dims = arrays[0].shape[1:]
            return cls(np.zeros(dims, np.float32), np.ones(dims, np.float32))
        axis = 0 if each == "dimension" else ()
        count = sum(lengths) if each == "dimension" else len(arrays)
        mean = sum(array.sum(axis=axis, dtype=np.float64) for array in arrays) / count
        variance = sum(((array - mean) ** 2).sum(axis=axis) for array in arrays) / count
        std = np.sqrt(variance)
        # A smaller spread is rounding noise. Dividing by it would amplify the noise.
        constant = std < CONSTANT * np.maximum(np.abs(mean), 1)
        return cls(mean.astype(np.float32), np.where(constant, 1.0, std).astype(np.float32))

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """Scale one (frames, dims) array to float32."""
        return ((array - self.mean) / self.std).astype(np.float32)

    def of(self, utterance: str) -> "Scaling":
        """The scaling of an utterance: the same for all."""
        return self

    def arrays(self) -> dict[str, Any]:
        """What a run directory keeps."""
        return {"mean": self.mean, "std": self.std}


@dataclass(frozen=True)
class SpeakerScaling:
    """A scaling of each speaker, fitted on unlabelled clips of their own.

    Attributes:
        by_speaker: `Scaling` by speaker.
        speakers: utterance to speaker.
        unknown: the scaling of a speaker without clips, fitted on the training part as a whole.
        trained: how many speakers that part has.
        enrolled: the utterances that the scalings of other speakers come from.
    """

    by_speaker: Mapping[str, Scaling]
    speakers: Mapping[str, str]
    unknown: Scaling
    trained: int
    enrolled: frozenset[str] = frozenset()

    @classmethod
    def fit(
        cls,
        features: Mapping[str, np.ndarray],
        speakers: Mapping[str, str],
        fold: Fold,
        *,
        unknown: Scaling,
        clips: int | None = None,
        seed: int = 0,
        each: str = "dimension",
        copies: Collection[str] = (),
    ) -> "SpeakerScaling":
        """Fit on the speakers of a fold.

        Training speakers give all their clips. Validation and tested speakers enrol with `clips` of theirs. With 0 clips
        validation speakers give all of theirs, and tested speakers are unknown.

        Args:
            features: utterance to (frames, dims).
            speakers: utterance to speaker, of all utterances.
            fold: whose speakers are wanted.
            unknown: the scaling of a speaker without clips.
            clips: how many clips a speaker enrols with, drawn by the seed; None takes all, as do speakers of fewer.
            seed: of the draw.
            each: as of `Scaling.fit`.
            copies: utterances that are altered copies. They are scaled as their speaker is, and enrol nobody.
        """
        own: dict[str, list[str]] = {}
        for utterance in sorted(speakers.keys() - set(copies)):
            own.setdefault(speakers[utterance], []).append(utterance)
        trained, tested = ({speakers[u] for u in ids} for ids in (fold.train, fold.test))
        rng, by_speaker = np.random.default_rng(seed), {}
        known: set[str] = set()
        for speaker in sorted({speakers[u] for ids in fold.parts.values() for u in ids}):
            enrolled = own[speaker]
            if clips == 0 and speaker in tested - trained:
                by_speaker[speaker] = unknown
                continue
            if clips and speaker not in trained and clips < len(enrolled):
                enrolled = [enrolled[i] for i in sorted(rng.choice(len(enrolled), clips, replace=False))]
            by_speaker[speaker] = Scaling.fit([features[u] for u in enrolled], each=each)
            if speaker not in trained:
                known.update(enrolled)
        return cls(by_speaker, speakers, unknown, len(trained), frozenset(known))

    def of(self, utterance: str) -> Scaling:
        """The scaling of an utterance's speaker."""
        return self.by_speaker[self.speakers[utterance]]

    def arrays(self) -> dict[str, Any]:
        """What a run directory keeps: the scaling of an unknown speaker, and (speakers, ...) of those of the fold."""
        names = sorted(self.by_speaker)
        return {
            **self.unknown.arrays(),
            "trained": np.array(self.trained),
            "speakers": np.array(names),
            "speaker_mean": np.stack([self.by_speaker[name].mean for name in names]),
            "speaker_std": np.stack([self.by_speaker[name].std for name in names]),
        }


class Streamed(Sequence[np.ndarray]):
    """Scaled features of utterances, each read from disk when needed.

    Args:
        features: `sertf.extraction.cache.Features`.
        utterances: ids.
        scaling: of the utterances; None takes the features as they are.
    """

    def __init__(self, features: Features, utterances: Iterable[str], scaling: Scaling | SpeakerScaling | None = None):
        self.lengths = [features.lengths[u] for u in utterances]
        self._features = features
        self._utterances = tuple(utterances)
        self._scaling = scaling

    def __len__(self):
        return len(self._utterances)

    def __getitem__(self, index):
        utterance = self._utterances[index]
        array = self._features[utterance]
        return array if self._scaling is None else self._scaling.of(utterance)(array)

    def taken(self, indices: Iterable[int]) -> "Streamed":
        """The utterances at some indices, in that order, streamed as well; an index may repeat."""
        return Streamed(self._features, [self._utterances[i] for i in indices], self._scaling)


def lengths_of(arrays: Sequence[np.ndarray]) -> list[int]:
    """Frames of each array, a list; nothing is read."""
    return arrays.lengths if isinstance(arrays, Streamed) else [len(array) for array in arrays]


@dataclass(frozen=True)
class Part:
    """One part of a fold, ready for training: scaled arrays and labels as indices into the emotions."""

    utterances: tuple[str, ...]
    arrays: Sequence[np.ndarray]
    labels: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Frames of each utterance."""
        return np.array(lengths_of(self.arrays))

    def taken(self, indices: Sequence[int] | np.ndarray, utterances: Iterable[str]) -> "Part":
        """The part of the utterances at some indices, under new names; an index may repeat."""
        arrays = self.arrays
        arrays = arrays.taken(indices) if isinstance(arrays, Streamed) else [arrays[i] for i in indices]
        return Part(tuple(utterances), arrays, self.labels[indices])


Parts = Mapping[str, Part]
"""The parts of one fold, by name."""


def parts_of(
    fold: Fold,
    features: Mapping[str, np.ndarray],
    labels: Mapping[str, int],
    *,
    scaling_rows: Sequence[str] | None = None,
    each: str = "dimension",
    speakers: Mapping[str, str] | None = None,
    enrolment_clips: int | None = None,
    seed: int = 0,
    copies: Collection[str] = (),
) -> tuple[dict[str, Part], Scaling | SpeakerScaling]:
    """The three parts of a fold under one scaling, or one of each speaker.

    Args:
        fold: `sertf.protocols.splits.Fold`.
        features: mapping of utterance id to (frames, dims) array.
        labels: mapping of utterance id to emotion index.
        scaling_rows: ids to fit the scaling on; None takes the fold's training part.
        each: what is scaled by a mean and deviation of its own, of `SCALED_EACH`.
        speakers: utterance to speaker, of all utterances; each speaker is then scaled by clips of their own.
        enrolment_clips, seed, copies: as `clips`, `seed` and `copies` of `SpeakerScaling.fit`.

    Returns:
        dict of `Part` by name ("train", "validation", "test"), and the scaling.
    """
    rows = fold.train if scaling_rows is None else scaling_rows
    held = _bytes_on_disk(features, [u for ids in fold.parts.values() for u in ids]) <= HELD_BYTES

    def arrays(ids, scaling=None):
        if not held:
            return Streamed(features, ids, scaling)
        return [features[u] if scaling is None else scaling.of(u)(features[u]) for u in ids]

    unknown = Scaling.fit(arrays(rows), each=each)
    scaling: Scaling | SpeakerScaling = unknown
    if speakers is not None:
        scaling = SpeakerScaling.fit(
            features,
            speakers,
            fold,
            unknown=unknown,
            clips=enrolment_clips,
            seed=seed,
            each=each,
            copies=copies,
        )
    return {
        name: Part(tuple(ids), arrays(ids, scaling), np.array([labels[u] for u in ids], dtype=np.int32))
        for name, ids in fold.parts.items()
    }, scaling


def _bytes_on_disk(features, utterances):
    """Size of utterances' float32 features, 0 for features in memory; it reads one to see its dimensions."""
    if not utterances or not hasattr(features, "lengths"):
        return 0
    return 4 * int(np.prod(features[utterances[0]].shape[1:])) * sum(features.lengths[u] for u in utterances)
