"""Statistics of reader studies: votes in, results out that name their hypothesis, unit, interval and assumptions."""
