from . import calibration, certainty, groups, reproducibility, scores, statistics, zero_shot

__all__ = [
    "calibration",
    "certainty",
    "groups",
    "reproducibility",
    "scores",
    "statistics",
    "zero_shot",
]
