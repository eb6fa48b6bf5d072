from . import command_line, runner, verify
from .command_line import main
from .description import Experiment, Recipe, Setting, Variant
from .runner import run
from .search_space import SearchSpace, search_space

__all__ = [
    "Experiment",
    "Recipe",
    "SearchSpace",
    "Setting",
    "Variant",
    "command_line",
    "main",
    "run",
    "runner",
    "search_space",
    "verify",
]
