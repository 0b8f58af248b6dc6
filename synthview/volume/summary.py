"""Facts about a volume's values: range, histogram, how much there is of each tissue."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.volume.volume import Volume

_SAMPLE = 200_000  # voxels looked at for a histogram
_TAIL_PERCENT = 0.05  # of the values, left out at either end of a histogram


@dataclass(frozen=True)
class Histogram:
    """How often values occur, without the last few at either end.

    Attributes:
        low: lower edge of the first bin.
        high: upper edge of the last bin; more than ``low``.
        counts: (bins,) how many of the sampled voxels fall into each bin.
    """

    low: float
    high: float
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Summary:
    """What a volume holds.

    Attributes:
        low: the smallest value.
        high: the largest value.
        class_ml: millilitres of each class of a tissue map (its probabilities added up); empty for anything else.
    """

    low: float
    high: float
    class_ml: tuple[float, ...] = ()


def summarise(volume: Volume) -> Summary:
    """Look at every voxel: some tens of milliseconds for 256³, so not while somebody waits for a slice."""
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    if volume.voxels.ndim == 3:
        return Summary(low, high)
    voxel_ml = abs(np.linalg.det(volume.affine[:3, :3])) / 1000
    sums = volume.voxels.sum(axis=(1, 2, 3), dtype=np.float64)
    return Summary(low, high, tuple(float(total * voxel_ml) for total in sums))


def histogram(voxels: npt.NDArray[Any], bins: int = 128) -> Histogram:
    """The histogram of about 200 000 voxels, evenly spread: quick, and the same every time.

    Args:
        voxels: array of any shape, any real dtype, finite.
        bins: how many, at most for whole numbers.
    """
    stride = max(1, round((voxels.size / _SAMPLE) ** (1 / voxels.ndim)))
    sample = voxels[(slice(None, None, stride),) * voxels.ndim].astype(np.float32, copy=False).ravel()
    low, high = (float(edge) for edge in np.percentile(sample, (_TAIL_PERCENT, 100 - _TAIL_PERCENT)))
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    if high <= low:
        low, high = low - 0.5, low + 0.5
    if voxels.dtype.kind in "iub":  # bins of whole numbers, or some would hold one value more than their neighbours
        step = math.ceil((high - low + 1) / bins)
        low, bins = math.floor(low) - 0.5, math.ceil((high - math.floor(low) + 1) / step)
        high = low + bins * step
    counts, _ = np.histogram(sample, bins, (low, high))
    return Histogram(low, high, counts.astype(np.int64))
