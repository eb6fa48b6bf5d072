from . import search

__all__ = [
    "search",
]
