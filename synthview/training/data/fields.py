"""Smooth, invertible warps as stationary velocity fields, and what is computed with them.

A warp is exp(v) of a velocity field v (Arsigny et al., MICCAI 2006, «A log-Euclidean framework for statistics on
diffeomorphisms»): exp(−v) is its inverse, and mean, regression and principal components of v stay warps.  Fields are
float32 arrays (3, I, J, K) in voxels of their own grid, along its axes; a displacement u maps x to x + u(x).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch.nn import functional as F  # noqa: N812

Floats = npt.NDArray[Any]
"""float32 throughout; numpy's stubs lose that on the way."""
_LARGEST_STEP = 0.5  # voxels: exp(v) starts from v / 2^n no longer than this


def identity(shape: Sequence[int]) -> Floats:
    """Voxel indices of a grid, (3, I, J, K)."""
    return np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij"))


def sample(channels: Floats, ijk: Floats, *, outside: str = "border") -> Floats:
    """Read channels at voxel positions, trilinear.

    Args:
        channels: (C, I, J, K).
        ijk: (3, …), where to read, in voxels of ``channels``.
        outside: "border" continues the outermost voxels, "zeros" is 0 there.

    Returns:
        (C, …).
    """
    volume = torch.from_numpy(np.ascontiguousarray(channels))[None]
    places = np.empty((ijk[0].size, 3), dtype=np.float32)  # as grid_sample wants them: −1 … 1 between the outer voxels
    for axis, size in enumerate(channels.shape[1:]):
        np.multiply(ijk[axis].ravel(), np.float32(2 / max(size - 1, 1)), out=places[:, 2 - axis])
    places -= 1
    grid = torch.from_numpy(places)[None, :, None, None]
    values = F.grid_sample(volume, grid, mode="bilinear", padding_mode=outside, align_corners=True)
    return values.numpy().reshape(channels.shape[0], *ijk.shape[1:])


def compose(first: Floats, then: Floats) -> Floats:
    """The displacement of going along ``first``, then along ``then``."""
    return first + sample(then, identity(first.shape[1:]) + first)


def exponential(velocity: Floats) -> Floats:
    """The displacement of exp(v), by scaling and squaring."""
    longest = float(np.sqrt((velocity**2).sum(axis=0).max()))
    halvings = max(0, int(np.ceil(np.log2(max(longest, 1e-6) / _LARGEST_STEP))))
    displacement = (velocity / np.float32(2**halvings)).astype(np.float32)
    for _ in range(halvings):
        displacement = compose(displacement, displacement)
    return displacement


def jacobian(displacement: Floats) -> Floats:
    """Determinant of the Jacobian of x + u(x), (I, J, K): 1 keeps volumes, below 0 folds."""
    rows = [list(np.gradient(displacement[axis])) for axis in range(3)]
    for axis in range(3):
        rows[axis][axis] = rows[axis][axis] + 1
    (a, b, c), (d, e, f), (g, h, i) = rows
    return cast(Floats, a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def smooth(channels: Floats, sigma: float) -> Floats:
    """Each channel (C, I, J, K) under a Gaussian of sigma voxels; its edges continue outwards."""
    smoothed = [ndimage.gaussian_filter(channel, sigma, mode="nearest", truncate=3.0) for channel in channels]
    return np.stack(smoothed).astype(np.float32)


def resized(channels: Floats, shape: Sequence[int]) -> Floats:
    """Channels (C, I, J, K) on a grid of another shape over the same box, trilinear."""
    old = np.array(channels.shape[1:], dtype=np.float32).reshape(3, 1, 1, 1)
    new = np.array(shape, dtype=np.float32).reshape(3, 1, 1, 1)
    return sample(channels, (identity(shape) + 0.5) * (old / new) - 0.5)


def resized_field(field: Floats, shape: Sequence[int]) -> Floats:
    """A field on a grid of another shape over the same box, in voxels of the new one."""
    factors = np.array(shape, dtype=np.float32) / np.array(field.shape[1:], dtype=np.float32)
    return resized(field, shape) * factors.reshape(3, 1, 1, 1)


def random_field(shape: Sequence[int], sigma: float, size: float, rng: np.random.Generator) -> Floats:
    """A smooth random velocity field.

    Args:
        shape: (I, J, K).
        sigma: of its Gaussian correlation, in voxels.
        size: standard deviation of each component, in voxels.
        rng: where it is drawn from.
    """
    coarse = max(1, int(sigma / 2))  # drawn and smoothed on a coarse grid: the same statistics, much less work
    small = [max(4, int(np.ceil(n / coarse)) + 1) for n in shape]
    noise: npt.NDArray[Any] = rng.standard_normal((3, *small)).astype(np.float32)
    field = resized(smooth(noise, sigma / coarse), shape)
    return (field * np.float32(size / max(float(field.std()), 1e-6))).astype(np.float32)
