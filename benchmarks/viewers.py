"""synthview beside napari on the same 256³ scan: start to first image, memory, stepping a slice."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import in_turns, keep, median, run_and_hear, table
from napari_environment import napari_python
from scan import scan_path

_HERE = Path(__file__).resolve().parent


def compare(runs: int, steps: int = 40) -> None:
    """Measure both in turns; print and keep medians and ratios."""
    with tempfile.TemporaryDirectory() as home:  # nobody's settings, nobody's recent files
        environment = {**os.environ, "HOME": home, "SYNTHVIEW_DATA_DIR": home, "XDG_CONFIG_HOME": home}

        def one(python: str, script: str) -> dict[str, Any]:
            command = [python, str(_HERE / script), str(scan_path()), str(steps)]
            return run_and_hear(command, environment=environment)

        results = in_turns(
            runs,
            synthview=lambda: one(sys.executable, "in_synthview.py"),
            napari=lambda: one(str(napari_python()), "in_napari.py"),
        )
    figures = {name: _figures(outcomes) for name, outcomes in results.items()}
    keep("viewers", {"runs": runs, **figures})
    _print(figures)


def _figures(outcomes: list[Any]) -> dict[str, float]:
    """Medians over the runs; of a run's steps first the median."""
    figures = {
        "first_image_s": median([one["first_image"] - one["started"] for one in outcomes]),
        "window_mb": median([one["window_mb"] for one in outcomes]),
        "step_ms": median([median(one["step_ms"]) for one in outcomes]),
    }
    if "all_mb" in outcomes[0]:
        figures["all_mb"] = median([one["all_mb"] for one in outcomes])
        figures["step_all_ms"] = median([median(one["step_all_ms"]) for one in outcomes])
    return figures


def _print(figures: dict[str, dict[str, float]]) -> None:
    ours, theirs = figures["synthview"], figures["napari"]
    names = {
        "first_image_s": "process start to first image (s)",
        "window_mb": "peak memory by then (MB)",
        "step_ms": "one slice further, all views (ms)",
    }
    rows: list[tuple[object, ...]] = [
        (title, ours[key], theirs[key], f"{ours[key] / theirs[key]:.2f}") for key, title in names.items()
    ]
    rows.append(("three new slices at once (ms)", ours["step_all_ms"], "–", "–"))
    rows.append(("peak memory, 3D and worker processes included (MB)", ours["all_mb"], "–", "–"))
    table(("256³ int16 .nii.gz", "synthview", "napari 0.9", "ratio"), rows)
