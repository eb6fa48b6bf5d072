"""A campaign against the commands: random kills, malformed files, several writers at once. `make campaign` runs it."""
