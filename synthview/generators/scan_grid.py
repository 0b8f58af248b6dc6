"""From a real scan to a network's grid: where its voxels lie in the scan's own space, and what values they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.volume import Volume, VolumeKind

CT_RANGE_HU = (-1024.0, 600.0)  # of the published chest CT generators
_BRIGHT_PERCENT = 99.9  # of an MR image's values: what is brighter is clipped, as single vessels may be
_BLANK_HU = -1024.0


@dataclass(frozen=True)
class Grid:
    """Where voxels lie.

    Attributes:
        shape: voxels along right, anterior and superior.
        affine: 4x4, voxel index to RAS+ mm of the scan.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]


def centred_grid(scan: Volume, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    """Voxels of a given spacing along the scan's axes, with the same centre; what lies outside is cut off or padded.

    Args:
        scan: with its axes in RAS+ order (``Volume.to_ras``).
        shape: of the grid.
        spacing: mm.
    """
    directions = scan.affine[:3, :3] / np.array(scan.spacing)
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing)
    i, j, k = ((n - 1) / 2 for n in scan.shape)
    affine[:3, 3] = scan.ijk_to_mm((i, j, k)) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def stretched_grid(scan: Volume, shape: tuple[int, int, int]) -> Grid:
    """The scan's whole field of view in so many voxels, as published for chest CT; they need not be cubes.

    Axial slices of a CT at either end that hold nothing but -1024 HU are left out, as published.
    """
    first, last = _slices_used(scan)
    kept = np.array([scan.shape[0], scan.shape[1], last - first])
    factors = kept / np.array(shape)
    affine = scan.affine.copy()
    affine[:3, :3] = scan.affine[:3, :3] * factors
    corner = factors / 2 - 0.5 + np.array([0, 0, first])  # index in the scan of the grid's first voxel
    x, y, z = corner
    affine[:3, 3] = scan.ijk_to_mm((x, y, z))
    return Grid(shape, affine)


def resampled(scan: Volume, grid: Grid, outside: float) -> npt.NDArray[np.float32]:
    """The scan's values on a grid: linear, after a Gaussian of half the shrinking where it becomes coarser.

    Args:
        scan: with its axes in RAS+ order.
        grid: from one of the functions above.
        outside: the value beyond the scan's field of view.

    Returns:
        float32 array of the grid's shape, with the scan's channels first where it has any.
    """
    from scipy.ndimage import affine_transform, gaussian_filter

    to_scan = np.linalg.inv(scan.affine) @ grid.affine
    shrinking = np.linalg.norm(to_scan[:3, :3], axis=0)
    sigma = [max(0.0, (factor - 1) / 2) for factor in shrinking]

    def one(voxels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        values = voxels.astype(np.float32, copy=False)
        if any(sigma):
            values = gaussian_filter(values, sigma, mode="nearest")
        moved: npt.NDArray[np.float32] = affine_transform(
            values, to_scan[:3, :3], to_scan[:3, 3], grid.shape, np.float32, order=1, mode="constant", cval=outside
        )
        return moved

    if scan.voxels.ndim == 3:
        return one(scan.voxels)
    return np.stack([one(channel) for channel in scan.voxels])


def value_range(scan: Volume) -> tuple[float, float]:
    """The values that become the network's lowest and highest: -1024 and 600 HU of a CT, else all but the brightest."""
    if scan.kind is VolumeKind.CT:
        return CT_RANGE_HU
    low, high = float(scan.voxels.min()), float(np.percentile(scan.voxels, _BRIGHT_PERCENT))
    return low, high if high > low else low + 1.0


def _slices_used(scan: Volume) -> tuple[int, int]:
    """First and one past the last axial slice with anything in it."""
    if scan.kind is not VolumeKind.CT:
        return 0, scan.shape[2]
    used = np.flatnonzero((scan.voxels > _BLANK_HU).any(axis=(0, 1)))
    return (int(used[0]), int(used[-1]) + 1) if used.size else (0, scan.shape[2])
