"""Golden figures of published generators whose weights are given by a formula (``formula.py``, ``figures.json``)."""

import json
from pathlib import Path

import numpy as np
import pytest

FIGURES = json.loads(Path(__file__).with_name("figures.json").read_text("utf-8"))
TOLERANCE = 2e-5


def check_figures(raw: np.ndarray, name: str, voxel_tolerance: float = TOLERANCE) -> None:
    """Single voxels of deep networks differ by more than their mean from processor to processor."""
    expected = FIGURES[name]
    assert raw.dtype == np.float32
    assert raw.ravel()[expected["flat_index"]] == pytest.approx(expected["value"], abs=voxel_tolerance)
    assert raw.mean(dtype=np.float64) == pytest.approx(expected["mean"], abs=TOLERANCE)
    assert raw.std(dtype=np.float64) == pytest.approx(expected["std"], abs=TOLERANCE)
    assert (raw.min(), raw.max()) == pytest.approx((expected["min"], expected["max"]), abs=TOLERANCE)
