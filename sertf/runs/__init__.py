"""Run folders and stored results: their layout, their files, what may be reused."""
