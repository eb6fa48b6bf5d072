"""Training spectrograms altered anew in every epoch: stretched, warped, gained, masked, cropped; and mixed with others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sertf.errors import SertfError, check_whole, is_number


@dataclass(frozen=True)
class SpectrogramAugmentation:
    """What is done to a standardised spectrogram of the training part, with new draws in every epoch.

    Masks follow SpecAugment (Park et al. 2019, arXiv:1904.08779, section 2): a width drawn evenly from 0 to the widest, then
    a place. They hold 0, the mean of standardised features.

    Attributes:
        frames: length of every training example. A longer spectrogram is cropped at random, a shorter one is put at a
            random place among frames of zeros.
        stretch: time is stretched by a factor from 1 - stretch to 1 + stretch.
        warp: band b takes the values of band b · f, with one f from 1 - warp to 1 + warp; beyond the last band, its values.
        gain: standard deviation of what is added to all values, in standard deviations of the features.
        masks: masks over bands, and as many over frames.
        mask_bands: widest mask in bands.
        mask_frames: widest mask in frames.
    """

    frames: int
    stretch: float = 0.15
    warp: float = 0.1
    gain: float = 0.15
    masks: int = 2
    mask_bands: int = 9
    mask_frames: int = 24

    def __post_init__(self):
        check_whole("SpectrogramAugmentation", frames=self.frames)
        counts = {"masks": self.masks, "mask_bands": self.mask_bands, "mask_frames": self.mask_frames}
        check_whole("SpectrogramAugmentation", least=0, **counts)
        for name, value in (("stretch", self.stretch), ("warp", self.warp)):
            if not is_number(value) or not 0 <= value < 1:
                raise SertfError(f"SpectrogramAugmentation {name} must lie from 0 to below 1, but is {value!r}.")
        if not is_number(self.gain) or not 0 <= self.gain < np.inf:
            raise SertfError(f"SpectrogramAugmentation gain must be 0 or more, but is {self.gain!r}.")

    def apply(self, arrays: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """One draw for each spectrogram: sequence of (frames, bands) to (batch, `frames`, bands) float32."""
        count, bands = len(arrays), arrays[0].shape[1]
        longer = 1 + rng.uniform(-self.stretch, self.stretch, count)
        higher = 1 + rng.uniform(-self.warp, self.warp, count)
        gains = rng.normal(0, self.gain, count).astype("float32")
        places = rng.uniform(size=count)
        widths, starts = rng.uniform(size=(2, count, 2, self.masks))
        made = np.zeros((count, self.frames, bands), "float32")
        for i, array in enumerate(arrays):
            total = max(1, round(len(array) * longer[i]))
            first = int(places[i] * (abs(total - self.frames) + 1))  # of the crop, or of the place among zeros
            kept = np.arange(total)[first : first + self.frames] if total > self.frames else np.arange(total)
            values = _between(array, kept * ((len(array) - 1) / max(1, total - 1)))
            values = values @ _warp(bands, higher[i]) + gains[i]
            for axis, widest in enumerate((self.mask_frames, self.mask_bands)):
                size = values.shape[axis]
                for width, start in zip(widths[i, axis], starts[i, axis]):
                    width = int(width * (min(widest, size) + 1))
                    start = int(start * (size - width + 1))
                    np.moveaxis(values, axis, 0)[start : start + width] = 0
            place = 0 if total > self.frames else first
            made[i, place : place + len(values)] = values
        return made


def mixed(
    features: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mixup (Zhang et al. 2018, arXiv:1710.09412): each example and its target plus those of another one of the batch.

    Args:
        features: (batch, frames, bands).
        targets: (batch, classes).
        alpha: the share of an example is drawn from Beta(alpha, alpha), once for the batch.
        rng: of the draws.
    """
    share = np.float32(rng.beta(alpha, alpha))
    others = rng.permutation(len(features))
    return share * features + (1 - share) * features[others], share * targets + (1 - share) * targets[others]


def _between(array, positions):
    """Rows of an array at fractional positions, linearly interpolated."""
    before = positions.astype(int)
    after = np.minimum(before + 1, len(array) - 1)
    share = (positions - before).astype("float32")[:, None]
    return array[before] * (1 - share) + array[after] * share


def _warp(bands, factor):
    """Matrix (bands, bands) whose product with a frame has in band b what band b · factor had."""
    sources = np.minimum(np.arange(bands) * factor, bands - 1)
    before = sources.astype(int)
    after = np.minimum(before + 1, bands - 1)
    share = (sources - before).astype("float32")
    matrix = np.zeros((bands, bands), "float32")
    np.add.at(matrix, (before, np.arange(bands)), 1 - share)
    np.add.at(matrix, (after, np.arange(bands)), share)
    return matrix
