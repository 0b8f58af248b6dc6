"""Makes a brain's ventricles, grey and white matter as large as wanted, by warps along its own tissue borders.

A border moves along the gradient of the blurred tissue map, as in simulators of atrophy (Karaçali & Davatzikos, IEEE
Trans Med Imaging 2006, 25:649-652): widening ventricles push outwards, widening sulci push the cortex inwards.  How far
is found by Newton's method; volumes are integrals of the tissue over the warp's Jacobian, so nothing is resampled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthview.training.data.fields import Floats, compose, exponential, jacobian, smooth
from synthview.training.data.targets import Volumes

Floats64 = npt.NDArray[np.float64]
_FARTHEST = np.array([3.0, 2.4, 1.6])  # voxels (2 mm) that a border may move: ventricles, cortex, white matter
_SIGMAS = (2.0, 1.0, 1.0)  # voxels
_STEPS = 5
_CLOSE_ENOUGH = np.array([0.03, 0.01, 0.01])  # of the logarithms


@dataclass(frozen=True, eq=False)
class Borders:
    """A brain on the template's grid and the velocity fields that move its borders.

    Attributes:
        tissues: (4, I, J, K): ventricles, grey matter, white matter, whole mask; 0-1.
        velocities: (3, 3, I, J, K): ventricles outwards, cortex inwards, white matter inwards; longest vector 1 voxel.
    """

    tissues: Floats
    velocities: Floats

    @cached_property
    def slopes(self) -> Floats64:
        """Change of the logarithms of the shares of ventricles, grey and white matter per voxel of each border."""
        rest = np.zeros_like(self.velocities[0])
        start = _shares(self, np.zeros(3), rest)
        return np.stack([(_shares(self, 0.5 * unit, rest) - start) / 0.5 for unit in np.eye(3)], axis=1)

    def velocity(self, amounts: Floats64) -> Floats:
        """Ventricles, cortex and white matter moved by so many voxels at most, (3, I, J, K)."""
        return np.tensordot(amounts.astype(np.float32), self.velocities, axes=1)

    def log_volumes(self, amounts: Floats64, then: Floats) -> Floats64:
        """Logarithms of ventricles, grey and white matter, and the mask, in voxels, after the border warp and another.

        Args:
            amounts: as in ``velocity``.
            then: displacement that follows.
        """
        growth = jacobian(compose(exponential(self.velocity(amounts)), then))
        sums: Floats64 = (self.tissues * growth).sum(axis=(1, 2, 3), dtype=np.float64)
        return np.log(np.maximum(sums, 1e-3))


def find_borders(probabilities: Floats, ventricles: Floats) -> Borders:
    """The borders of a brain that lies on the template.

    Args:
        probabilities: (3, I, J, K) white matter, grey matter, CSF on the template's grid.
        ventricles: (I, J, K), how much of the CSF is in the ventricles (``Template.ventricles``).
    """
    white, grey, csf = probabilities
    mask = np.clip(probabilities.sum(axis=0), 0, 1)
    inner = csf * ventricles
    outer = csf * (1 - ventricles) + (1 - mask)  # with what lies outside, so that the mask's surface stays
    pushes = (inner, outer, 1 - white)
    fields = [_outwards(tissue, sigma) for tissue, sigma in zip(pushes, _SIGMAS, strict=True)]
    return Borders(np.stack([inner, grey, white, mask]), np.stack(fields))


def _outwards(tissue: Floats, sigma: float) -> Floats:
    """Velocity that makes a tissue grow: down the gradient of its blurred map."""
    field = -np.stack(np.gradient(smooth(tissue[None], sigma)[0])).astype(np.float32)
    return field / np.float32(max(np.sqrt((field**2).sum(axis=0).max()), 1e-6))


def fit_borders(borders: Borders, then: Floats, wanted: Volumes) -> Floats64:
    """How far the borders have to move for the wanted shares of the brain mask; see ``Borders.velocity``.

    Volumes out of reach are approached as far as the borders may move.

    Args:
        borders: of the brain.
        then: displacement that follows.
        wanted: their shares of ``icv`` count; its absolute size is a matter of scale.
    """
    shares = np.log(np.array([wanted.ventricles, wanted.gm, wanted.wm]) / wanted.icv)
    amounts = np.zeros(3)
    now = _shares(borders, amounts, then)
    slopes = borders.slopes.copy()
    for _ in range(_STEPS):
        miss = shares - now
        if (np.abs(miss) < _CLOSE_ENOUGH).all():
            break
        step = np.linalg.solve(slopes + 1e-4 * np.eye(3), miss)
        after = np.clip(amounts + np.clip(step, -0.8, 0.8), -_FARTHEST, _FARTHEST)
        moved, amounts = after - amounts, after
        if not np.abs(moved).max() > 1e-4:
            break
        before, now = now, _shares(borders, amounts, then)
        # Broyden's update: the slopes agree with what the step did
        slopes += np.outer(now - before - slopes @ moved, moved) / (moved @ moved)
    return amounts


def _shares(borders: Borders, amounts: Floats64, then: Floats) -> Floats64:
    volumes = borders.log_volumes(amounts, then)
    return np.asarray(volumes[:3] - volumes[3])
