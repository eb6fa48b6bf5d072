"""Augmented copies of training utterances: what changes the waveform, how many copies, fixed or fresh every epoch.

A copy is a row of the utterance table with a `parent`. Copies join the training part after the folds are made. So no
copy of a test utterance is trained on, and `sertf.protocols.audit` checks this by the parents. It needs NumPy alone.
"""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.errors import SertfError, check_whole, is_number
from sertf.files import digest

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class WhiteNoise:
    """White Gaussian noise at a signal-to-noise ratio drawn evenly in decibels (CNN-Transformer, section III.B).

    The noise meets the ratio exactly: mean squared sample of the signal over that of the noise as drawn.

    Attributes:
        snr_db: lowest and highest ratio in dB.
    """

    snr_db: tuple[float, float] = (15.0, 30.0)

    def __post_init__(self):
        _check_range("WhiteNoise snr_db", self.snr_db)

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(samples,) float32 with noise added."""
        power = np.mean(np.square(samples, dtype=np.float64))
        if power == 0:
            raise SertfError("it is silent, so the signal-to-noise ratio of added noise is undefined")
        noise = rng.standard_normal(len(samples))
        wanted = power / 10 ** (rng.uniform(*self.snr_db) / 10)
        return (samples + noise * np.sqrt(wanted / np.mean(np.square(noise)))).astype(np.float32)


@dataclass(frozen=True)
class Gain:
    """A gain drawn evenly in decibels.

    Attributes:
        gain_db: lowest and highest gain in dB.
    """

    gain_db: tuple[float, float] = (-6.0, 6.0)

    def __post_init__(self):
        _check_range("Gain gain_db", self.gain_db)

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(samples,) float32, louder or quieter."""
        return (samples * 10 ** (rng.uniform(*self.gain_db) / 20)).astype(np.float32)


@dataclass(frozen=True)
class TimeShift:
    """A shift by up to a share of the length, to either side. Zeros fill the gap.

    Attributes:
        share: largest shift over the length, above 0 and below 1.
    """

    share: float = 0.1

    def __post_init__(self):
        if not is_number(self.share) or not 0 < self.share < 1:
            raise SertfError(f"TimeShift share must lie between 0 and 1, got {self.share!r}.")

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(samples,) float32, earlier or later."""
        largest = int(self.share * len(samples))
        by = int(rng.integers(-largest, largest + 1))
        shifted = np.zeros_like(samples, dtype=np.float32)
        shifted[max(by, 0) : len(samples) + min(by, 0)] = samples[max(-by, 0) : len(samples) - max(by, 0)]
        return shifted


@dataclass(frozen=True)
class RandomCut:
    """A fixed length. A longer recording loses a random share of the excess at each end, a shorter one gets zeros.

    CNN-LSTM on wavelet-scaled spectrograms: 8 s by padding or cutting a random amount at both ends. It suits front ends
    that read the whole utterance and cut or pad it at its centre, such as `sertf.features.Scalogram`.

    Attributes:
        samples: the length in samples, at the front end's sample rate.
    """

    samples: int = 128_000

    def __post_init__(self):
        check_whole("RandomCut", samples=self.samples)

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(self.samples,) float32; every offset is equally likely."""
        excess = len(samples) - self.samples
        start = int(rng.integers(abs(excess) + 1))
        if excess >= 0:
            return samples[start : start + self.samples].astype(np.float32)
        return np.pad(samples, (start, -excess - start)).astype(np.float32)


def _check_range(name, ends):
    two = isinstance(ends, tuple | list) and len(ends) == 2 and all(map(is_number, ends))
    if not two or not -math.inf < ends[0] <= ends[1] < math.inf:
        raise SertfError(f"{name} must be (lowest, highest) in dB, got {ends!r}.")


AUGMENTATIONS = {"white_noise": WhiteNoise, "gain": Gain, "time_shift": TimeShift, "random_cut": RandomCut}


@dataclass(frozen=True)
class Augmentation:
    """How training utterances are multiplied.

    Attributes:
        steps: changes that apply to a copy in turn, keys of `AUGMENTATIONS`.
        copies: copies of each training utterance.
        fresh: draw the copies anew every epoch instead of once.
        keep_original: train on the unchanged utterance too. False, with one fresh copy, alters every utterance anew in
            every epoch.
    """

    steps: tuple = (WhiteNoise(),)
    copies: int = 2
    fresh: bool = False
    keep_original: bool = True

    def __post_init__(self):
        known = tuple(AUGMENTATIONS.values())
        steps = self.steps if isinstance(self.steps, tuple | list) else ()
        if not steps or not all(isinstance(step, known) for step in steps):
            names = ", ".join(step.__name__ for step in known)
            raise SertfError(f"Augmentation steps must be one or more of {names}, got {self.steps!r}.")
        check_whole("Augmentation", copies=self.copies)

    @property
    def changes_length(self) -> bool:
        """Whether a copy may be longer or shorter than its original."""
        return any(isinstance(step, RandomCut) for step in self.steps)

    def apply(self, samples: np.ndarray, *seeds: int) -> np.ndarray:
        """One augmented copy of (samples,) float32. The same `seeds`, whole numbers, give the same copy."""
        rng = np.random.default_rng(seeds)
        for step in self.steps:
            samples = step(samples, rng)
        return samples

    def to_dict(self) -> dict[str, Any]:
        """The augmentation as plain values, for manifests and digests."""
        steps = [{"name": type(step).__name__, **asdict(step)} for step in self.steps]
        values = {"steps": steps, "copies": self.copies, "fresh": self.fresh}
        if not self.keep_original:  # left out at its default, so that earlier digests still hold
            values["keep_original"] = False
        return values


def copies_of(table: "pd.DataFrame", copies: int) -> "pd.DataFrame":
    """The rows of the copies: those of their originals, with a new name and the columns `parent` and `copy` (from 1)."""
    import pandas as pd

    made = [
        table.assign(parent=table["utterance"], copy=copy, utterance=table["utterance"] + f"~{copy}")
        for copy in range(1, copies + 1)
    ]
    return pd.concat(made, ignore_index=True)


def seed_of(text: str) -> int:
    """A whole number that depends on a text alone, the same in every process."""
    return int(digest(text.encode(), size=8), 16)
