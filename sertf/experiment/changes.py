"""Changes of an experiment from the command line: recipes, epochs, precision, or a short trial of it all."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sertf.errors import SertfError
from sertf.experiment.description import Experiment
from sertf.protocols import splits
from sertf.training.recipe import Recipe, Tuned

if TYPE_CHECKING:
    import pandas


def fitted_to(recipe: Recipe, protocol: str) -> Recipe:
    """A recipe under a protocol. Without a validation part the last epoch counts."""
    if "no validation" in splits.protocol(protocol).allows:
        return replace(recipe, monitor=None, patience=None)
    return recipe


def with_recipe(experiment: Experiment, tuned: Tuned, variants: Sequence[str] | None) -> Experiment:
    """The experiment with a searched recipe and searched options, in some variants under every protocol.

    Under a protocol without a validation part the last epoch counts, whatever the recipe's monitor.

    Args:
        experiment: the experiment to change.
        tuned: result of a search.
        variants: names, one or more.

    Raises:
        SertfError: no variant is named, an unknown one, or one of another model.
    """
    if not variants:
        raise SertfError(f"--recipe needs named variants; give --variant, one of {', '.join(experiment.variants)}.")
    changed = dict(experiment.variants)
    for name in variants:
        variant = experiment.variant(name)
        if variant.model != tuned.model:
            raise SertfError(f"The recipe is for the model {tuned.model}, but variant {name} trains {variant.model}.")
        if variant.recipes is None:
            raise SertfError(f"{variant.model} trains without epochs and takes no recipe; leave --recipe out.")
        changed[name] = replace(
            variant,
            options={**variant.options, **tuned.options},
            recipes={p: fitted_to(tuned.recipe, s.folds) for p, s in experiment.protocols.items()},
            tuned_on=() if tuned.corpus is None else (tuned.corpus,),
        )
    return replace(experiment, variants=changed)


def with_epochs(experiment: Experiment, epochs: int, variants: Sequence[str]) -> Experiment:
    """The experiment with this number of epochs in every recipe.

    Raises:
        SertfError: an unknown variant, or none of the variants trains in epochs.
    """
    chosen = [experiment.variant(name) for name in variants]
    if all(variant.recipes is None and variant.network is None for variant in chosen):
        models = " and ".join(dict.fromkeys(variant.model for variant in chosen))
        raise SertfError(f"{models} trains without epochs; leave --epochs out.")
    return _with_recipes(experiment, lambda recipe: replace(recipe, epochs=epochs))


def with_options(experiment: Experiment, precision: str | None, accumulation: int | None) -> Experiment:
    """The experiment in another precision, or with each batch split in `accumulation` parts; None keeps the recipes' own.

    Raises:
        SertfError: a batch that cannot be split in so many equal parts.
    """

    def change(recipe):
        if precision is not None:
            recipe = replace(recipe, precision=precision)
        if accumulation is None:
            return recipe
        whole = recipe.batch_size * recipe.accumulation
        if accumulation < 1 or whole % accumulation:
            raise SertfError(f"--accumulation must divide the batches of {whole}, but is {accumulation}.")
        return replace(recipe, batch_size=whole // accumulation, accumulation=accumulation)

    return _with_recipes(experiment, change)


def shrink(experiment: Experiment) -> Experiment:
    """The experiment as a smoke test, with 2 epochs in every recipe."""
    return replace(_with_recipes(experiment, lambda recipe: replace(recipe, epochs=2)), smoke=True)


def few(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """The first two utterances of every speaker and emotion; more if few speakers have it, up to ten an emotion."""
    table = table.sort_values("utterance")
    speakers = table.groupby(["corpus", "emotion"])["speaker"].transform("nunique")
    place = table.groupby(["speaker", "emotion"]).cumcount()
    kept = table[place < (10 / speakers).clip(lower=2)]
    kept.attrs.update(table.attrs)
    return kept


def _with_recipes(experiment: Experiment, change: Callable[[Recipe], Recipe]) -> Experiment:
    variants = {
        name: replace(
            variant,
            recipes=variant.recipes and {p: change(r) for p, r in variant.recipes.items()},
            network=variant.network and replace(variant.network, recipe=change(variant.network.recipe)),
        )
        for name, variant in experiment.variants.items()
    }
    return replace(experiment, variants=variants)
