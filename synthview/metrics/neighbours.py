"""Whether synthetic volumes are copies: distances to the nearest training scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.distance import cdist

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Nearness:
    """Distances to the nearest neighbour, as root mean square differences of values of 0-1.

    Attributes:
        synthetic: (N,), of each synthetic volume to the nearest training scan (or its mirror image).
        real: (M,), of each real volume to the nearest other real one.
        copies: share of the synthetic volumes nearer to training than half of the real ones are to each other.
    """

    synthetic: Array
    real: Array
    copies: float


def nearest_neighbours(synthetic: Sequence[Array], training: Sequence[Array], real: Sequence[Array]) -> Nearness:
    """Compare the distances of synthetic volumes to training with those among real people.

    Volumes are blurred and halved first, so that noise neither hides nor makes a copy; training scans count with
    their mirror images, as they do in training.

    Args:
        synthetic: (I, J, K) each, values 0-1.
        training: of the same shape.
        real: at least 2, of the same shape, kept out of training.

    Raises:
        ValueError: fewer than 2 real volumes, or no training volume.
    """
    if len(real) < 2 or not training:
        raise ValueError("nearest neighbours need at least 2 real volumes and 1 training volume")
    made, kept = _vectors(synthetic), _vectors(real)
    learnt = np.concatenate([_vectors(training), _vectors([v[::-1] for v in training])])
    among = cdist(kept, kept)
    np.fill_diagonal(among, np.inf)
    scale = np.sqrt(made.shape[1])
    to_training, to_others = cdist(made, learnt).min(axis=1) / scale, among.min(axis=1) / scale
    return Nearness(to_training, to_others, float((to_training < np.median(to_others)).mean()))


def _vectors(volumes: Sequence[Array]) -> Array:
    return np.stack([ndimage.gaussian_filter(v.astype(np.float32), 1.0)[::2, ::2, ::2].ravel() for v in volumes])
