"""How long each family takes, and how much memory, beside the same network put together plainly (``plain.py``).

Weights are random and made here.  Plain and synthview's run in turns, each in a process of its own.  On a machine with
an NVIDIA GPU everything is measured there too, also in bfloat16.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from cases import CASES, Case, write_weights
from measure import in_turns, keep, median, run_and_hear, table

_FIGURES = ("load_s", "generate_s", "cpu_s", "coarse_s", "peak_mb")
_ALIKE = 1e-3  # difference of means and spreads, in spreads, that float32 may make


def compare(runs: int) -> None:
    """Measure every case; print and keep medians.  ``CASES=word`` in the environment measures those with that word."""
    ways = [("cpu", "float32")] + [("cuda", dtype) for dtype in ("float32", "bfloat16") if torch.cuda.is_available()]
    if os.environ.get("CPU_BFLOAT16"):
        ways.append(("cpu", "bfloat16"))
    chosen = [case for case in CASES if os.environ.get("CASES", "") in case.title]
    results = {f"{device} {dtype}": _measure(chosen, runs, device, dtype) for device, dtype in ways}
    about = {"runs": runs, "torch": torch.__version__, "threads": torch.get_num_threads()}
    keep("generators", about | results)
    for way, found in results.items():
        print(f"\n{way}\n")
        table(
            (
                "family",
                "plain (s)",
                "synthview (s)",
                "faster",
                "in processor time",
                "coarse (s)",
                "peak, plain (MB)",
                "peak (MB)",
            ),
            [_row(title, figures) for title, figures in found.items()],
        )


def _measure(cases: list[Case], runs: int, device: str, dtype: str) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            path = Path(folder, "G.pth")
            write_weights(path, case)
            one = partial(_one, path, case, device)
            heard = in_turns(runs, plain=partial(one, "plain", "float32"), synthview=partial(one, "synthview", dtype))
            _check_alike(case, heard, dtype)
            results[case.title] = {
                way: {name: median([run[name] for run in found]) for name in _FIGURES if name in found[0]}
                for way, found in heard.items()
            }
    return results


def _one(path: Path, case: Case, device: str, way: str, dtype: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("one_generator.py"))
    environment = {**os.environ, "SYNTHVIEW_DATA_DIR": str(path.parent)}
    command = [sys.executable, script, str(path), case.title, way, device, dtype]
    return run_and_hear(command, environment=environment, timeout_s=1800)


def _check_alike(case: Case, heard: dict[str, list[Any]], dtype: str) -> None:
    """Make sure that both computed the same."""
    plain, ours = heard["plain"][0], heard["synthview"][0]
    if dtype == "float32" and any(abs(plain[n] - ours[n]) > _ALIKE * plain["std"] for n in ("mean", "std")):
        raise RuntimeError(f"{case.title}: the plain network computes something else: {plain}, {ours}")


def _row(title: str, figures: dict[str, dict[str, float]]) -> tuple[object, ...]:
    plain, ours = figures["plain"], figures["synthview"]
    faster, cpu = (f"{plain[n] / ours[n]:.1f}×" if ours[n] else "–" for n in ("generate_s", "cpu_s"))
    peaks = (round(plain["peak_mb"]), round(ours["peak_mb"]))
    return (title, plain["generate_s"], ours["generate_s"], faster, cpu, ours["coarse_s"], *peaks)
