"""Search spaces: the model of a hyperparameter search, and the values to choose from.

A space is an experiment of one variant under one protocol, both named "search", and a function that asks for values.
The function uses Keras Tuner's hyperparameters (`Float`, `Int`, `Choice`) without importing Keras Tuner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

from sertf.errors import SertfError, unknown
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.training.recipe import Recipe, Tuned

RESULT = "result.json"
"""File of a finished trial."""
SEARCH = "search"
"""Name of a space's variant and of its protocol."""


@dataclass(frozen=True)
class SearchSpace:
    """A model, its training, and the values to search.

    Attributes:
        experiment: one variant and one protocol, both named "search".
        ask: function of hyperparameters to two dicts: changes to the recipe, and to the builder's keyword arguments. It
            goes to other processes, so it must be a function of a module.
    """

    experiment: Experiment
    ask: Callable

    @property
    def variant(self) -> Variant:
        """The variant to search."""
        return self.experiment.variant(SEARCH)

    def tuned(self, hyperparameters) -> Tuned:
        """The recipe and options for some hyperparameters.

        Raises:
            SertfError: `ask` returns anything but two dicts, or names a field that recipes do not have.
        """
        found = self.ask(hyperparameters)
        if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(part, dict) for part in found)):
            raise SertfError(
                "The space's `ask` must return two dicts, changes to the recipe and options of the model; either may be "
                f"empty. It returned {found!r}."
            )
        changes, options = found
        known = [field.name for field in fields(Recipe)]
        for name in changes:
            if name not in known:
                raise SertfError(unknown("field of a recipe, which the space's `ask` changes,", name, known))
        recipe = replace(self.experiment.recipe(SEARCH, SEARCH), **changes)
        return Tuned(self.variant.model, recipe, options, self.experiment.corpus)

    def on(self, corpus: str | None = None, *, protocol: str | None = None, epochs: int | None = None) -> "SearchSpace":
        """The space on another corpus, under another protocol, or with another number of epochs; None keeps each."""
        variant, recipe = self.variant, self.experiment.recipe(SEARCH, SEARCH)
        variant = replace(
            variant, recipes={SEARCH: replace(recipe, epochs=recipe.epochs if epochs is None else epochs)}
        )
        setting = self.experiment.setting(SEARCH)
        experiment = replace(
            self.experiment,
            corpus=corpus or self.experiment.corpus,
            variants={SEARCH: variant},
            protocols={SEARCH: setting if protocol is None else Setting(protocol)},
        )
        return replace(self, experiment=experiment)


def search_space(
    ask: Callable,
    *,
    model: str,
    paper: str,
    corpus: str,
    protocol: str,
    front_end: str,
    recipe: Recipe,
    front_end_options: Mapping[str, object] | None = None,
    options: Mapping[str, object] | None = None,
    name: str | None = None,
    seed: int = 2606,
    **variant,
) -> SearchSpace:
    """The space of a model.

    Args:
        ask: as for `SearchSpace`.
        model, options: name and keyword arguments of the builder.
        paper, corpus, front_end, front_end_options, seed: as for `sertf.experiment.Experiment`.
        protocol: each trial trains its folds.
        recipe: the recipe of every trial, but for the changes from `ask`.
        name: name of the experiment; <model>_search by default.
        **variant: further fields of `sertf.experiment.Variant`.
    """
    experiment = Experiment(
        name=name or f"{model}_search",
        paper=paper,
        corpus=corpus,
        front_end=front_end,
        front_end_options=front_end_options or {},
        variants={SEARCH: Variant(model, recipes={SEARCH: recipe}, options=options or {}, **variant)},
        protocols={SEARCH: Setting(protocol)},
        seed=seed,
    )
    return SearchSpace(experiment, ask)


def log_float(hyperparameters, name: str, low: float, high: float) -> float:
    """Ask for a number of three digits, uniform on a log scale."""
    return float(f"{hyperparameters.Float(name, low, high, sampling='log'):.3g}")
