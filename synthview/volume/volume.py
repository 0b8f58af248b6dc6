"""A volume: voxels, where they are, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import VolumeError
from synthview.volume.orientation import AxisCodes, axis_codes, says_where, spacing_of, to_ras
from synthview.volume.provenance import Provenance
from synthview.volume.window import Window, auto_window


class VolumeKind(StrEnum):
    """What the values mean."""

    T1W = "T1w"
    T2W = "T2w"
    T2_STAR = "T2*w"
    CT = "CT"
    TISSUE_MAP = "tissue map"
    LABEL_MAP = "label map"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Volume:
    """An image on a regular grid, in the patient's space.

    Attributes:
        voxels: (I, J, K), or (C, I, J, K) for a tissue map with C probabilities; any real dtype.
        affine: 4x4 float64, voxel index to RAS+ millimetres (nibabel's convention).
        kind: what the values mean.
        unit: the values' unit, such as "HU"; empty where it is arbitrary or unknown.
        window: the window it is meant to be seen in; None where unknown (see ``display_window``).
        name: what a person calls it; for a file, its name.
        provenance: how synthview made it; None for anything else.
        notes: what is not known or was changed on reading, one sentence each, fit to be shown.
    """

    voxels: npt.NDArray[Any]
    affine: npt.NDArray[np.float64]
    kind: VolumeKind = VolumeKind.UNKNOWN
    unit: str = ""
    window: Window | None = None
    name: str = ""
    provenance: Provenance | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.voxels.ndim not in (3, 4) or 0 in self.voxels.shape:
            raise VolumeError(f"voxels must be (I, J, K) or (C, I, J, K) and not empty, got shape {self.voxels.shape}")
        affine = np.asarray(self.affine, dtype=np.float64)
        if affine.shape != (4, 4):
            raise VolumeError(f"affine must be 4x4, got {affine.shape}")
        if not says_where(affine):
            raise VolumeError("affine is singular, not finite or absurd: it does not say where the voxels are")
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each spatial axis (I, J, K)."""
        i, j, k = self.voxels.shape[-3:]
        return i, j, k

    @cached_property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres per voxel along each spatial axis."""
        return spacing_of(self.affine)

    @property
    def axis_codes(self) -> AxisCodes:
        """Directions in which the indices grow, such as ("R", "A", "S")."""
        return axis_codes(self.affine)

    @cached_property
    def display_window(self) -> Window:
        """The window to show it in at first: its own, else the automatic one."""
        return self.window or auto_window(self.voxels)

    def to_ras(self) -> Volume:
        """The same volume with its axes in the order right, anterior, superior (a view, nothing interpolated)."""
        voxels, affine = to_ras(self.voxels, self.affine)
        return replace(self, voxels=voxels, affine=affine)

    def ijk_to_mm(self, ijk: tuple[float, float, float]) -> tuple[float, float, float]:
        """RAS+ millimetres of a voxel index (which may lie between voxels)."""
        x, y, z = (self.affine @ (*ijk, 1.0))[:3]
        return float(x), float(y), float(z)

    def mm_to_ijk(self, mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """Voxel index, not rounded and not clamped, of a position in RAS+ millimetres."""
        i, j, k = (self._mm_to_ijk @ (*mm, 1.0))[:3]
        return float(i), float(j), float(k)

    @cached_property
    def _mm_to_ijk(self) -> npt.NDArray[np.float64]:
        """4x4, RAS+ millimetres to voxel index."""
        return np.linalg.inv(self.affine).astype(np.float64, copy=False)

    def save(self, path: str | Path) -> Path:
        """Write a ``.nii`` or ``.nii.gz`` file; see ``save_volume``."""
        from synthview.volume.nifti import save_volume

        return save_volume(self, Path(path))
