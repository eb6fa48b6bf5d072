"""Search spaces: what a hyperparameter search trains, and which values it chooses from.

A space is an experiment of one variant under one protocol, both named "search", and a function that asks for values.
The function uses Keras Tuner's hyperparameters (`Float`, `Int`, `Choice`) without importing Keras Tuner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

from sertf.errors import SertfError, unknown
from sertf.experiment.description import Experiment, Setting, Variant
from sertf.training.recipe import Recipe, Tuned

RESULT = "result.json"
"""File that a finished trial of a search leaves."""
SEARCH = "search"
"""Name of a space's variant and of its protocol."""


@dataclass(frozen=True)
class SearchSpace:
    """A model, how it is trained, and what of it is searched.

    Attributes:
        experiment: one variant and one protocol, both named "search".
        ask: function of hyperparameters to two dicts: changes to the recipe, and to the builder's keyword arguments. It is
            sent to other processes, so that it must stand by itself in a module.
    """

    experiment: Experiment
    ask: Callable

    @property
    def variant(self) -> Variant:
        """The variant that is searched."""
        return self.experiment.variant(SEARCH)

    def tuned(self, hyperparameters) -> Tuned:
        """The recipe and options that hyperparameters stand for.

        Raises:
            SertfError: `ask` gives anything but two dicts, or changes what no recipe has.
        """
        found = self.ask(hyperparameters)
        if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(part, dict) for part in found)):
            raise SertfError(
                "The space's `ask` must return two dicts, changes to the recipe and options of the model, either of which "
                f"may be empty, but returned {found!r}."
            )
        changes, options = found
        known = [field.name for field in fields(Recipe)]
        for name in changes:
            if name not in known:
                raise SertfError(unknown("field of a recipe, which the space's `ask` changes,", name, known))
        recipe = replace(self.experiment.recipe(SEARCH, SEARCH), **changes)
        return Tuned(self.variant.model, recipe, options, self.experiment.corpus)

    def on(self, corpus: str | None = None, *, protocol: str | None = None, epochs: int | None = None) -> "SearchSpace":
        """The space on another corpus, under another protocol, or of recipes of another length; None keeps each."""
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
        ask: as of `SearchSpace`.
        model, options: name and keyword arguments of the builder.
        paper, corpus, front_end, front_end_options, seed: as of `sertf.experiment.Experiment`.
        protocol: whose folds each trial trains.
        recipe: what `ask` does not change of it holds for every trial.
        name: of the experiment; <model>_search by default.
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
    """Ask for a number of three digits, log uniform."""
    return float(f"{hyperparameters.Float(name, low, high, sampling='log'):.3g}")
