"""Telling CT from other images where a file does not say: NIfTI has no place for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synthview.volume.window import finite_sample

_AIR_HU = (-1100, -900)
_LOWEST_HU, _HIGHEST_HU = -4096, 32767  # scanners pad with -2000, -3024 and the like; metal goes far up


def looks_like_ct(voxels: npt.NDArray[Any]) -> bool:
    """Whether values look like Hounsfield units: whole numbers, air at -1000, and tissue around 0.

    No other common image has a tenth of its whole-numbered voxels near -1000 or at padding below it, and at the same
    time a twentieth of them between -200 and 200.

    Args:
        voxels: array of any shape, any real dtype.
    """
    if voxels.dtype.kind == "u":
        return False
    sample = finite_sample(voxels)
    if sample.size == 0 or sample.min() > _AIR_HU[1] or sample.min() < _LOWEST_HU or sample.max() > _HIGHEST_HU:
        return False
    whole = sample.dtype.kind == "i" or bool((sample == np.rint(sample)).all())
    air = np.mean(sample < _AIR_HU[1])
    tissue = np.mean((sample > -200) & (sample < 200))
    return whole and bool(air > 0.1) and bool(tissue > 0.05)
