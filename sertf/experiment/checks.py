"""Checks of a plan before hours of feature extraction."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sertf.errors import SertfError, listing, unknown
from sertf.models.linear import LINEAR
from sertf.parallel.environment import environment
from sertf.parallel.interpreter import in_own_process
from sertf.protocols.audit import absent_emotions, audit

if TYPE_CHECKING:
    from sertf.experiment.cells import Cell


class CheckError(SertfError):
    """A table, a front end or a recipe that does not fit a cell."""


def check(cells: "Sequence[Cell]", table: pd.DataFrame, cache: Path) -> None:
    """Raise for cells that cannot be trained on a table.

    Args:
        cells: cells of one experiment.
        table: utterance table.
        cache: folder of the feature cache.

    Raises:
        CheckError: a single emotion, features or training examples of a wrong length, or a recipe without data to choose
            an epoch by.
        ProtocolError, LeakageError: the protocol does not fit the table, or folds leak.
        SertfError: a network that cannot be built.
    """
    check_emotions(table)
    check_lengths(cells)
    check_teachers(cells)
    check_folds(cells, table)
    check_networks(cells, table, cache)


def check_emotions(table: pd.DataFrame) -> None:
    """Raise for a table with a single emotion."""
    if table["emotion"].nunique() < 2:
        raise CheckError(
            f"All {len(table)} utterances have the emotion {table['emotion'].iloc[0]}; add utterances of another one."
        )


def check_lengths(cells: "Sequence[Cell]") -> None:
    """Raise for features as long as the clips, if a model needs one shape; and for training examples of another length."""
    for cell in cells:
        frames = cell.input_shape[0]
        if cell.trainer.needs_one_length and cell.network_trainer is None and frames is None:
            raise CheckError(
                f"{cell.variant.model} needs features of one shape, but those of {cell.experiment.front_end} are as long as "
                "the clips; use a front end of fixed length, such as fused_statistics."
            )
        cropped = None if cell.network_recipe is None else cell.network_recipe.spectrogram_augmentation
        if cropped is not None and frames not in (None, cropped.frames):
            raise CheckError(
                f"{cell.variant_name} trains on {cropped.frames} frames, but {cell.experiment.front_end} gives {frames}; use "
                "a recipe without spectrogram_augmentation."
            )


def check_teachers(cells: "Sequence[Cell]") -> None:
    """Raise for a teacher without a share of the targets or the reverse, and for one that cannot teach."""
    for cell in cells:
        recipe, teacher = cell.network_recipe, cell.variant.teacher
        shared = recipe is not None and recipe.distillation > 0
        if shared != (teacher is not None):
            has, lacks = ("distillation", "teacher") if shared else ("a teacher", "distillation")
            raise CheckError(f"{cell.variant_name} has {has} but no {lacks}; give both or none.")
        if teacher is None and cell.variant.network is not None and cell.variant.network.with_teacher:
            raise CheckError(
                f"{cell.variant_name} reads what its network's teacher reads, but has no teacher; give one."
            )
        if teacher is None:
            continue
        if teacher.model not in LINEAR:
            raise CheckError(unknown(f"teacher of {cell.variant_name}", teacher.model, LINEAR))
        if cell.teacher_front_end is not None and cell.teacher_front_end.feature_shape[0] is None:
            raise CheckError(
                f"The teacher of {cell.variant_name} needs features of one shape, but those of {teacher.front_end} are as "
                "long as the clips; use a front end of fixed length, such as whisper or functionals."
            )


def check_folds(cells: "Sequence[Cell]", table: pd.DataFrame) -> None:
    """Raise if a protocol does not fit the table, or leaves a recipe without data to choose an epoch by.

    Warn of emotions that a validation or test part lacks.

    Equal recordings are only known after reading them. The folds are made and audited again then.
    """
    folds: dict[str, list] = {}
    for cell in cells:
        name, recipe = cell.protocol_name, cell.network_recipe
        trainer = cell.network_trainer or cell.trainer
        if name not in folds:
            folds[name] = cell.cut(table)
            audit(folds[name], table, allows=cell.protocol.allows)
            _say_absent(name, folds[name], table)
        chosen = trainer.chosen_by_validation(cell.variant_name, cell.variant.options, recipe)
        if chosen is not None and not all(fold.validation for fold in folds[name]):
            what, instead = chosen
            raise CheckError(
                f"{what}, but the protocol {name} ({cell.setting.folds}) has no validation "
                f"part. {instead}, or use a protocol that holds speakers out."
            )


def _say_absent(name, folds, table):
    emotion_of = table.set_index("utterance")["emotion"]
    said = absent_emotions(folds, emotion_of)
    if said:
        warnings.warn(
            f"Under {name} some parts lack an emotion; their scores are over the emotions present:\n{listing(said)}",
            stacklevel=3,
        )


def check_networks(cells: "Sequence[Cell]", table: pd.DataFrame, cache: Path) -> None:
    """Raise for a recipe with which a network cannot be trained.

    It builds custom models, and the networks that small batches put at risk. It does so in another process: in this
    one the backend would take the GPU's memory from the workers.
    """
    for cell in cells:
        if cell.trainer.is_tried_first(cell.recipe):
            variables = {**environment(cache), "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
            described = cell.variant.options, cell.recipe, cell.input_shape, table["emotion"].nunique()
            in_own_process(_try_out, (cell.trainer, *described), variables)


def _try_out(described):
    trainer, *arguments = described
    trainer.try_out(*arguments)
