from . import search, spaces

__all__ = [
    "search",
    "spaces",
]
