"""A page on this machine: upload or record, and see what a model hears."""
