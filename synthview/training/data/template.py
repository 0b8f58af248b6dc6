"""The space that brains are brought to: MNI152 at 2 mm, its tissues, and where its ventricles are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.errors import TrainingDataError
from synthview.training.data.fields import Floats, identity, sample, smooth
from synthview.volume import Volume, centred_affine, load_volume

Matrix = npt.NDArray[np.float64]
NAMES = ("mni152_2009a_t1.nii.gz", "mni152_2009a_gm.nii.gz", "mni152_2009a_wm.nii.gz")
_BOX_MM = (176, 208, 176)
CENTRE_MM = (0.0, -18.0, 4.0)  # of the box; x = 0 is the plane between the hemispheres
_REACH_MM = 4.0  # a ventricle's CSF may lie this far from the template's
_SMALLEST_MM3 = 300.0  # of a piece of ventricle
# Where ventricles are: (low, high) of |x|, y and z in mm.  The cisterns and fissures that touch them stay outside.
_BOXES = (
    ((0, 28), (-22, 24), (2, 30)),  # bodies and septum
    ((2, 28), (2, 24), (-4, 4)),  # frontal horns
    ((4, 28), (24, 36), (-4, 28)),
    ((12, 40), (-66, -22), (-2, 12)),  # atria and occipital horns, lateral of the quadrigeminal cistern
    ((5, 40), (-66, -22), (12, 34)),
    ((22, 42), (-44, -2), (-24, 0)),  # temporal horns
    ((0, 4), (-30, 4), (-10, 10)),  # third ventricle
    ((0, 14), (-52, -32), (-46, -22)),  # fourth ventricle
)


@dataclass(frozen=True, eq=False)
class Template:
    """MNI152 on a grid of some 2 mm.

    Attributes:
        tissue_image: (I, J, K), CSF 1, grey matter 2, white matter 3, mixtures between: what brains are compared with.
        ventricles: (I, J, K) 0-1, how much of the CSF found here belongs to the ventricles.
        affine: 4x4, voxel index to mm.
    """

    tissue_image: Floats
    ventricles: Floats
    affine: Matrix

    @property
    def spacing_mm(self) -> float:
        """Of the grid."""
        return float(self.affine[0, 0])


def read_template(folder: Path, spacing_mm: float = 2.0) -> Template:
    """Read the MNI152 T1, grey and white matter images (2009a, as nilearn ships them) of a folder.

    Args:
        folder: with the three files.
        spacing_mm: of the grid.

    Raises:
        TrainingDataError: one is missing.
    """
    for name in NAMES:
        if not (folder / name).is_file():
            raise TrainingDataError(f"{folder} has no {name}; name the folder of the MNI152 template with --template")
    t1, grey, white = (load_volume(folder / name).to_ras() for name in NAMES)
    i, j, k = (round(side / spacing_mm) for side in _BOX_MM)
    affine = centred_affine((i, j, k), spacing_mm, CENTRE_MM)
    brain, gm, wm = (on_grid(v, affine, (i, j, k)) for v in (t1, grey, white))
    mask = (brain > 0).astype(np.float32)
    gm, wm = gm / 255, wm / 255
    csf = np.clip(mask - gm - wm, 0, 1)
    return Template(csf + 2 * gm + 3 * wm, ventricle_region(csf, affine), affine)


def on_grid(volume: Volume, affine: Matrix, shape: tuple[int, int, int]) -> Floats:
    """A volume on another grid, trilinear after a light blur, 0 outside."""
    to_voxels = np.linalg.inv(volume.affine) @ affine
    ijk = np.tensordot(to_voxels[:3, :3], identity(shape), axes=1) + to_voxels[:3, 3].reshape(3, 1, 1, 1)
    voxels = smooth(volume.voxels.astype(np.float32)[None], 0.35 * affine[0, 0] / volume.spacing[0])
    read: Floats = sample(voxels, ijk.astype(np.float32), outside="zeros")[0]
    return read


def ventricle_region(csf: Floats, affine: Matrix) -> Floats:
    """How much of the CSF at each voxel belongs to the ventricles, (I, J, K) 0-1.

    The template's CSF inside boxes that follow the ventricles, without crumbs, and what is within 4 mm of it: a brain
    registered to the template has its ventricles there.
    """
    position = np.tensordot(affine[:3, :3], identity(csf.shape), axes=1) + affine[:3, 3].reshape(3, 1, 1, 1)
    position[0] = np.abs(position[0])
    boxes = np.zeros(csf.shape, dtype=bool)
    for box in _BOXES:
        low, high = (np.array(ends, dtype=float).reshape(3, 1, 1, 1) for ends in zip(*box, strict=True))
        boxes |= ((position >= low) & (position <= high)).all(axis=0)
    labels, _ = ndimage.label((csf > 0.4) & boxes)
    sizes = np.bincount(labels.ravel()) * abs(float(np.linalg.det(affine[:3, :3])))
    sizes[0] = 0
    ventricles = sizes[labels] >= _SMALLEST_MM3
    if not ventricles.any():
        return np.zeros_like(csf)
    distance = ndimage.distance_transform_edt(~ventricles, sampling=affine.diagonal()[:3])
    region: Floats = smooth(((distance <= _REACH_MM) & boxes).astype(np.float32)[None], 0.5)[0]
    return region
