from . import cache
from .cache import FeatureCache

__all__ = [
    "FeatureCache",
    "cache",
]
