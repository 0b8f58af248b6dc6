"""One generator, timed: ``python one_generator.py CHECKPOINT CASE plain|synthview DEVICE DTYPE``.

The second of two volumes is timed, by the clock and in processor time.  On a GPU, memory is what torch took there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from cases import CASES, Case
from measure import peak_memory_mb, report
from plain import plain_network

from synthview.generators.latents import sample_latents
from synthview.generators.loading import load_generator


def _plain(case: Case, path: str, device: str) -> tuple[Callable[[], Any], tuple[int, ...]]:
    """The published layers in float32; of cDPM, whose layers synthview runs as published, those without float64."""
    if case.family == "mrianateval-cdpm":
        generator = load_generator(path, device, case.family, double_precision=False, **case.said)
        return lambda: generator.decode(generator.sample_latent(1)), generator.info.latent_shape
    weights = torch.load(path, weights_only=True)
    network = plain_network(case, weights).to(device)
    shape = load_latent_shape(case)
    z = torch.from_numpy(sample_latents(shape, 1, 1, 1.0)).to(device)

    def run() -> Any:
        with torch.no_grad():
            return network(z).cpu().numpy()

    return run, shape


def load_latent_shape(case: Case) -> tuple[int, ...]:
    """Of one latent."""
    if case.family == "monai-ldm":
        return (3, *map(int, case.said["size"].split("x")))
    return (32 * case.built["channel_base"] if case.family == "csegsynth" else case.built["latent_dim"],)


def main() -> None:
    """Measure and report."""
    path, title, way, device, dtype = sys.argv[1:]
    case = next(case for case in CASES if case.title == title)
    start = time.perf_counter()
    if way == "plain":
        run, _ = _plain(case, path, device)
    else:
        generator = load_generator(path, device, case.family, dtype=dtype, **case.said)
        z = generator.sample_latent(1)
        run = lambda: generator.decode(z)  # noqa: E731
    report(load_s=time.perf_counter() - start)
    run()
    start, cpu = time.perf_counter(), time.process_time()
    output = run()
    report(generate_s=time.perf_counter() - start, cpu_s=time.process_time() - cpu)
    if way != "plain":
        start = time.perf_counter()
        generator.generate(1, coarse=True)
        report(coarse_s=time.perf_counter() - start)
    on_gpu = device.startswith("cuda")
    peak = torch.cuda.max_memory_allocated() / 1e6 if on_gpu else peak_memory_mb()
    report(peak_mb=peak, mean=float(output.mean(dtype="float64")), std=float(output.std(dtype="float64")))


if __name__ == "__main__":
    main()
