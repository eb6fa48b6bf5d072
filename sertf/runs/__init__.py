"""Run folders and stored results: their layout, their files, their reuse."""
