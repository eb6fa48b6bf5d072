"""Augmented copies of training utterances: what changes the waveform, how many copies, fixed or fresh every epoch.

A copy is a row of the utterance table with a `parent`. Copies join the training part after the folds are made. So no
copy of a test utterance is trained on, and `sertf.protocols.audit` checks this by the parents. It needs NumPy alone.
"""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.audio import simulation
from sertf.audio.files import resample
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
        noise = rng.standard_normal(len(samples))
        return simulation.with_noise(samples, noise, rng.uniform(*self.snr_db))


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
        _check_share("TimeShift", self.share)

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


@dataclass(frozen=True)
class Speed:
    """Playback faster or slower, with the pitch: the voice of a smaller or larger person.

    Attributes:
        share: largest change of the speed, above 0 and below 1.
    """

    share: float = 0.1

    def __post_init__(self):
        _check_share("Speed", self.share)

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(samples / speed,) float32."""
        speed = rng.uniform(1 - self.share, 1 + self.share)
        return resample(samples, round(1000 * speed), 1000)


@dataclass(frozen=True)
class RecordingCondition:
    """Another way to record the same speech: silence at the ends, a room, a microphone, noise, a level, a band or a codec.

    Each change is drawn by itself, so that some copies change little and some in every way. The ranges are wider than
    the conditions that `sertf.audio.conditions` tests.

    Attributes:
        sample_rate: Hz of the waveforms.
        chance: of each change, from 0 to 1.
    """

    sample_rate: int = 16000
    chance: float = 0.3

    def __post_init__(self):
        check_whole("RecordingCondition", sample_rate=self.sample_rate)
        if not is_number(self.chance) or not 0 <= self.chance <= 1:
            raise SertfError(f"RecordingCondition chance must lie from 0 to 1, got {self.chance!r}.")

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(samples,) float32, longer where silence was added."""
        rate = self.sample_rate

        def happens():
            return rng.random() < self.chance

        if happens():  # a room
            before = len(samples)
            samples = simulation.in_room(
                samples, rate, rng, seconds=rng.uniform(0.1, 0.8), direct_db=rng.uniform(0.0, 15.0)
            )[: before + rate // 2]
        if happens():  # a microphone
            samples = simulation.equalised(samples, rng.normal(0.0, 4.0, 7))
        if happens():  # silence at the ends
            samples = np.pad(samples, tuple(int(rng.uniform(0.0, rate)) for _ in range(2)))
        if happens() and samples.any():
            noise = simulation.coloured_noise(len(samples), rng.choice((0.0, 1.0, 2.0)), rng)
            samples = simulation.with_noise(samples, noise, rng.uniform(12.0, 40.0))
        if happens():  # a level; what goes beyond full scale is clipped
            samples = np.clip(samples * 10 ** (rng.uniform(-25.0, 25.0) / 20), -1.0, 1.0)
        if happens():  # a band or a codec
            samples = _transmitted(np.asarray(samples, np.float32), rate, rng)
        return np.asarray(samples, np.float32)


def _transmitted(samples, rate, rng):
    kind = rng.integers(4)
    if kind == 0:
        return simulation.telephone(samples, rate)
    if kind == 1:
        return simulation.mp3(samples, rate)
    if kind == 2:
        return simulation.opus(samples, rate)
    return simulation.band_limited(samples, rate, rng.uniform(3000.0, rate / 2))


def _check_share(name, share):
    if not is_number(share) or not 0 < share < 1:
        raise SertfError(f"{name} share must lie between 0 and 1, got {share!r}.")


def _check_range(name, ends):
    two = isinstance(ends, tuple | list) and len(ends) == 2 and all(map(is_number, ends))
    if not two or not -math.inf < ends[0] <= ends[1] < math.inf:
        raise SertfError(f"{name} must be (lowest, highest) in dB, got {ends!r}.")


AUGMENTATIONS = {
    "white_noise": WhiteNoise,
    "gain": Gain,
    "time_shift": TimeShift,
    "random_cut": RandomCut,
    "speed": Speed,
    "recording_condition": RecordingCondition,
}


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
        return any(isinstance(step, RandomCut | Speed | RecordingCondition) for step in self.steps)

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
