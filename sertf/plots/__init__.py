"""Figures of scores, clips and searches; every function returns a Matplotlib figure."""
