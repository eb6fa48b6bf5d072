"""A page on this machine: upload or record a clip, and see which emotion a model recognizes."""
