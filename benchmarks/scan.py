"""The volume that is measured with: Colin 27 enlarged to 256³ as a 16-bit scan with a scanner's noise."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from measure import RESULTS

from synthview.resources import resource_path

SIZE = 256


def scan_path() -> Path:
    """Path of the 256³ int16 NIfTI (.nii.gz, 0.8 mm); made at the first call and kept."""
    path = RESULTS / "scan_256.nii.gz"
    if not path.exists():
        RESULTS.mkdir(exist_ok=True)
        nib.save(_enlarged_head(), path)
    return path


def _enlarged_head() -> nib.Nifti1Image:
    head = nib.load(resource_path("demo", "colin27_T1w.nii.gz"))
    voxels = np.asarray(head.dataobj, dtype=np.float32)
    affine = np.array(head.affine)
    for axis, length in enumerate(voxels.shape):
        places = np.linspace(0, length - 1, SIZE)  # the first and the last voxel stay where they are
        below = np.minimum(places.astype(int), length - 2)
        share = np.expand_dims(places - below, [other for other in range(3) if other != axis]).astype(np.float32)
        voxels = voxels.take(below, axis) * (1 - share) + voxels.take(below + 1, axis) * share
        affine[:3, axis] *= (length - 1) / (SIZE - 1)
    noise = np.random.default_rng(0).normal(0, 12, (2, *voxels.shape)).astype(np.float32)
    rician = np.hypot(voxels * 8 + noise[0], noise[1])  # magnitude images have noise in the air as well
    return nib.Nifti1Image(np.rint(rician).astype(np.int16), affine)
