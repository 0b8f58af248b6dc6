"""How good a set of volumes is: pure functions of arrays."""
