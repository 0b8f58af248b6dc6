"""Multi-scale structural similarity of volumes, and how alike the members of a set are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[Any]
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 7, 1.5
_K1, _K2 = 0.01, 0.03


def ms_ssim(first: Array, second: Array, data_range: float = 1.0) -> float:
    """Multi-scale structural similarity of two volumes; 1 for equal ones.

    Wang, Simoncelli & Bovik, Asilomar 2003, «Multi-scale structural similarity for image quality assessment», with
    their weights, in three dimensions: a Gaussian window of 7³ voxels (sigma 1.5), mean pooling by 2 between scales.
    Small volumes have fewer scales (the window must fit), whose weights are scaled to a sum of 1.

    Args:
        first: (I, J, K), every side at least 7.
        second: (I, J, K).
        data_range: between the lowest and highest value possible.

    Raises:
        ValueError: shapes differ or a side is too short.
    """
    if first.shape != second.shape or first.ndim != 3 or min(first.shape) < _WINDOW:
        raise ValueError(f"MS-SSIM takes two volumes of one shape, sides of 7 up: got {first.shape}, {second.shape}")
    scales = 1
    while scales < len(WEIGHTS) and min(first.shape) // 2**scales >= _WINDOW:
        scales += 1
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    a, b = first.astype(np.float32), second.astype(np.float32)
    score = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _ssim_terms(a, b, data_range)
        term = contrast * luminance if scale == scales - 1 else contrast
        score *= max(float(term.mean()), 0.0) ** float(weight)
        a, b = _halved(a), _halved(b)
    return score


def _ssim_terms(a: Array, b: Array, data_range: float) -> tuple[Array, Array]:
    """Luminance and contrast-structure maps of SSIM (Wang et al., IEEE Trans Image Process 2004, 13:600-612)."""
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    mean_a, mean_b = _blurred(a), _blurred(b)
    var_a, var_b = _blurred(a * a) - mean_a**2, _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return luminance, (2 * covariance + c2) / (var_a + var_b + c2)


def _blurred(x: Array) -> Array:
    """Gaussian means over every window inside the volume."""
    taps = np.exp(-((np.arange(_WINDOW) - _WINDOW // 2) ** 2) / (2 * _SIGMA**2))
    for axis in range(3):
        x = ndimage.correlate1d(x, taps / taps.sum(), axis=axis, output=np.float32)
    inside = slice(_WINDOW // 2, -(_WINDOW // 2))
    return np.asarray(x[inside, inside, inside])


def _halved(x: Array) -> Array:
    """Means of blocks of 2³ voxels; an odd last plane is left out."""
    i, j, k = (n // 2 for n in x.shape)
    blocks = x[: 2 * i, : 2 * j, : 2 * k].reshape(i, 2, j, 2, k, 2)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)


def pairs_among(count: int, limit: int, seed: int = 0) -> list[tuple[int, int]]:
    """All pairs of a set, or so many of them drawn at random."""
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    if len(pairs) <= limit:
        return pairs
    chosen = np.random.default_rng(seed).choice(len(pairs), limit, replace=False)
    return [pairs[i] for i in sorted(chosen)]


def similarity_within(volumes: Sequence[Array], limit: int = 200, seed: int = 0) -> Array:
    """MS-SSIM of pairs of a set, one number a pair: the higher their mean, the less the members differ.

    Used so by Kwon et al., MICCAI 2019 (arXiv:1908.02498), and HA-GAN (Sun et al., IEEE JBHI 2022, 26:3966-3975).

    Args:
        volumes: at least 2, (I, J, K) each, values 0-1.
        limit: pairs at most.
        seed: which pairs, where there are more.
    """
    return np.array([ms_ssim(volumes[i], volumes[j]) for i, j in pairs_among(len(volumes), limit, seed)])
