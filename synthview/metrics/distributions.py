"""How far two sets of feature vectors are apart: maximum mean discrepancy and Fréchet distance."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

Array = npt.NDArray[Any]


def median_bandwidth(first: Array, second: Array) -> float:
    """Median distance between different vectors of both sets: the usual width of the Gaussian kernel."""
    both = np.concatenate([first, second])
    distances = cdist(both, both)[np.triu_indices(len(both), 1)]
    return float(np.median(distances)) or 1.0


def mmd2(first: Array, second: Array, bandwidth: float | None = None) -> float:
    """Squared maximum mean discrepancy with a Gaussian kernel, unbiased: around 0 (also below) for equal distributions.

    Gretton et al., J Mach Learn Res 2012, 13:723-773, equation 3; k(x, y) = exp(−|x − y|² / (2 bandwidth²)).

    Args:
        first: (N, F), N at least 2.
        second: (M, F), M at least 2.
        bandwidth: of the kernel; the median distance where left out.

    Raises:
        ValueError: a set has fewer than 2 members.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("MMD needs at least 2 members in each set")
    width = bandwidth or median_bandwidth(first, second)

    def kernel(a: Array, b: Array) -> Array:
        return np.asarray(np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2)))

    n, m = len(first), len(second)
    within_first = (kernel(first, first).sum() - n) / (n * (n - 1))
    within_second = (kernel(second, second).sum() - m) / (m * (m - 1))
    return float(within_first + within_second - 2 * kernel(first, second).mean())


def frechet_distance(first: Array, second: Array) -> float:
    """Fréchet distance between the Gaussians with the sets' means and covariances.

    |m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½), Dowson & Landau, J Multivariate Anal 1982, 12:450-455; with Inception
    features it is the FID of Heusel et al., NeurIPS 2017 (arXiv:1706.08500).  In a few members it is biased upwards.

    Args:
        first: (N, F), N at least 2.
        second: (M, F), M at least 2.

    Raises:
        ValueError: a set has fewer than 2 members.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("the Fréchet distance needs at least 2 members in each set")
    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (first, second))
    root = _symmetric_root(one)
    product = np.linalg.eigvalsh(root @ two @ root)  # the eigenvalues of C₁ C₂, without its asymmetry
    overlap = np.sqrt(np.maximum(product, 0)).sum()
    return float(gap @ gap + np.trace(one) + np.trace(two) - 2 * overlap)


def _symmetric_root(matrix: Array) -> Array:
    values, axes = np.linalg.eigh(matrix)
    return cast(Array, (axes * np.sqrt(np.maximum(values, 0))) @ axes.T)


def principal_scores(first: Array, second: Array, components: int) -> tuple[Array, Array]:
    """Both sets on the leading principal components of the two together, each of the sets counting alike.

    Args:
        first: (N, F).
        second: (M, F).
        components: how many; at most N + M − 1.
    """
    centre = (first.mean(axis=0) + second.mean(axis=0)) / 2
    a, b = first - centre, second - centre
    stacked = np.concatenate([a / np.sqrt(len(a)), b / np.sqrt(len(b))])
    axes = np.linalg.svd(stacked, full_matrices=False)[2][: min(components, len(stacked) - 1)]
    return a @ axes.T, b @ axes.T
