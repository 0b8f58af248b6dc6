"""Volumes over the same field of view with another number of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt


def box_means(values: npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """(I, J, K) to another number of voxels over the same field of view: means of boxes, so that nothing aliases.

    Where an axis gains voxels, it is interpolated linearly instead.
    """
    result = values.astype(np.float32)
    for axis, want in enumerate(shape):
        result = np.moveaxis(np.tensordot(_weights(result.shape[axis], want), result, axes=(1, axis)), 0, axis)
    return np.asarray(result)


def _weights(have: int, want: int) -> npt.NDArray[np.float32]:
    """Weights (want, have) of the voxels that each new voxel covers."""
    if want > have:
        centres = np.clip((np.arange(want) + 0.5) * have / want - 0.5, 0, have - 1)
        distance = np.abs(centres[:, None] - np.arange(have)[None])
        nearest: npt.NDArray[np.float32] = np.clip(1 - distance, 0, 1).astype(np.float32)
        return nearest
    edges = np.linspace(0, have, want + 1)
    weights = np.zeros((want, have), dtype=np.float32)
    for row, (low, high) in enumerate(pairwise(edges)):
        voxels = np.arange(have)
        weights[row] = np.clip(np.minimum(high, voxels + 1) - np.maximum(low, voxels), 0, 1) / (high - low)
    return weights
