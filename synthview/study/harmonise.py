"""Both arms through one path, so that nothing but the anatomy tells them apart.

    volume ─▶ RAS+ ─▶ foreground ─▶ one grid ─▶ smoothed ─▶ one value range ─▶ cleared background ─▶ whole numbers

``plan`` looks at every volume of every arm and settles the numbers (grid, spacing, levels) once; ``harmonise`` then
takes each volume through the same steps with the same numbers, whatever its arm.  The plan is kept in the study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from synthview.errors import VolumeError, WrongRequestError
from synthview.study.foreground import Box, bounding_box, foreground
from synthview.volume import Volume, VolumeKind, Window

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

FWHM = 2.3548200450309493  # full width at half maximum of a Gaussian, in standard deviations
_QUANTILES = np.linspace(0.0, 1.0, 129)
_LEAST_LEVELS, _MOST_LEVELS = 16, 4096


class Intensity(StrEnum):
    """How values are brought to one range."""

    PERCENTILES = "percentiles"
    """Of each volume's foreground, the 0.5th percentile becomes 1 and the 99.5th the largest level."""
    WINDOW = "window"
    """The same two values for all: for CT, whose units are absolute."""
    MATCHED = "matched"
    """Each volume's foreground gets the mean quantiles of all volumes: no arm is brighter or richer in contrast."""


class Background(StrEnum):
    """What is done with what lies outside the body."""

    CLEARED = "cleared"
    KEPT = "kept"


