"""One file per command: `run`, whose docstring is the help."""
