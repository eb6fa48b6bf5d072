"""What a model of known speakers knows of one, the statistics of their speech first of all, and its file."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sertf.errors import SertfError
from sertf.files import write_bytes

if TYPE_CHECKING:
    from sertf.inference.card import Card

SUFFIX = ".npz"
FORMAT = 2
# One vector has no spread to scale by.
_FEWEST = 2


class SpeakerError(SertfError):
    """Statistics of a speaker that cannot be estimated, read or used."""


def check_knows_speakers(card: "Card") -> None:
    """Raise `SpeakerError` unless a model can estimate a speaker's statistics.

    Args:
        card: of `sertf.inference.card.read_card`.
    """
    if "known_speakers" not in card:
        raise SpeakerError(
            f"{card['name']} knows no speakers; leave the speaker out, or use a model that `sertf run --known-speakers` "
            "trained."
        )


@dataclass(frozen=True, eq=False)
class SpeakerStatistics:
    """Mean and standard deviation of one speaker's features, estimated by `Recognizer.enroll`.

    Attributes:
        mean: (dims,) float32, or (frames, dims) of a model that scales each cell by itself.
        std: the same shape, 0 where the features are constant.
        count: how many frames of features they are of, or clips where each cell is scaled by itself.
        clips: how many windows of recordings they are of.
        model: digest of the model that they belong to.
        name: that model's name.
        kernel, bias: what the clips add to a model that trains itself on them; empty of other models.
    """

    mean: np.ndarray
    std: np.ndarray
    count: int
    clips: int
    model: str
    name: str
    kernel: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    bias: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def save(self, path: Path | str) -> Path:
        """Write the statistics to a file, whole or not at all.

        Args:
            path: name of the file, which ends in .npz. It holds one array for each attribute, and `format`.

        Raises:
            SpeakerError: another ending, or a place that cannot be written to.
        """
        path = check_place(path)
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, format=FORMAT, **vars(self))
        try:
            write_bytes(path, content.getvalue())
        except OSError as error:
            raise SpeakerError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
        return path

    @classmethod
    def load(cls, path: Path | str) -> "SpeakerStatistics":
        """Read the statistics from a file that `save` wrote.

        Raises:
            SpeakerError: the file is missing, has another format, or is broken.
        """
        mend = "give a file that `SpeakerStatistics.save` or `sertf predict --keep-speaker` wrote"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                version = int(arrays["format"])
                if version == FORMAT:
                    return cls(
                        mean=arrays["mean"],
                        std=arrays["std"],
                        count=int(arrays["count"]),
                        clips=int(arrays["clips"]),
                        model=str(arrays["model"]),
                        name=str(arrays["name"]),
                        kernel=arrays["kernel"],
                        bias=arrays["bias"],
                    )
        except FileNotFoundError as error:
            raise SpeakerError(f"{path}: no such file; {mend}.") from error
        # NumPy reads an array that is alone in a file as no archive, which has no context.
        except (OSError, ValueError, TypeError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise SpeakerError(f"{path} holds no statistics of a speaker; {mend}.") from error
        raise SpeakerError(f"{path} has format {version}, not {FORMAT}; enrol the speaker again.")


def check_place(path: Path | str) -> Path:
    """The path of a file of statistics; raise SpeakerError if it has another ending."""
    if Path(path).suffix.lower() != SUFFIX:
        raise SpeakerError(f"The file of a speaker's statistics must end in {SUFFIX}, but is {path}.")
    return Path(path)


def pooled(parts: Iterable[tuple[np.ndarray, np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean, standard deviation and count of all parts together, from those of each part.

    After Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.

    Raises:
        SpeakerError: they are of a single vector.

    >>> mean, std, count = pooled([(np.array([1.0]), np.array([1.0]), 2), (np.array([5.0]), np.array([0.0]), 2)])
    >>> float(mean[0]), round(float(std[0]) ** 2, 3), count
    (3.0, 4.5, 4)
    """
    means, deviations, counts = (np.array(values, dtype=np.float64) for values in zip(*parts, strict=True))
    count = counts.sum()
    if count < _FEWEST:
        raise SpeakerError(
            "The speaker's clips give one vector of features, which has no spread; give 2 clips or more."
        )
    shares = (counts / count).reshape(-1, *[1] * (means.ndim - 1))
    mean = (shares * means).sum(axis=0)
    variance = (shares * (deviations**2 + (means - mean) ** 2)).sum(axis=0)
    return mean.astype(np.float32), np.sqrt(variance).astype(np.float32), int(count)
