"""What the cells of one front end and augmentation are trained on: features, and copies of the utterances."""

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
    """What the cells of one front end and augmentation are trained on.

    Attributes:
        asked: all utterances asked for.
        features: of the usable utterances, and of their copies if these are fixed.
        augmentation: of the training part; None trains on clean speech.
        copies: table of the augmented copies of the usable utterances; None without.
    """

    asked: pd.DataFrame
    features: Features
    augmentation: Augmentation | None = None
    copies: pd.DataFrame | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The utterances that have features."""
        return self.asked[self.asked["utterance"].isin(set(self.features.utterances))]

    @property
    def rows(self) -> pd.DataFrame:
        """The utterances that have features, and their copies."""
        return self.table if self.copies is None else pd.concat([self.table, self.copies], ignore_index=True)

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every clip that was left out."""
        return [*self.asked.attrs.get("skipped", ()), *self.features.skipped]

    @property
    def online_copies(self) -> CopyPlan | None:
        """What a worker needs to draw copies anew every epoch; None where there are none or fixed ones."""
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
    """Extract the features that cells need, those of fixed copies too.

    Args:
        table: utterance table.
        front_end: layer of `sertf.features`.
        augmentation: of the training part, or None.
        extract: `sertf.extraction.cache.FeatureCache.extract`, with what does not change between calls filled in.
        seed: of the copies.
        skip_bad: go on without copies that cannot be made.

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
        # A clip without a copy (silence, under noise) is left out of the training part only if the user said so.
        copies = copies[copies["utterance"].isin(set(features.utterances))]
    else:
        copies, silent = online_copies.drawable(copies, front_end, augmentation, seed=seed, skip_bad=skip_bad)
        features = replace(features, skipped=[*features.skipped, *silent])
    return TrainingData(table, features, augmentation, copies)
