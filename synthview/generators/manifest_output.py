"""What a manifest says of the output, put onto a family's volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.errors import CheckpointError
from synthview.generators.family import Family
from synthview.generators.manifest import Manifest
from synthview.volume import Volume, VolumeKind

_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))
_DIRECTION = {"R": (1, 0, 0), "A": (0, 1, 0), "S": (0, 0, 1), "L": (-1, 0, 0), "P": (0, -1, 0), "I": (0, 0, -1)}
_WEIGHTS = (16, 4, 1)  # of the ramps along the raw axes, far enough apart to tell them by


@dataclass(frozen=True)
class AxisMap:
    """Which raw axis each axis of a family's volume came from, and whether it was turned round.

    Attributes:
        source: for each axis of the volume, the raw spatial axis (0-2).
        flipped: for each axis of the volume.
    """

    source: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]


def check_output(manifest: Manifest | None, output_shape: tuple[int, ...]) -> None:
    """Compare the manifest's kind with the number of channels.

    Args:
        manifest: perhaps none.
        output_shape: of one raw output; empty where it is not known yet.

    Raises:
        CheckpointError: it can't be of this kind.
    """
    if manifest is None or manifest.output.kind is None or len(output_shape) != 4:
        return
    channels = output_shape[_channel_axis(output_shape)]
    kind = manifest.output.kind
    if (channels > 1) != (kind is VolumeKind.TISSUE_MAP):
        wanted = "several channels" if channels == 1 else "one channel"
        raise CheckpointError(
            f"{manifest.path}: output.kind is {kind.value!r}, which has {wanted}, where the network makes {channels}; "
            "correct the kind"
        )


class OutputSpace:
    """Puts what a manifest says onto volumes; one for each generator, as it keeps what it finds out about the axes."""

    def __init__(self, family: Family, manifest: Manifest) -> None:
        self._family = family
        self._manifest = manifest
        self._maps: dict[tuple[int, ...], AxisMap] = {}

    @property
    def says_spacing(self) -> bool:
        """Whether the manifest says the spacing."""
        return self._manifest.output.spacing is not None

    def place(self, volume: Volume, raw_shape: tuple[int, ...], arguments: Mapping[str, Any]) -> Volume:
        """The family's volume with the manifest's spacing, orientation, kind, unit and window; still in RAS+.

        Args:
            volume: from the family's ``to_volume``.
            raw_shape: of the raw output it was made of, full or coarse.
            arguments: the family's.
        """
        said = self._manifest.output
        if said.spacing is not None or said.orientation:
            volume = self._put(volume, raw_shape, arguments)
        return replace(
            volume, kind=said.kind or volume.kind, unit=said.unit or volume.unit, window=said.window or volume.window
        )

    def _put(self, volume: Volume, raw_shape: tuple[int, ...], arguments: Mapping[str, Any]) -> Volume:
        said, axes = self._manifest.output, self._axis_map(raw_shape, arguments)
        codes, spacing = volume.axis_codes, volume.spacing
        if said.orientation:
            ends = [(said.orientation[a], flip) for a, flip in zip(axes.source, axes.flipped, strict=True)]
            first, second, third = (_OPPOSITE[code] if flip else code for code, flip in ends)
            codes = (first, second, third)
        if said.spacing is not None:
            full = spatial(self._family.output_shape(arguments))
            mm = [s * whole / n for s, whole, n in zip(said.spacing, full, spatial(raw_shape), strict=True)]
            spacing = (mm[axes.source[0]], mm[axes.source[1]], mm[axes.source[2]])
        if codes == volume.axis_codes and np.allclose(spacing, volume.spacing, rtol=1e-4):
            return volume
        affine = np.eye(4)
        affine[:3, :3] = np.transpose([_DIRECTION[code] for code in codes]) * np.array(spacing)
        middle = (np.array(volume.shape) - 1) / 2  # stays where the family puts it, or is 0 mm where it says nothing
        if not np.array_equal(volume.affine, np.eye(4)):
            affine[:3, 3] = volume.ijk_to_mm((middle[0], middle[1], middle[2]))
        affine[:3, 3] -= affine[:3, :3] @ middle
        return replace(volume, affine=affine).to_ras()

    def _axis_map(self, raw_shape: tuple[int, ...], arguments: Mapping[str, Any]) -> AxisMap:
        if raw_shape not in self._maps:
            probe = self._family.to_volume(ramps(raw_shape), arguments)
            found = read_ramps(probe.voxels)
            if found is None:
                raise CheckpointError(
                    f"{self._manifest.path}: output.spacing and output.orientation can't be used: the family's "
                    "post-processing does not keep the raw axes; take them out"
                )
            self._maps[raw_shape] = found
        return self._maps[raw_shape]


def ramps(raw_shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """A raw output from 0 to 1 that rises along each spatial axis, along the first most."""
    axes = [axis for axis in range(4) if axis != _channel_axis(raw_shape)]
    ramps = np.zeros(raw_shape, dtype=np.float32)
    for axis, weight in zip(axes, _WEIGHTS, strict=True):
        shape = [1] * 4
        shape[axis] = raw_shape[axis]
        ramps += np.linspace(0, weight / sum(_WEIGHTS), raw_shape[axis], dtype=np.float32).reshape(shape)
    return ramps


def read_ramps(voxels: npt.NDArray[Any]) -> AxisMap | None:
    """The map that made these voxels of the ramps; None where the axes were not kept."""
    values = (voxels if voxels.ndim == 3 else voxels[0]).astype(np.float64)
    rises = np.array([values.take(-1, axis).mean() - values.take(0, axis).mean() for axis in range(3)])
    if not np.isfinite(rises).all() or (rises == 0).any():
        return None
    source = np.argsort(np.argsort(-np.abs(rises)))  # rank of each: the steepest came from the first raw axis
    first, second, third = (int(axis) for axis in source)
    down = [bool(rise < 0) for rise in rises]
    return AxisMap((first, second, third), (down[0], down[1], down[2]))


def _channel_axis(shape: tuple[int, ...]) -> int:
    """The first, unless only another one has length 1 (slices before channels)."""
    single = [axis for axis, length in enumerate(shape) if length == 1]
    return single[0] if len(single) == 1 else 0


def spatial(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A raw shape without its channels."""
    channel = _channel_axis(shape)
    return tuple(n for axis, n in enumerate(shape) if axis != channel)
