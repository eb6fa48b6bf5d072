from . import batches, fit, scaling
from .recipe import Recipe, Tuned, read_recipe, write_recipe

__all__ = [
    "Recipe",
    "Tuned",
    "batches",
    "fit",
    "read_recipe",
    "scaling",
    "write_recipe",
]
