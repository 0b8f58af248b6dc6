"""Slices as they are drawn: which voxel is where on the screen.

The panes of a volume in RAS+ order, radiological (the patient's right is drawn left)::

        axial                    sagittal                  coronal
    ┌─────  A  ─────┐        ┌─────  S  ─────┐        ┌─────  S  ─────┐
    │ ●             │        │ ●             │        │ ●             │
    R   ← axis 0    L        A   ← axis 1    P        R   ← axis 0    L
    │   ↑ axis 1    │        │   ↑ axis 2    │        │   ↑ axis 2    │
    └─────  P  ─────┘        └─────  I  ─────┘        └─────  I  ─────┘
      slices: axis 2           slices: axis 0           slices: axis 1

Arrows say where the voxel index grows.  ● is the right-anterior-superior corner: top left in every pane.  Neurological
display exchanges R and L in the axial and coronal panes and leaves the sagittal one as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.volume.volume import Volume


class Plane(StrEnum):
    """The three slice planes."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"

    @property
    def through_axis(self) -> int:
        """The RAS+ axis along which its slices follow each other."""
        return _AXES[self][2]


_AXES = {Plane.AXIAL: (0, 1, 2), Plane.SAGITTAL: (1, 2, 0), Plane.CORONAL: (0, 2, 1)}  # columns, rows, through
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))  # where the index of each RAS+ axis is 0, and where it is largest


def _flips(plane: Plane, *, radiological: bool) -> tuple[bool, bool]:
    """Whether columns and rows run against the voxel index.  No other code decides this.

    Rows always do (the top row is anterior or superior); columns do where right or anterior is drawn left.
    """
    return plane is Plane.SAGITTAL or radiological, True


@dataclass(frozen=True)
class SliceGeometry:
    """Where the voxels of one plane are drawn.

    Attributes:
        plane: which plane.
        shape: (I, J, K) of the volume in RAS+ order.
        spacing: mm per voxel along each of its axes.
        radiological: the patient's right is drawn left.
    """

    plane: Plane
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    radiological: bool

    @property
    def axes(self) -> tuple[int, int, int]:
        """Voxel axes along the columns (left to right), along the rows (top to bottom), and through the slices."""
        return _AXES[self.plane]

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the picture."""
        column_axis, row_axis, _ = self.axes
        return self.shape[column_axis], self.shape[row_axis]

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.shape[self.axes[2]]

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Width and height of a pixel in mm."""
        column_axis, row_axis, _ = self.axes
        return self.spacing[column_axis], self.spacing[row_axis]

    @property
    def edge_letters(self) -> tuple[str, str, str, str]:
        """Patient directions at the left, right, top and bottom edge."""
        (left, right), (top, bottom) = (
            _LETTERS[axis][::-1] if flipped else _LETTERS[axis]
            for axis, flipped in zip(self.axes, _flips(self.plane, radiological=self.radiological), strict=False)
        )
        return left, right, top, bottom

    def to_image(self, ijk: Sequence[float]) -> tuple[float, float]:
        """Column and row of a voxel position; whole numbers are pixel centres."""
        column, row = (
            self.shape[axis] - 1 - ijk[axis] if flipped else ijk[axis]
            for axis, flipped in zip(self.axes, _flips(self.plane, radiological=self.radiological), strict=False)
        )
        return column, row

    def to_ijk(self, column: float, row: float, index: float) -> tuple[float, float, float]:
        """Voxel position of a column and row of the slice ``index``; the inverse of ``to_image``."""
        ijk = [index] * 3
        flips = _flips(self.plane, radiological=self.radiological)
        for axis, flipped, position in zip(self.axes, flips, (column, row), strict=False):
            ijk[axis] = self.shape[axis] - 1 - position if flipped else position
        return ijk[0], ijk[1], ijk[2]

    def cut(self, voxels: npt.NDArray[Any], index: int) -> npt.NDArray[Any]:
        """The slice ``index`` as it is drawn: rows from top to bottom, columns from left to right.

        Args:
            voxels: (I, J, K) or (C, I, J, K) in RAS+ order.
            index: voxel index along the axis through the slices.

        Returns:
            A view of shape (rows, columns), or (C, rows, columns).
        """
        column_axis, row_axis, through = self.axes
        picture = np.moveaxis(voxels, (row_axis - 3, column_axis - 3, through - 3), (-2, -1, -3))[..., index, :, :]
        flip_columns, flip_rows = _flips(self.plane, radiological=self.radiological)
        return picture[..., :: -1 if flip_rows else 1, :: -1 if flip_columns else 1]


def slice_geometry(volume: Volume, plane: Plane, *, radiological: bool = True) -> SliceGeometry:
    """How the slices of ``volume`` (in RAS+ order, see ``Volume.to_ras``) are drawn."""
    return SliceGeometry(plane, volume.shape, volume.spacing, radiological)


@dataclass(frozen=True)
class Reading:
    """What a volume holds at a position.

    Attributes:
        mm: the position in RAS+ millimetres.
        ijk: the voxel it lies in, in the volume's own axis order.
        value: the voxel's value, or one per channel of a tissue map.
    """

    mm: tuple[float, float, float]
    ijk: tuple[int, int, int]
    value: float | tuple[float, ...]


def read_at(volume: Volume, mm: tuple[float, float, float]) -> Reading | None:
    """The value at a position in RAS+ millimetres; None outside the volume (beyond half a voxel from its centres)."""
    i, j, k = (int(np.floor(index + 0.5)) for index in np.round(volume.mm_to_ijk(mm), 6))
    if not all(0 <= index < n for index, n in zip((i, j, k), volume.shape, strict=True)):
        return None
    found = volume.voxels[..., i, j, k]
    value = tuple(float(v) for v in found) if volume.voxels.ndim == 4 else float(found)
    return Reading(mm, (i, j, k), value)
