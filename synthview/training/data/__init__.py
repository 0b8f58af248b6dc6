"""Training sets from real anatomy: see ``docs/training-data.md``."""
