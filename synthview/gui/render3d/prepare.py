"""Makes a volume small and plain enough to be drawn: 15-bit numbers, or red, green, blue and opacity for each voxel.

It runs in a thread of the window; numpy lets go of the interpreter's lock while it copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.gui.render3d.settings import VolumeFacts
from synthview.volume import Volume, VolumeKind

LARGEST_NUMBER = 32767  # the fixed-point ray caster's tables have 15 bits
_SLAB_VALUES = 2**20  # converted at a time: small enough for the processor's cache
_WINDOWS_KEPT = 1000  # a window gets at least 1/2000 of the numbers: values farther away are drawn like the last ones
# White matter, grey matter, cerebrospinal fluid: colour, and how much of the voxel's opacity it brings.
_TISSUES = (((0.98, 0.95, 0.88), 1.0), ((0.80, 0.45, 0.38), 0.9), ((0.25, 0.48, 0.80), 0.12), ((0, 0, 0), 0.0))
_TRACE = 1e-3
_LABEL_COLORS = (  # Okabe and Ito's colours, then round again
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.62, 0.45),
    (0.94, 0.89, 0.26),
    (0.84, 0.37, 0.00),
    (0.80, 0.47, 0.65),
    (0.60, 0.60, 0.60),
)


@dataclass(frozen=True)
class Layout:
    """How a volume will lie in memory.

    Attributes:
        voxels: what will be stored, thinned where it was too large; (I, J, K) or (C, I, J, K).
        affine: 4x4, index of ``voxels`` to RAS+ mm.
        facts: about the values.
        shape: (K, J, I) or (K, J, I, 4).
        dtype: uint8 or uint16.
        offset, step: value = offset + step * stored number.
    """

    voxels: npt.NDArray[Any]
    affine: npt.NDArray[np.float64]
    facts: VolumeFacts
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: float
    step: float

    @property
    def nbytes(self) -> int:
        """Bytes needed."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


def plan(volume: Volume, most_voxels: int) -> Layout:
    """Decide how a volume is stored; looks at every value once.

    Args:
        volume: with its axes in RAS+ order.
        most_voxels: larger volumes are thinned to every second, third… voxel.
    """
    voxels, affine = _thinned(volume, most_voxels)
    window = volume.display_window
    colored = volume.voxels.ndim == 4 or volume.kind is VolumeKind.LABEL_MAP
    low, high = (0.0, 1.0) if colored else _value_range(voxels, window.low, window.high, window.width)
    facts = VolumeFacts(
        kind=volume.kind,
        unit=volume.unit,
        window=window,
        low=low,
        high=high,
        colored=colored,
        longest_mm=float(max(n * s for n, s in zip(volume.shape, volume.spacing, strict=True))),
    )
    k, j, i = voxels.shape[-3:][::-1]
    if colored:
        return Layout(voxels, affine, facts, (k, j, i, 4), np.dtype(np.uint8), 0.0, 1 / 255)
    step = (high - low) / LARGEST_NUMBER
    return Layout(voxels, affine, facts, (k, j, i), np.dtype(np.uint16), low, step)


def write(layout: Layout, out: npt.NDArray[Any]) -> None:
    """Store the voxels into ``out`` (of the layout's shape and dtype)."""
    if layout.facts.kind is VolumeKind.LABEL_MAP and layout.voxels.ndim == 3:
        _write_labels(layout, out)
    elif layout.facts.colored:
        _write_tissues(layout, out)
    else:
        _write_numbers(layout, out)


def _thinned(volume: Volume, most_voxels: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    n = 1
    while np.prod([-(-size // n) for size in volume.shape]) > most_voxels:
        n += 1
    affine = volume.affine @ np.diag([n, n, n, 1.0])
    return volume.voxels[..., ::n, ::n, ::n], affine


def _value_range(voxels: npt.NDArray[Any], low: float, high: float, width: float) -> tuple[float, float]:
    """Smallest and largest value, but nothing far outside the window (one hot voxel must not cost the grey levels)."""
    smallest = max(float(voxels.min()), low - _WINDOWS_KEPT * width)
    largest = min(float(voxels.max()), high + _WINDOWS_KEPT * width)
    return (smallest, largest) if largest > smallest else (smallest, smallest + 1.0)


def _slabs(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices along the last spatial axis that hold about ``_SLAB_VALUES`` voxels."""
    i, j, k = shape[-3:]
    thickness = max(1, _SLAB_VALUES // (i * j))
    return (slice(start, min(start + thickness, k)) for start in range(0, k, thickness))


def _write_numbers(layout: Layout, out: npt.NDArray[np.uint16]) -> None:
    offset, factor = np.float32(layout.offset), np.float32(1 / layout.step)
    for slab in _slabs(layout.voxels.shape):
        values = layout.voxels[:, :, slab].T.astype(np.float32, order="C")  # (K, J, I)
        values -= offset
        values *= factor
        np.clip(values, 0, LARGEST_NUMBER, out=values)
        out[slab] = values  # truncates; half a step in 32768


def _write_tissues(layout: Layout, out: npt.NDArray[np.uint8]) -> None:
    """Mix the tissues' colours by their probabilities; opacity is the probability of tissue, fluid counting little."""
    tissues = [_TISSUES[n] if n < len(_TISSUES) else (_LABEL_COLORS[n % 7], 1.0) for n in range(len(layout.voxels))]
    for slab in _slabs(layout.voxels.shape):
        shares = [
            _share(channel[:, :, slab], weight) for channel, (_, weight) in zip(layout.voxels, tissues, strict=True)
        ]
        total = np.sum(shares, axis=0)
        np.clip(total * 255, 0, 255, out=out[slab, ..., 3], casting="unsafe")
        # a trace of grey matter everywhere: where nothing is, it gives the colour, so that surfaces have no dark seam
        shares[min(1, len(shares) - 1)] += np.float32(_TRACE)
        scale = np.float32(255) / (total + np.float32(_TRACE))
        for component in range(3):
            mixed = sum(share * np.float32(color[component]) for share, (color, _) in zip(shares, tissues, strict=True))
            np.multiply(mixed, scale, out=out[slab, ..., component], casting="unsafe")


def _share(probability: npt.NDArray[Any], weight: float) -> npt.NDArray[np.float32]:
    """(K, J, I): how much one tissue counts in each voxel."""
    share = probability.T.astype(np.float32, order="C")
    np.clip(share, 0, 1, out=share)
    share *= np.float32(weight)
    return share


def _write_labels(layout: Layout, out: npt.NDArray[np.uint8]) -> None:
    """Give each label a colour; label 0 is background, grey and transparent."""
    colors = np.array([(0.5, 0.5, 0.5, 0.0), *((*color, 1.0) for color in _LABEL_COLORS)])
    table = np.rint(colors * 255).astype(np.uint8).view(np.uint32)[:, 0]
    packed = out.view(np.uint32)[..., 0]
    for slab in _slabs(layout.voxels.shape):
        labels = layout.voxels[:, :, slab].T.astype(np.int32, order="C")
        packed[slab] = table[np.where(labels == 0, 0, (labels - 1) % len(_LABEL_COLORS) + 1)]
