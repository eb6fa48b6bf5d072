"""The training data of cells with one front end and augmentation: features, and copies of the utterances."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from sertf.audio.augmentation import Augmentation, copies_of
from sertf.extraction import checks, online_copies
from sertf.extraction.cache import Features
from sertf.extraction.online_copies import CopyPlan

if TYPE_CHECKING:
    from sertf.features import FrontEnd


@dataclass(frozen=True)
class TrainingData:
    """The training data of cells with one front end and augmentation.

    Attributes:
        asked: all utterances asked for.
        features: features of the usable utterances, and of their copies if these are fixed.
        augmentation: augmentation of the training part; None trains on clean speech.
        copies: table of the augmented copies of the usable utterances; None without augmentation.
    """

    asked: pd.DataFrame
    features: Features
    augmentation: Augmentation | None = None
    copies: pd.DataFrame | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The utterances with features."""
        return self.asked[self.asked["utterance"].isin(set(self.features.utterances))]

    @property
    def rows(self) -> pd.DataFrame:
        """The utterances with features, and their copies."""
        return self.table if self.copies is None else pd.concat([self.table, self.copies], ignore_index=True)

    @property
    def parents(self) -> dict[str, str]:
        """Copies to their originals."""
        return {} if self.copies is None else dict(zip(self.copies["utterance"], self.copies["parent"]))

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every clip that was left out."""
        return [*self.asked.attrs.get("skipped", ()), *self.features.skipped]

    @property
    def online_copies(self) -> CopyPlan | None:
        """The plan by which a worker draws copies anew every epoch; None without copies or with fixed ones."""
        if self.augmentation is None or self.copies is None or not self.augmentation.fresh:
            return None
        columns = (self.copies[name] for name in ("utterance", "parent", "path", "copy"))
        return CopyPlan(self.augmentation, {u: (parent, str(path), copy) for u, parent, path, copy in zip(*columns)})


def extract_training_data(
    table: pd.DataFrame,
    front_end: "FrontEnd",
    augmentation: Augmentation | None,
    extract: Callable[..., Features],
    *,
    seed: int,
    skip_bad: bool,
) -> TrainingData:
    """Extract the features that cells need, including those of fixed copies.

    Args:
        table: utterance table.
        front_end: layer of `sertf.features`.
        augmentation: augmentation of the training part, or None.
        extract: `sertf.extraction.cache.FeatureCache.extract` with its constant arguments filled in.
        seed: seed of the copies.
        skip_bad: continue without copies that cannot be made.

    Raises:
        CacheError, SertfError: clips, or copies, that cannot be used.
    """
    if augmentation is not None:
        checks.check_cuts(augmentation, front_end)
    features = extract(table, front_end)
    if augmentation is None:
        return TrainingData(table, features)
    copies = copies_of(table[table["utterance"].isin(set(features.utterances))], augmentation.copies)
    if not augmentation.fresh:
        features = features.joined(extract(copies, front_end, augmentation=augmentation, seed=seed))
        # A silent clip gets no copy with noise. It leaves the training part only if the user said so.
        copies = copies[copies["utterance"].isin(set(features.utterances))]
    else:
        copies, silent = online_copies.drawable(copies, front_end, augmentation, seed=seed, skip_bad=skip_bad)
        features = replace(features, skipped=[*features.skipped, *silent])
    return TrainingData(table, features, augmentation, copies)
