"""What an experiment cannot be run with, refused before features are extracted for hours."""

from sertf.custom import front_ends as custom_front_ends
from sertf.custom.code import is_custom
from sertf.errors import SertfError
from sertf.extraction import checks
from sertf.parallel.environment import environment
from sertf.parallel.interpreter import in_own_process
from sertf.protocols import audit, splits
from sertf.training.network import SMALLEST_WITH_NORM, check_buildable


class RunnerError(SertfError):
    """Arguments that nothing can be run with."""


def check_names(experiment, variants, protocol_names):
    """Raise for names that mean nothing, and for options and recipes that a model does not take."""
    from sertf import features
    from sertf.models import check_options, takes
    from sertf.models.classical import CLASSICAL

    front_end = features.find(experiment.front_end)
    for variant in variants:
        chosen = experiment.variant(variant)
        options = experiment.front_end_options_of(variant)
        checks.check_names(front_end, options)
        if is_custom(experiment.front_end):
            custom_front_ends.check(experiment.front_end, front_end, options)
        check_options(chosen.model, chosen.options)
        if chosen.recipes is None and chosen.model not in CLASSICAL:
            raise RunnerError(f"{variant} trains {chosen.model}, a network, but has no recipes; give one by protocol.")
        if chosen.recipes is not None and chosen.model in CLASSICAL:
            raise RunnerError(f"{variant} fits {chosen.model} in one go, which takes no recipe; give recipes=None.")
        for protocol in protocol_names:
            splits.protocol(experiment.setting(protocol).folds)
            recipe = experiment.recipe(variant, protocol)
            if recipe is not None and recipe.dropout is not None and not takes(chosen.model, "dropout"):
                raise RunnerError(
                    f"The recipe of {variant} has a dropout of {recipe.dropout:g}, but {chosen.model} takes none; use a "
                    "recipe with dropout=None."
                )


def check_folds(experiment, table, pairs):
    """Raise where a protocol cannot part a table, or leaves a recipe nothing to choose an epoch by.

    Equal recordings are not known before they are read, so that the folds are cut and audited once more then.

    Args:
        experiment: `sertf.experiment.Experiment`.
        table: utterance table.
        pairs: (variant, protocol) names.
    """
    folds = {}
    for variant, protocol in pairs:
        setting, recipe = experiment.setting(protocol), experiment.recipe(variant, protocol)
        if protocol not in folds:
            cut = splits.protocol(setting.folds)
            folds[protocol] = cut(table, seed=experiment.seed)
            audit.audit(folds[protocol], table, allows=cut.allows)
        if recipe is not None and recipe.monitor is not None and not all(fold.validation for fold in folds[protocol]):
            raise RunnerError(
                f"The recipe of {variant} keeps the weights of the best validation {recipe.monitor}, but the protocol "
                f"{protocol} ({setting.folds}) has no validation part; use a recipe with monitor=None, or a protocol "
                "that holds speakers out."
            )


def check_emotions(table):
    """Raise for a table of which there is nothing to tell apart."""
    if table["emotion"].nunique() < 2:
        raise RunnerError(
            f"All {len(table)} utterances have the emotion {table['emotion'].iloc[0]}; to tell emotions apart, add "
            "utterances of another one."
        )


def check_lengths(experiment, pairs):
    """Raise for a scikit-learn model, which takes one shape, behind a front end whose features are as long as the clips."""
    from sertf import features
    from sertf.models.classical import CLASSICAL

    for variant, _ in pairs:
        model, options = experiment.variant(variant).model, experiment.front_end_options_of(variant)
        if model in CLASSICAL and features.find(experiment.front_end)(**options).feature_shape[0] is None:
            raise RunnerError(
                f"{model} needs features of one shape, but those of {experiment.front_end} are as long as the clips; use a "
                "front end of fixed length, such as fused_statistics."
            )


def networks_of(experiment, table, pairs):
    """Arguments of `sertf.training.network.build_network` for each (variant, protocol) that trains a network."""
    from sertf import features

    found = []
    for variant, protocol in pairs:
        chosen, recipe = experiment.variant(variant), experiment.recipe(variant, protocol)
        if recipe is not None:
            front_end = features.find(experiment.front_end)(**experiment.front_end_options_of(variant))
            shape, classes = tuple(front_end.feature_shape), table["emotion"].nunique()
            found.append((chosen.model, dict(chosen.options), recipe, shape, classes))
    return found


def check_networks(experiment, table, pairs, cache):
    """Raise for a recipe under which a network cannot be trained; arguments as for `check_folds`, and the cache's folder.

    Built are those alone that their small batches put at risk, and the user's own, in a process of their own: in this
    one the backend would take the GPU's memory from the workers.
    """
    recipes = ((pair, experiment.recipe(*pair)) for pair in pairs)
    at_risk = [
        pair
        for pair, recipe in recipes
        if recipe is not None
        and (recipe.batch_size < SMALLEST_WITH_NORM or is_custom(experiment.variant(pair[0]).model))
    ]
    for described in networks_of(experiment, table, at_risk):
        variables = {**environment(cache), "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        in_own_process(check_buildable, described, variables)
