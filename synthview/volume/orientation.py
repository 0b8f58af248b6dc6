"""Which way the axes point.  The one place where axes are swapped or flipped (for the screen: ``slicing``).

    RAS+ millimetres            first axis  →  patient Right
                                second axis →  Anterior
                                third axis  →  Superior

A stored array may have its axes in any of 48 orders and directions; its affine says which.  ``to_ras`` turns voxels and
affine together, so no voxel moves in the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nibabel.orientations as nibo
import numpy as np
import numpy.typing as npt

AxisCodes = tuple[str, str, str]


def axis_codes(affine: npt.NDArray[np.float64]) -> AxisCodes:
    """Directions in which the voxel indices grow, nearest letters: ``("L", "A", "S")`` for LAS.

    Args:
        affine: 4x4, voxel index to RAS+ millimetres; not singular.
    """
    first, second, third = nibo.aff2axcodes(affine)
    return first, second, third


def centred_affine(
    shape: Sequence[int], steps_mm: float | Sequence[float], centre_mm: Sequence[float] = (0.0, 0.0, 0.0)
) -> npt.NDArray[np.float64]:
    """4x4, voxel index to RAS+ millimetres, of a grid along the axes of RAS+ whose middle lies at a point.

    Args:
        shape: (I, J, K).
        steps_mm: from a voxel to the next along each axis, or the same along all; below 0: left, posterior, inferior.
        centre_mm: RAS+ mm of the grid's middle.
    """
    steps = np.broadcast_to(np.asarray(steps_mm, dtype=np.float64), 3)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = np.asarray(centre_mm) - steps * (np.asarray(shape) - 1) / 2
    return affine


def to_ras(
    voxels: npt.NDArray[Any], affine: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Swap and flip axes so that they come nearest to right, anterior, superior; nothing is interpolated.

    Args:
        voxels: (I, J, K), or (C, I, J, K) with the channels first.
        affine: 4x4, voxel index to RAS+ millimetres.

    Returns:
        A view of the voxels in the new order, and the affine that belongs to it.
    """
    ornt = nibo.io_orientation(affine)
    spatial_first = voxels if voxels.ndim == 3 else np.moveaxis(voxels, 0, -1)
    turned = nibo.apply_orientation(spatial_first, ornt)
    shape = spatial_first.shape[:3]
    turned_affine = affine @ nibo.inv_ornt_aff(ornt, shape)
    return (turned if voxels.ndim == 3 else np.moveaxis(turned, -1, 0)), turned_affine


def says_where(affine: npt.NDArray[np.float64]) -> bool:
    """Whether an affine places every voxel apart from the others, and at a size and place that a scanner could mean.

    Args:
        affine: 4x4, perhaps singular, infinite or NaN.
    """
    if not np.isfinite(affine).all() or np.abs(affine[:3, 3]).max() > 1e9:
        return False
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if spacing.min() < 1e-6 or spacing.max() > 1e6:
        return False
    return abs(float(np.linalg.det(affine[:3, :3] / spacing))) > 1e-4  # 1 for axes at right angles, 0 in one plane


def spacing_of(affine: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Voxel spacing in mm along each voxel axis: the lengths of the affine's columns."""
    i, j, k = np.linalg.norm(affine[:3, :3], axis=0)
    return float(i), float(j), float(k)