@dataclass(frozen=True)
class Harmonisation:
    """What a study asks for; what is None is settled from the volumes.

    Attributes:
        spacing_mm: edge of the cubic voxels; None for the coarsest spacing of any volume, so that none is sharper.
        shape: voxels of the common grid; None for the smallest that holds every volume's foreground.
        smoothing_mm: full width at half maximum of a Gaussian that all volumes pass through; 0 for none, None for one
            voxel of the common grid: enough to hide which volumes were interpolated and which stored in coarse steps.
        intensity: how values are brought to one range.
        window: the range for ``Intensity.WINDOW``: (low, high) in the volumes' unit.
        levels: number of grey levels, 16 to 4096.
        background: what is done with what lies outside the body.
        margin_mm: kept free around the foreground where ``shape`` is None.
    """

    spacing_mm: float | None = None
    shape: tuple[int, int, int] | None = None
    smoothing_mm: float | None = None
    intensity: Intensity = Intensity.PERCENTILES
    window: tuple[float, float] | None = None
    levels: int = 256
    background: Background = Background.CLEARED
    margin_mm: float = 4.0

    def __post_init__(self) -> None:
        if self.spacing_mm is not None and not 0.01 <= self.spacing_mm <= 20:
            raise WrongRequestError(f"harmonisation: spacing_mm must be 0.01 to 20 mm, got {self.spacing_mm:g}")
        if self.shape is not None and (len(self.shape) != 3 or not all(8 <= n <= 1024 for n in self.shape)):
            raise WrongRequestError(f"harmonisation: shape must be three numbers of 8 to 1024, got {self.shape}")
        if self.smoothing_mm is not None and not 0 <= self.smoothing_mm <= 20:
            raise WrongRequestError(f"harmonisation: smoothing_mm must be 0 to 20 mm, got {self.smoothing_mm:g}")
        if not _LEAST_LEVELS <= self.levels <= _MOST_LEVELS:
            raise WrongRequestError(f"harmonisation: levels must be 16 to 4096, got {self.levels}")
        if (self.window is None) == (self.intensity is Intensity.WINDOW):
            raise WrongRequestError("harmonisation: window (low, high) belongs to intensity: window, and only to that")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise WrongRequestError(f"harmonisation: window must be (low, high) with low below high, got {self.window}")
        if not 0 <= self.margin_mm <= 100:
            raise WrongRequestError(f"harmonisation: margin_mm must be 0 to 100 mm, got {self.margin_mm:g}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a protocol file."""
        return _plain(asdict(self))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``.

        Raises:
            WrongRequestError: a field is unknown, or its value makes no sense; the message names it.
        """
        _refuse_unknown(cls, content)
        known: dict[str, Any] = dict(content)
        try:
            if "intensity" in known:
                known["intensity"] = Intensity(known["intensity"])
            if "background" in known:
                known["background"] = Background(known["background"])
            for name in ("shape", "window"):
                if known.get(name) is not None:
                    known[name] = tuple(known[name])
            return cls(**known)
        except (TypeError, ValueError) as error:
            raise WrongRequestError(f"harmonisation: {error}") from error


@dataclass(frozen=True)
class Measured:
    """What ``plan`` needs to know of a volume.

    Attributes:
        spacing: mm per voxel in RAS+ order.
        extent_mm: size of its foreground's box.
        kind: what its values mean.
        quantiles: 129 quantiles of its foreground, brought to 0 (0.5th percentile) to 1 (99.5th).
    """

    spacing: tuple[float, float, float]
    extent_mm: tuple[float, float, float]
    kind: VolumeKind
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """The settled numbers that every volume is taken through.

    Attributes:
        asked: what the study asked for.
        spacing_mm: edge of the cubic voxels.
        shape: voxels of the common grid.
        smoothing_mm: full width at half maximum of the Gaussian that all pass through.
        quantiles: mean quantiles of all volumes for ``Intensity.MATCHED``; else empty.
    """

    asked: Harmonisation
    spacing_mm: float
    shape: tuple[int, int, int]
    smoothing_mm: float
    quantiles: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the record."""
        return {**_plain(asdict(self)), "asked": self.asked.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        _refuse_unknown(cls, content)
        i, j, k = content["shape"]
        quantiles = tuple(content.get("quantiles", ()))
        return cls(
            Harmonisation.from_dict(content["asked"]),
            content["spacing_mm"],
            (i, j, k),
            content["smoothing_mm"],
            quantiles,
        )


def measure(volume: Volume) -> Measured:
    """Look at one volume before the plan is made.

    Raises:
        VolumeError: it is a tissue map, or shows nothing.
    """
    ras = _scalar(volume)
    mask = foreground(ras)
    box = _box(volume, mask)
    values = ras.voxels[mask].astype(np.float32)
    low, high = np.percentile(values, (0.5, 99.5))
    scaled = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    extent = tuple(float(n * mm) for n, mm in zip(box.size, ras.spacing, strict=True))
    quantiles = tuple(float(q) for q in np.quantile(scaled, _QUANTILES))
    return Measured(ras.spacing, (extent[0], extent[1], extent[2]), volume.kind, quantiles)


def plan(asked: Harmonisation, measured: Sequence[Measured]) -> Plan:
    """Settle the numbers for all volumes of all arms.

    Raises:
        WrongRequestError: the volumes are of several kinds, or the grid would be absurdly large.
    """
    if not measured:
        raise WrongRequestError("harmonisation: there are no volumes")
    kinds = {one.kind for one in measured} - {VolumeKind.UNKNOWN}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.value for kind in kinds))
        raise WrongRequestError(f"harmonisation: the arms hold different kinds of image ({names}); use one kind")
    spacing = asked.spacing_mm or round(max(max(one.spacing) for one in measured), 4)
    shape = asked.shape
    if shape is None:
        largest = np.max([one.extent_mm for one in measured], axis=0) + 2 * asked.margin_mm
        i, j, k = (int(n) + int(n) % 2 for n in np.ceil(largest / spacing))
        shape = i, j, k
    if np.prod(shape, dtype=np.int64) > 1024**3:
        raise WrongRequestError(
            f"harmonisation: the common grid would have {' × '.join(map(str, shape))} voxels; give a coarser spacing_mm"
        )
    matched = asked.intensity is Intensity.MATCHED
    mean = np.mean([one.quantiles for one in measured], axis=0) if matched else ()
    smoothing = float(spacing) if asked.smoothing_mm is None else asked.smoothing_mm
    return Plan(asked, float(spacing), shape, smoothing, tuple(float(q) for q in mean))


