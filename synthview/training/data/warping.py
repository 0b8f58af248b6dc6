"""Takes a scan to a new grid in one interpolation of the original image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.training.data.fields import Floats, sample
from synthview.volume import centred_affine

Matrix = npt.NDArray[Any]
_POINTS = 1 << 19  # at a time


@dataclass(frozen=True)
class Grid:
    """The grid of a training set.

    Attributes:
        shape: (I, J, K).
        spacing_mm: the same along all axes.
        centre_mm: RAS+ mm of the box's centre.
    """

    shape: tuple[int, int, int]
    spacing_mm: float
    centre_mm: tuple[float, float, float]

    @property
    def affine(self) -> Matrix:
        """4x4, voxel index to RAS+ mm."""
        return centred_affine(self.shape, self.spacing_mm, self.centre_mm)


def resample(
    channels: Floats,
    grid: Grid,
    to_field: Matrix,
    displacement: Floats | None,
    to_scan: Matrix,
    *,
    fine: int | None = None,
    outside: str = "zeros",
    only: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Read a scan's channels at the voxels of a grid, through an affine map, a displacement and an affine map.

    Where the grid is coarser than the scan, each voxel is the mean of ``fine``³ places in it, as a scanner's voxel is;
    where it isn't, the image is read with cubic splines, unless ``fine`` says 1.

    Args:
        channels: (C, I, J, K), of the original scan; its first channel is the image, others are 0-1.
        grid: where to.
        to_field: 4x4, the grid's mm to voxels of the displacement's grid.
        displacement: (3, …) in voxels of its own grid; None for none.
        to_scan: 4x4, voxels of the displacement's grid to voxels of the scan.
        fine: places along each axis of a voxel; from the two spacings where left out.
        outside: what lies beyond the scan: "zeros", or its "border" continued.
        only: (I, J, K), the voxels to compute; the others are 0.

    Returns:
        (C, I, J, K) on the grid.
    """
    cubic = fine is None
    if fine is None:
        scan_mm = 1 / np.abs(np.linalg.det((to_scan @ to_field)[:3, :3])) ** (1 / 3)
        fine = max(1, round(grid.spacing_mm / scan_mm))
    splines = None
    if cubic and fine == 1:
        splines = ndimage.spline_filter(channels[0], order=3, output=np.float32, mode="mirror")
    mode = "constant" if outside == "zeros" else "mirror"
    steps = ((np.arange(fine) + 0.5) / fine - 0.5).astype(np.float32)
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij")).reshape(3, 1, -1)
    chosen = np.arange(np.prod(grid.shape)) if only is None else np.flatnonzero(only)
    result = np.zeros((len(channels), int(np.prod(grid.shape))), dtype=np.float32)
    for first in range(0, len(chosen), _POINTS // fine**3):
        voxels = chosen[first : first + _POINTS // fine**3]
        ijk = np.stack(np.unravel_index(voxels, grid.shape)).astype(np.float32)
        at = transform(to_field @ grid.affine, ijk[:, :, None] + offsets)  # (3, n, fine³)
        if displacement is not None:
            at = at + sample(displacement, at)
        at = transform(to_scan, at)
        read = sample(channels, at, outside=outside)
        if splines is not None:
            read[0] = ndimage.map_coordinates(splines, at, order=3, mode=mode, prefilter=False, output=np.float32)
        result[:, voxels] = read.mean(axis=2)
    return result.reshape(-1, *grid.shape)


def transform(matrix: Matrix, points: Floats) -> Floats:
    """An affine map of points (3, …)."""
    linear, shift = matrix[:3, :3].astype(np.float32), matrix[:3, 3].astype(np.float32)
    return np.tensordot(linear, points, axes=1) + shift.reshape(3, *[1] * (points.ndim - 1))
