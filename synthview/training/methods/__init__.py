"""How generators are trained: one published way in each file."""
