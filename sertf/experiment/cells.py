"""Names resolved once: one variant under one protocol, with the objects behind its names.

Checks, preparation, verification and searches get cells. So no stage looks a name up again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from sertf.experiment.description import Experiment, Setting, Variant, digest
from sertf.protocols import splits
from sertf.protocols.folds import Fold, Protocol
from sertf.training.recipe import Recipe
from sertf.training.trainers import Trainer

if TYPE_CHECKING:
    from sertf.features import FrontEnd


@dataclass(frozen=True)
class Cell:
    """One variant under one protocol, with its names resolved.

    Attributes:
        experiment: the experiment of the cell.
        variant_name, protocol_name: as in the experiment.
        variant: the model, its options and augmentation.
        setting: how the experiment applies the protocol.
        protocol: function of a table to folds.
        recipe: how the model is trained; None for a scikit-learn model.
        front_end: layer that computes the features.
        trainer: trains the model.
        teacher_front_end: computes what the variant's teacher reads; None without a teacher.
        network_trainer: trains the network that a linear model reads; None where it reads the features.
    """

    experiment: Experiment
    variant_name: str
    protocol_name: str
    variant: Variant
    setting: Setting
    protocol: Protocol
    recipe: Recipe | None
    front_end: "FrontEnd"
    trainer: Trainer
    teacher_front_end: "FrontEnd | None" = None
    network_trainer: Trainer | None = None

    @property
    def names(self) -> tuple[str, str]:
        """Names of the variant and the protocol."""
        return self.variant_name, self.protocol_name

    @property
    def input_shape(self) -> tuple:
        """Shape of the features of one utterance; None where the number of frames depends on the clip."""
        return tuple(self.front_end.feature_shape)

    @property
    def network_recipe(self) -> Recipe | None:
        """The recipe of what trains by epochs: of the network that a linear model reads, where there is one."""
        return self.recipe if self.variant.network is None else self.variant.network.recipe

    @cached_property
    def data_digest(self) -> str:
        """Digest of all that determines features and copies. Cells with equal digests share them."""
        augmentation = self.variant.augmentation
        options = self.experiment.front_end_options_of(self.variant_name)
        return digest([options, augmentation and augmentation.to_dict()])

    @cached_property
    def teacher_digest(self) -> str:
        """Digest of all that determines what the variant's teacher reads."""
        return digest([self.variant.teacher and self.variant.teacher.to_dict()["front_end"], self.data_digest])

    def cut(self, table: pd.DataFrame, audio_digests=None) -> list[Fold]:
        """Folds of a table; `audio_digests` lets random protocols keep equal recordings in one part."""
        return self.protocol(table, seed=self.experiment.seed, audio_digests=audio_digests)

    def try_out(self, num_classes: int) -> None:
        """Build the network once, in this process, so that its builder can raise."""
        self.trainer.try_out(self.variant.options, self.recipe, self.input_shape, num_classes)


def resolve(
    experiment: Experiment, variants: Iterable[str] | None = None, protocols: Iterable[str] | None = None
) -> list[Cell]:
    """The cells of some variants under some protocols, None for all. It checks options and recipes.

    Raises:
        SertfError: an unknown name, or options or a recipe that do not fit a front end or a model.
    """
    from sertf import features
    from sertf.training import trainers

    cells, front_ends = [], {}
    for name in variants or experiment.variants:
        variant, options = experiment.variant(name), experiment.front_end_options_of(name)
        if digest(options) not in front_ends:
            front_ends[digest(options)] = features.make(experiment.front_end, options)
        trainer = trainers.find(variant.model)
        trainer.check_options(variant.options)
        teacher = None
        if variant.teacher is not None:
            teacher = features.make(variant.teacher.front_end, variant.teacher.front_end_options)
        network = None
        if variant.network is not None:
            network = trainers.find(variant.network.model)
            network.check_options(variant.network.options)
            network.check_recipe(name, variant.network.recipe)
        for protocol in protocols or experiment.protocols:
            setting = experiment.setting(protocol)
            recipe = experiment.recipe(name, protocol)
            trainer.check_recipe(name, recipe)
            cells.append(
                Cell(
                    experiment,
                    name,
                    protocol,
                    variant,
                    setting,
                    splits.protocol(setting.folds),
                    recipe,
                    front_ends[digest(options)],
                    trainer.pinned(),
                    teacher,
                    network and network.pinned(),
                )
            )
    return cells
