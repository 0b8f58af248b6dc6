"""What the benchmarks share: medians, memory, and programs that are started and report back.

Only the standard library: napari's scripts use it too, in their own environment.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
_MARK = "benchmark: "


def report(**figures: Any) -> None:
    """In a measured program: hand figures to the benchmark that started it."""
    print(_MARK + json.dumps(figures), flush=True)


def run_and_hear(command: Sequence[str], *, environment: Mapping[str, str], timeout_s: float = 180) -> dict[str, Any]:
    """Start a program and wait for it to end.

    Returns:
        What it reported, and ``started``: the monotonic clock when it was started (`time.perf_counter`).

    Raises:
        RuntimeError: if it failed or reported nothing.
    """
    started = time.perf_counter()
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, check=False, timeout=timeout_s
    )
    lines = [line.removeprefix(_MARK) for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise RuntimeError(
            f"{' '.join(command)} reported nothing (exit {done.returncode}):\n{done.stdout}{done.stderr}"
        )
    figures: dict[str, Any] = {"started": started}
    for line in lines:
        figures |= json.loads(line)
    return figures


def in_turns(runs: int, **programs: Callable[[], Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Call the programs one after the other, ``runs`` times over after one round that is not counted."""
    results: dict[str, list[Mapping[str, Any]]] = {name: [] for name in programs}
    for number in range(runs + 1):
        for name, program in programs.items():
            result = program()
            if number:
                results[name].append(result)
    return results


def median(values: Sequence[float]) -> float:
    """The median, rounded to four figures."""
    return float(f"{statistics.median(values):.4g}")


def peak_memory_mb(pid: int | None = None) -> float:
    """Largest resident memory of a process so far, in MB (10⁶ bytes); Linux only."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def peak_memory_of_children_mb() -> float:
    """The same, summed over the processes that this one has started and those they have started."""

    def below(pid: int) -> list[int]:
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").glob("*/children")
            for child in task.read_text("utf-8").split()
        ]
        return [*children, *(grandchild for child in children for grandchild in below(child))]

    return sum(peak_memory_mb(pid) for pid in below(os.getpid()))


def machine() -> dict[str, str]:
    """Where and when this was measured."""
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "date": date.today().isoformat(),
        "cpu": f"{cpu}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def keep(name: str, figures: Mapping[str, Any]) -> None:
    """Write ``benchmarks/results/NAME.json`` and print the figures."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **figures}, indent=1)
    (RESULTS / f"{name}.json").write_text(text, "utf-8")
    print(f"{name}\n{text}")


def table(title: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    for row in (title, ["---"] * len(title), *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()
