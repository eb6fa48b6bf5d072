from . import groups, reproducibility, scores, statistics, zero_shot

__all__ = [
    "groups",
    "reproducibility",
    "scores",
    "statistics",
    "zero_shot",
]
