"""Figures of scores, clips and searches; every function returns a Matplotlib figure."""

FORMATS = ("png", "svg")
"""What `sertf.plots.scores.save_figure` writes, by the ending of the file's name."""
