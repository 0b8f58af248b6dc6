"""Training sets of one individual: smooth random warps of a single scan, for trying the tools.

Such a set shows one anatomy in many proportions; a generator trained on it can show nothing else, and says so.  Each
sample is made of a few numbers from N(0, 1), which are kept as its code: three sizes, three turns, and how far along
each of some fixed smooth warps.  A generator that is given the code knows all there is to know, and need not blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.errors import TrainingDataError
from synthview.training.data.appearance import Appearance, change_appearance
from synthview.training.data.fields import Floats, exponential, jacobian, random_field
from synthview.training.data.steps import Arrays, Steps, digest, file_digest
from synthview.training.data.subjects import diagonal_affine
from synthview.training.data.warping import Grid, resample
from synthview.training.data.writing import BUILDER_VERSION, Row, numbers, packed
from synthview.volume import VolumeKind, load_volume

Matrix = npt.NDArray[Any]
_AIR_HU, _SKIN_HU = -1000.0, -400.0
_CT_NOISE = 2.0  # stored values, largest standard deviation
_MOTIONS, _TRUNCATION = 6, 2.0  # of a code's numbers, how many are sizes and turns; standard deviations
_WARPS_STREAM = 2**32  # of random numbers: no sample's


@dataclass(frozen=True)
class IndividualOptions:
    """What a training set of one individual should be.

    Attributes:
        count: samples.
        seed: of everything drawn.
        shape: (I, J, K).
        spacing_mm: of the voxels.
        kind: of the scan.
        window: real values stored as 0 and 255; None: 0 and the 99.9th percentile of the foreground.
        centre_mm: RAS+ mm of the middle of the samples; None: the foreground's centre of mass.
        numbers: that decide a sample; 6 and the number of smooth warps.
        size_sd: standard deviation of size along each axis, as a share.
        turn_sd: standard deviation of turns about each axis, degrees.
        warp: standard deviation of the smooth warp, as a share of the volume's shortest side.
        appearance: contrast, bias and noise of an MR scan; none by default, as no code could tell a generator of it.
    """

    count: int = 200
    seed: int = 0
    shape: tuple[int, int, int] = (64, 64, 40)
    spacing_mm: float = 0.45
    kind: VolumeKind = VolumeKind.T2_STAR
    window: tuple[float, float] | None = None
    centre_mm: tuple[float, float, float] | None = None
    numbers: int = 16
    size_sd: float = 0.03
    turn_sd: float = 2.0
    warp: float = 0.012
    appearance: Appearance = field(default_factory=lambda: Appearance(0.0, 0.0, 0.0, reference=150.0))

    def said(self) -> dict[str, Any]:
        """As plain values, without the count."""
        return {name: value for name, value in asdict(self).items() if name != "count"}


class Individual:
    """Warps one scan.

    Args:
        scan: NIfTI file.
        mask: NIfTI file, above 0 in the foreground; None: everything counts.
        options: what is wanted.
        steps: where finished steps are kept.
    """

    def __init__(self, scan: Path, mask: Path | None, options: IndividualOptions, steps: Steps) -> None:
        self.options, self._steps = options, steps
        self.name = scan.name.removesuffix(".gz").removesuffix(".nii")
        volume = load_volume(scan).to_ras()
        if volume.voxels.ndim != 3:
            raise TrainingDataError(f"{scan} should be one 3D scan, not a map of several channels")
        voxels = volume.voxels.astype(np.float32)
        self._masked = mask is not None
        foreground = _foreground(voxels, mask, options.kind)
        low, high = options.window or (0.0, float(np.percentile(voxels[foreground > 0], 99.9)))
        if not high > low:
            raise TrainingDataError(f"{scan}: the window {low:g} to {high:g} holds nothing; give --window LOW,HIGH")
        self.slope, self.intercept = (high - low) / 255, low
        stored = np.clip((voxels - low) / self.slope, 1 if self._masked else 0, 255)
        if options.kind is VolumeKind.CT:  # the table and clothes are taken away
            stored = np.where(foreground > 0, stored, np.clip((_AIR_HU - low) / self.slope, 0, 255)).astype(np.float32)
        self._channels = np.stack([stored * foreground, foreground]) if self._masked else stored[None]
        self._affine = diagonal_affine(volume.affine)
        self.grid = Grid(options.shape, options.spacing_mm, options.centre_mm or self._centre(foreground))
        files = [file_digest(file) for file in (scan, mask) if file]
        self.key = digest(BUILDER_VERSION, options.said(), files)

    @cached_property
    def _warps(self) -> Floats:
        """The smooth warps that all samples share: velocity fields (W, 3, I, J, K) in voxels."""
        options, shape = self.options, self.options.shape
        count = options.numbers - _MOTIONS
        size = options.warp * min(shape) / np.sqrt(max(count, 1))
        rng = np.random.default_rng([options.seed, _WARPS_STREAM])
        wide = [random_field(shape, 0.16 * min(shape), size, rng) for _ in range(count)]
        fine = [random_field(shape, 0.07 * min(shape), 0.3 * size, rng) for _ in range(count)]
        return np.stack(wide) + np.stack(fine) if count else np.zeros((0, 3, *shape), dtype=np.float32)

    def _centre(self, foreground: Floats) -> tuple[float, float, float]:
        ijk = np.argwhere(foreground > 0).mean(axis=0)
        x, y, z = self._affine[:3, :3] @ ijk + self._affine[:3, 3]
        return float(x), float(y), float(z)

    def sample(self, number: int) -> Arrays:
        """One warp: "image" in bytes, "code", and "row" as text."""
        return self._steps.do(f"sample-{number:05d}", self.key, lambda: self._make(number))

    def _make(self, number: int) -> Arrays:
        options = self.options
        rng = np.random.default_rng([options.seed, number])
        code = rng.standard_normal(options.numbers).astype(np.float32)
        image, least = self._warped(np.clip(code, -_TRUNCATION, _TRUNCATION))
        foreground = image[1] if self._masked else np.ones_like(image[0])
        if options.kind is VolumeKind.CT:
            changed = image[0] + rng.standard_normal(options.shape).astype(np.float32) * rng.uniform(0, _CT_NOISE)
        else:
            changed = change_appearance(image[0], foreground, options.appearance, rng)
        row: Row = {"sample": f"warp-{number:05d}", "subject": self.name, "split": "train"}
        return packed(changed, None, {**row, **numbers({"least_jacobian": least})}, code)

    def _warped(self, code: Floats) -> tuple[Floats, float]:
        displacement = exponential(np.tensordot(code[_MOTIONS:], self._warps, axes=1))
        to_scan: Matrix = np.linalg.inv(self._affine) @ self._motion(code) @ self.grid.affine
        outside = "zeros" if self._masked else "border"
        to_field: Matrix = np.linalg.inv(self.grid.affine)
        read = resample(self._channels, self.grid, to_field, displacement, to_scan, outside=outside)
        return read, float(jacobian(displacement).min())

    def _motion(self, code: Floats) -> Matrix:
        """4x4: sizes and turns about the centre of the grid, in mm."""
        sizes = np.exp(code[:3] * self.options.size_sd)
        turns = np.deg2rad(code[3:_MOTIONS] * self.options.turn_sd)
        linear = rotation(turns) @ np.diag(sizes)
        centre = np.array(self.grid.centre_mm)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = linear, centre - linear @ centre
        return matrix


def rotation(angles: Sequence[float] | Matrix) -> Matrix:
    """3x3 rotation about x, then y, then z, by angles in radians."""
    a, b, c = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return cast(Matrix, about_z @ about_y @ about_x)


def _foreground(voxels: Floats, mask: Path | None, kind: VolumeKind) -> Floats:
    """1 in what the scan is of, else 0."""
    if mask is not None:
        read = load_volume(mask).to_ras().voxels
        if read.shape != voxels.shape:
            raise TrainingDataError(f"the mask {mask} has shape {read.shape}, the scan {voxels.shape}")
        return (read > 0).astype(np.float32)
    return body(voxels) if kind is VolumeKind.CT else (voxels > float(np.median(voxels))).astype(np.float32)


def body(hounsfield: Floats) -> Floats:
    """1 in the body, its air included, and 0 around it: the table's thin shells are opened away."""
    edge = 6  # the body goes on beyond the scan
    dense = ndimage.binary_opening(np.pad(hounsfield > _SKIN_HU, edge, mode="edge"), iterations=2)
    labels, count = ndimage.label(dense)
    if not count:
        return np.ones_like(hounsfield)
    largest = labels == 1 + np.bincount(labels.ravel())[1:].argmax()
    grown = ndimage.binary_closing(largest, iterations=5)[edge:-edge, edge:-edge, edge:-edge]
    return np.stack([ndimage.binary_fill_holes(axial) for axial in np.moveaxis(grown, 2, 0)], axis=2).astype(np.float32)
