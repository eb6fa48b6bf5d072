"""How sertf trains a model on data that no paper ran on: as a paper's experiment trains one of its variants."""

from collections.abc import Mapping
from dataclasses import dataclass

from sertf.experiment.description import Experiment, Variant
from sertf.training.recipe import Recipe

PROTOCOL = "strict"
"""The protocol of the experiment whose recipe counts."""


@dataclass(frozen=True)
class System:
    """A variant of an experiment, whose front end, options and recipe a model takes along to other data.

    Attributes:
        experiment: where the variant is from.
        variant_name: the variant, in a size that trains on a CPU.
        chosen_on: names of the corpora by whose scores this variant was chosen among the experiment's.
    """

    experiment: Experiment
    variant_name: str
    chosen_on: tuple[str, ...] = ()

    @property
    def variant(self) -> Variant:
        """The variant itself."""
        return self.experiment.variant(self.variant_name)

    @property
    def recipe(self) -> Recipe | None:
        """How the model is trained; None for a scikit-learn model."""
        return self.experiment.recipe(self.variant_name, PROTOCOL)

    @property
    def front_end(self) -> str:
        """Name in `sertf.features.FEATURES`."""
        return self.experiment.front_end

    @property
    def front_end_options(self) -> Mapping[str, object]:
        """Keyword arguments of the front end."""
        return self.experiment.front_end_options_of(self.variant_name)

    @property
    def tuned_on(self) -> tuple[str, ...]:
        """Names of the corpora by whose scores recipe or variant were chosen."""
        return tuple(dict.fromkeys((*self.variant.tuned_on, *self.chosen_on)))
