"""A fixed space of features for volumes, with nothing learnt and nothing to download.

It is a pyramid of blurred and halved copies (Burt & Adelson, IEEE Trans Commun 1983, 31:532-540).  At each of three
scales the volume is cut into 4 × 4 × 4 cells, and each cell gives its mean, the root mean square of the derivative
along each axis (edges and their direction) and of the Laplacian (spots, noise): 3 · 64 · 5 = 960 numbers.  Means say
where things are, derivatives how sharp and how textured they are; a blurred copy differs in the finest scale alone.

These distances are comparable within this space, not with published FIDs, which use networks trained on photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[Any]
SCALES, CELLS = 3, 4
NAME = "gradient pyramid, 3 scales, 4³ cells, 960 features"


def pyramid_features(volume: Array) -> Array:
    """The features of one volume, (960,) float64.

    Args:
        volume: (I, J, K), values 0-1, every side at least 32.

    Raises:
        ValueError: a side is too short for three scales.
    """
    if volume.ndim != 3 or min(volume.shape) < CELLS * 2**SCALES:
        raise ValueError(f"features need three sides of {CELLS * 2**SCALES} voxels or more, got {volume.shape}")
    found, scaled = [], volume.astype(np.float32)
    for _ in range(SCALES):
        gradients: list[Array] = list(np.gradient(scaled))
        found += [_cells(scaled)] + [np.sqrt(_cells(g * g)) for g in gradients]
        found.append(np.sqrt(_cells(ndimage.laplace(scaled) ** 2)))
        scaled = ndimage.gaussian_filter(scaled, 1.0)[::2, ::2, ::2]
    return np.concatenate(found).astype(np.float64)


def _cells(values: Array) -> Array:
    """Means over 4 × 4 × 4 cells, (64,)."""
    edges = [np.linspace(0, n, CELLS + 1).round().astype(int)[:-1] for n in values.shape]
    sums = values.astype(np.float64)
    for axis, starts in enumerate(edges):
        sizes = np.diff([*starts, values.shape[axis]]).reshape([-1 if a == axis else 1 for a in range(3)])
        sums = np.add.reduceat(sums, starts, axis=axis) / sizes
    return sums.ravel()


def feature_matrix(volumes: Sequence[Array]) -> Array:
    """The features of several volumes, (N, 960)."""
    return np.stack([pyramid_features(volume) for volume in volumes])
