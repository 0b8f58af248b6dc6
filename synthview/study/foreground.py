"""What is body and what is background, found the same way in every volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.volume import Volume

_WORK_PARTS = 100  # the outline is found on about so many voxels along the longest axis: quick, and free of noise
_BELOW_OTSU = 0.5  # dark tissue (CSF) belongs to the body: the threshold lies half way down to the background
_CLOSED_PARTS = 2  # of those voxels: gaps up to this wide are closed


@dataclass(frozen=True)
class Box:
    """The part of a grid that holds something: voxel indices ``start`` up to but not including ``stop``."""

    start: tuple[int, int, int]
    stop: tuple[int, int, int]

    @property
    def size(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        i, j, k = (b - a for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k

    @property
    def middle(self) -> tuple[float, float, float]:
        """Voxel index of its middle."""
        i, j, k = ((a + b - 1) / 2 for a, b in zip(self.start, self.stop, strict=True))
        return i, j, k


def foreground(volume: Volume) -> npt.NDArray[np.bool_]:
    """The body: the largest connected part above the background, its holes filled.

    Otsu's threshold (IEEE Trans. Syst. Man Cybern. 1979; 9:62-66) on a smoothed copy, lowered half way to the
    background's value, then the largest component, closed and filled.

    Args:
        volume: (I, J, K), in RAS+ order.

    Returns:
        (I, J, K); all False where every value is the same.
    """
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.voxels.transpose(2, 1, 0), dtype=np.float32))
    image.SetSpacing(volume.spacing)
    small = _coarse(image)
    values = sitk.GetArrayViewFromImage(small)
    low, high = float(np.percentile(values, 1)), float(values.max())
    if not high > low:
        return np.zeros(volume.shape, bool)
    inside = small > _threshold(small, low)
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(inside), sortByObjectSize=True)
    close_mm = _CLOSED_PARTS * _work_mm(small)
    radius = [max(1, round(close_mm / mm)) for mm in small.GetSpacing()]
    body = sitk.BinaryMorphologicalClosing(sitk.ConstantPad(labels == 1, radius, radius), radius)
    body = sitk.BinaryFillhole(sitk.Crop(body, radius, radius))
    full = sitk.Resample(sitk.Cast(body, sitk.sitkFloat32), image, sitk.Transform(), sitk.sitkLinear, 0.0)
    full = sitk.GetArrayFromImage(full).transpose(2, 1, 0) >= 0.5
    found: npt.NDArray[np.bool_] = np.ascontiguousarray(full)
    return found


def bounding_box(mask: npt.NDArray[np.bool_]) -> Box | None:
    """The smallest box that holds all that is True; None where nothing is."""
    edges = []
    for axis in range(3):
        found = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        if not found.size:
            return None
        edges.append((int(found[0]), int(found[-1]) + 1))
    (i0, i1), (j0, j1), (k0, k1) = edges
    return Box((i0, j0, k0), (i1, j1, k1))


def _coarse(image: Any) -> Any:
    """A smoothed copy with voxels of about a hundredth of its length, or its own where those are larger."""
    import SimpleITK as sitk  # noqa: N813

    spacing = image.GetSpacing()
    work_mm = _work_mm(image)
    image = sitk.SmoothingRecursiveGaussian(image, [max(mm, work_mm / 2) for mm in spacing])
    shrink = [max(1, round(work_mm / mm)) for mm in spacing]
    shrink = [min(factor, max(1, size // 16)) for factor, size in zip(shrink, image.GetSize(), strict=True)]
    return sitk.Shrink(image, shrink)


def _work_mm(image: Any) -> float:
    return max(float(size * mm) for size, mm in zip(image.GetSize(), image.GetSpacing(), strict=True)) / _WORK_PARTS


def _threshold(image: Any, background: float) -> float:
    import SimpleITK as sitk  # noqa: N813

    otsu = sitk.OtsuThresholdImageFilter()
    otsu.SetNumberOfHistogramBins(256)
    otsu.Execute(image)
    return background + (float(otsu.GetThreshold()) - background) * _BELOW_OTSU
