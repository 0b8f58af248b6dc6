"""Reading and writing a 256³ int16 NIfTI: synthview beside nibabel."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from measure import in_turns, keep, median, table
from scan import scan_path

from synthview.volume import load_volume, save_volume


def compare(runs: int) -> None:
    """Measure both in turns; print and keep medians and ratios."""
    volume, image = load_volume(scan_path()), nib.load(scan_path())
    image.get_fdata(dtype=np.float32)  # keeps the voxels in memory, as ours are
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "ours.nii.gz"), Path(folder, "theirs.nii.gz")
        actions: dict[str, Callable[[], Any]] = {
            "load_synthview": lambda: load_volume(scan_path()),
            "load_nibabel": lambda: nib.load(scan_path()).get_fdata(dtype=np.float32),
            "save_synthview": lambda: save_volume(volume, ours),
            "save_nibabel": lambda: nib.save(image, theirs),
        }
        results = in_turns(runs, **{name: lambda action=action: _timed(action) for name, action in actions.items()})
        sizes = {"synthview": ours.stat().st_size / 1e6, "nibabel": theirs.stat().st_size / 1e6}
    seconds = {name: median([one["s"] for one in outcomes]) for name, outcomes in results.items()}
    keep("nifti_io", {"runs": runs, "seconds": seconds, "file_mb": sizes})
    rows: list[tuple[object, ...]] = [
        (f"{what} (s)", seconds[f"{what}_synthview"], seconds[f"{what}_nibabel"], _ratio(seconds, what))
        for what in ("load", "save")
    ]
    rows.append(("file (MB)", f"{sizes['synthview']:.1f}", f"{sizes['nibabel']:.1f}", "–"))
    table(("256³ int16 .nii.gz", "synthview", "nibabel", "ratio"), rows)


def _ratio(seconds: dict[str, float], what: str) -> str:
    return f"{seconds[f'{what}_synthview'] / seconds[f'{what}_nibabel']:.2f}"


def _timed(action: Callable[[], Any]) -> dict[str, float]:
    start = time.perf_counter()
    action()
    return {"s": time.perf_counter() - start}
