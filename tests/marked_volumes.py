"""Volumes with one bright voxel in the right-anterior-superior corner, stored in any of the 48 axis orders.

Built by hand from the meaning of an affine, so that nothing here shares code with what is tested.
"""

import itertools

import numpy as np

from synthview.volume import Volume, Window

SHAPE_RAS = (4, 5, 6)
SPACING_RAS = (2.0, 1.0, 1.5)
ORIGIN_RAS = (-10.0, 20.0, -30.0)  # mm of the left-posterior-inferior voxel
MARK_RAS = (3, 4, 5)
MARK_MM = (-4.0, 24.0, -22.5)
MARK, REST = 1000, 100

_PAIRS = ("LR", "PA", "IS")
AXIS_ORDERS = [
    "".join(_PAIRS[axis][towards] for axis, towards in zip(axes, directions, strict=True))
    for axes in itertools.permutations(range(3))
    for directions in itertools.product((1, 0), repeat=3)
]


def marked_volume(order: str = "RAS", dtype=np.int16) -> Volume:
    """The volume, with indices growing in the directions that ``order`` names, such as "LPS"."""
    voxels = np.full(SHAPE_RAS, REST, dtype)
    voxels[MARK_RAS] = MARK
    affine = np.eye(4)
    axes = [next(axis for axis, pair in enumerate(_PAIRS) if letter in pair) for letter in order]
    for column, (axis, letter) in enumerate(zip(axes, order, strict=True)):
        grows = letter in "RAS"
        affine[:3, column] = 0
        affine[axis, column] = SPACING_RAS[axis] if grows else -SPACING_RAS[axis]
        affine[axis, 3] = ORIGIN_RAS[axis] + (0 if grows else (SHAPE_RAS[axis] - 1) * SPACING_RAS[axis])
        if not grows:
            voxels = np.flip(voxels, axis)
    voxels = np.ascontiguousarray(voxels.transpose(axes))
    return Volume(voxels, affine, window=Window.from_range(0, MARK), name=f"{order}.nii")


def mark_ijk(order: str) -> tuple[int, int, int]:
    """Where the mark is stored: last along R, A and S, first along L, P and I."""
    axes = [next(axis for axis, pair in enumerate(_PAIRS) if letter in pair) for letter in order]
    i, j, k = (SHAPE_RAS[axis] - 1 if letter in "RAS" else 0 for axis, letter in zip(axes, order, strict=True))
    return i, j, k