def harmonise(volume: Volume, plan: Plan) -> Volume:
    """Take one volume through the plan.

    Returns:
        A volume in RAS+ with cubic voxels, centred on 0 mm, of dtype uint8 (up to 256 levels) or int16, without name,
        notes or provenance; 0 is the background, 1 to levels - 1 the rest.

    Raises:
        VolumeError: it is a tissue map, or shows nothing.
    """
    ras = _scalar(volume)
    mask = foreground(ras)
    box = _box(volume, mask)
    values = _resampled(ras, ras.voxels, box, plan, linear=True)
    inside = _resampled(ras, mask, box, plan, linear=True) >= 0.5
    if not inside.any():
        raise VolumeError(f"{volume.name or 'a volume'}: nothing of it lies on the common grid; give a larger shape")
    unit = _to_unit(values, inside, plan)
    levels = plan.asked.levels
    grey = 1 + np.floor(np.clip(unit, 0, 1) * (levels - 2) + 0.5)
    if plan.asked.background is Background.CLEARED:
        grey[~inside] = 0
    affine = np.diag([plan.spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -(np.array(plan.shape) - 1) / 2 * plan.spacing_mm
    dtype = np.uint8 if levels <= 256 else np.int16
    return Volume(grey.astype(dtype), affine, kind=volume.kind, window=Window.from_range(0, levels - 1))


def _scalar(volume: Volume) -> Volume:
    if volume.voxels.ndim != 3:
        raise VolumeError(f"{volume.name or 'a volume'} is a tissue map; a study shows images with one value per voxel")
    return volume.to_ras()


def _box(volume: Volume, mask: npt.NDArray[np.bool_]) -> Box:
    box = bounding_box(mask)
    if box is None:
        raise VolumeError(f"{volume.name or 'a volume'} shows nothing: all its values are alike; leave it out")
    return box


def _resampled(ras: Volume, values: npt.NDArray[Any], box: Box, plan: Plan, *, linear: bool) -> npt.NDArray[np.float32]:
    """Values on the common grid, whose middle lies on the middle of the foreground's box; (I, J, K) float32."""
    import SimpleITK as sitk  # noqa: N813

    image = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0), dtype=np.float32))
    image.SetSpacing(ras.spacing)
    image = _smoothed(image, ras, plan)
    middle = np.array(box.middle) * ras.spacing
    origin = middle - (np.array(plan.shape) - 1) / 2 * plan.spacing_mm
    resample = sitk.ResampleImageFilter()
    resample.SetInterpolator(sitk.sitkLinear if linear else sitk.sitkNearestNeighbor)
    resample.SetSize([int(n) for n in plan.shape])
    resample.SetOutputSpacing([plan.spacing_mm] * 3)
    resample.SetOutputOrigin([float(o) for o in origin])
    resample.SetDefaultPixelValue(float(values.min()))
    found: npt.NDArray[np.float32] = sitk.GetArrayFromImage(resample.Execute(image)).transpose(2, 1, 0)
    return np.ascontiguousarray(found)


def _smoothed(image: sitk.Image, ras: Volume, plan: Plan) -> sitk.Image:
    """What would alias on the coarser grid is taken away, then the smoothing that all pass through is added."""
    import SimpleITK as sitk  # noqa: N813

    coarser = np.maximum(plan.spacing_mm**2 - np.square(ras.spacing), 0.0)  # mm², per axis
    sigma = np.sqrt(coarser + plan.smoothing_mm**2) / FWHM
    if not (sigma > 0).any():
        return image
    return sitk.SmoothingRecursiveGaussian(
        image, [max(float(s), 1e-3 * mm) for s, mm in zip(sigma, ras.spacing, strict=True)]
    )


def _to_unit(values: npt.NDArray[np.float32], inside: npt.NDArray[np.bool_], plan: Plan) -> npt.NDArray[np.float32]:
    """Values on a scale on which 0 becomes the lowest level of the foreground and 1 the highest."""
    asked = plan.asked
    if asked.window is not None:
        low, high = asked.window
    else:
        low, high = (float(v) for v in np.percentile(values[inside], (0.5, 99.5)))
    unit: npt.NDArray[np.float32] = (values - np.float32(low)) / np.float32(max(high - low, 1e-12))
    if asked.intensity is Intensity.MATCHED:
        own = np.quantile(np.clip(unit[inside], 0, 1), _QUANTILES)
        increasing = np.maximum.accumulate(own) + np.arange(own.size) * 1e-7
        unit = np.interp(np.clip(unit, 0, 1), increasing, plan.quantiles).astype(np.float32)
    return unit


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """Tuples as lists and enumerations as words, for YAML and JSON."""
    return {
        name: list(value) if isinstance(value, tuple) else str(value) if isinstance(value, StrEnum) else value
        for name, value in content.items()
    }


def _refuse_unknown(cls: Any, content: Mapping[str, Any]) -> None:
    names = [field.name for field in fields(cls)]
    for name in content:
        if name not in names:
            raise WrongRequestError(f"harmonisation: {name!r} is unknown; there are {', '.join(names)}")
