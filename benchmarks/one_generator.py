"""One generator, timed: ``python one_generator.py CHECKPOINT FAMILY RUNS [NAME=VALUE …]``."""

from __future__ import annotations

import sys
import time

from measure import peak_memory_mb, report

from synthview.generators.generator import Generator
from synthview.generators.loading import load_generator


def _timed(generator: Generator, seed: int, *, coarse: bool) -> float:
    start = time.perf_counter()
    generator.generate(seed, coarse=coarse)
    return time.perf_counter() - start


if __name__ == "__main__":
    path, family, runs = sys.argv[1:4]
    arguments = dict(pair.split("=", 1) for pair in sys.argv[4:])
    start = time.perf_counter()
    generator = load_generator(path, "cpu", family, **arguments)
    report(load_s=time.perf_counter() - start)
    report(
        coarse_s=[_timed(generator, seed, coarse=True) for seed in range(int(runs))],
        generate_s=[_timed(generator, seed, coarse=False) for seed in range(int(runs))],
        peak_mb=peak_memory_mb(),
    )
