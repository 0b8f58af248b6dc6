"""One published architecture per file."""
