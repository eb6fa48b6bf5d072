from . import calibration, groups, reproducibility, scores, statistics, zero_shot

__all__ = [
    "calibration",
    "groups",
    "reproducibility",
    "scores",
    "statistics",
    "zero_shot",
]
