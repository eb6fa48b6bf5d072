from . import command_line, runner, verify
from .command_line import main
from .description import Experiment, Recipe, Setting, Variant
from .runner import run

__all__ = [
    "Experiment",
    "Recipe",
    "Setting",
    "Variant",
    "command_line",
    "main",
    "run",
    "runner",
    "verify",
]
