"""What variants of one front end and augmentation are trained on: features, and copies of the utterances."""

from dataclasses import dataclass, replace

import pandas as pd

from sertf.audio.augmentation import copies_of
from sertf.extraction import checks
from sertf.extraction.online_copies import drawable


@dataclass(frozen=True)
class Material:
    """What variants of one front end and augmentation are trained on.

    Attributes:
        asked: all utterances asked for.
        front_end: the layer.
        features: of the usable utterances, and of their copies if these are fixed.
        copies: table of the augmented copies of the usable utterances; None without.
    """

    asked: pd.DataFrame
    front_end: object
    features: object
    copies: pd.DataFrame | None = None

    @property
    def table(self):
        """The utterances that have features."""
        return self.asked[self.asked["utterance"].isin(set(self.features.utterances))]

    @property
    def skipped(self):
        """(path, reason) of every clip that was left out."""
        return [*self.asked.attrs.get("skipped", ()), *self.features.skipped]


def extract_material(table, front_end, augmentation, extract, *, seed, skip_bad):
    """Extract the features that variants need, those of fixed copies too.

    Args:
        table: utterance table.
        front_end: layer of `sertf.features`.
        augmentation: `sertf.audio.augmentation.Augmentation`, or None.
        extract: `sertf.cache.FeatureCache.extract`, with what does not change between calls filled in.
        seed: of the copies.
        skip_bad: go on without copies that cannot be made.

    Returns:
        Material.

    Raises:
        CacheError, SertfError: clips, or copies, that cannot be used.
    """
    if augmentation is not None:
        checks.check_cuts(augmentation, front_end)
    features = extract(table, front_end)
    if augmentation is None:
        return Material(table, front_end, features)
    copies = copies_of(table[table["utterance"].isin(set(features.utterances))], augmentation.copies)
    if not augmentation.fresh:
        features = features.joined(extract(copies, front_end, augmentation=augmentation, seed=seed))
        # A clip without a copy (silence, under noise) is left out of the training part only if the user said so.
        copies = copies[copies["utterance"].isin(set(features.utterances))]
    else:
        copies, silent = drawable(copies, front_end, augmentation, seed=seed, skip_bad=skip_bad)
        features = replace(features, skipped=[*features.skipped, *silent])
    return Material(table, front_end, features, copies)
