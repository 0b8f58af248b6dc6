"""Telling CT from other images by its values."""

import numpy as np
import pytest

from synthview.volume import Volume, VolumeKind, load_volume
from synthview.volume.hounsfield import looks_like_ct


def _chest():
    """Air around, fat and muscle within, some bone: a body in a box."""
    voxels = np.full((32, 32, 32), -1000, np.int16)
    voxels[6:26, 6:26, :] = -80
    voxels[9:23, 9:23, :] = 45
    voxels[14:17, 14:17, :] = 700
    return voxels


def _head():
    """Whole-numbered MR: background 0, tissue above."""
    voxels = np.zeros((32, 32, 32), np.int16)
    voxels[6:26, 6:26, 6:26] = 600
    return voxels


@pytest.mark.parametrize(
    ("voxels", "is_ct"),
    [
        (_chest(), True),
        (_chest().astype(np.float32), True),
        (np.where(_chest() == -1000, -3024, _chest()).astype(np.int16), True),
        (_head(), False),
        (_head() - 1000, False),
        (_chest() + np.float32(0.37), False),
        (np.random.default_rng(0).normal(0, 600, (32, 32, 32)).astype(np.float32), False),
        (np.zeros((4, 4, 4), np.uint8), False),
        (np.full((4, 4, 4), np.nan, np.float32), False),
    ],
)
def test_ct_is_told_by_air_and_tissue(voxels, is_ct):
    assert looks_like_ct(voxels) is is_ct


def test_a_file_that_is_a_guess_says_so_and_one_that_states_its_kind_is_believed(tmp_path):
    guessed = load_volume(Volume(_chest(), np.eye(4)).save(tmp_path / "a.nii"))
    assert (guessed.kind, guessed.unit) == (VolumeKind.CT, "HU")
    assert "Hounsfield" in guessed.notes[0]
    stated = load_volume(Volume(_chest(), np.eye(4), kind=VolumeKind.T1W).save(tmp_path / "b.nii"))
    assert (stated.kind, stated.notes) == (VolumeKind.T1W, ())


def test_the_real_scans_are_told_apart(shared):
    data = shared / "data"
    assert load_volume(data / "lidc-chest-ct" / "LIDC-IDRI-0314_2mm.nii.gz").kind == VolumeKind.CT
    for path in sorted(data.glob("oasis30-t1/*_T1w.nii.gz"))[:3] + sorted(data.glob("lesjak-ms-t1/*.nii.gz")):
        assert load_volume(path).kind == VolumeKind.UNKNOWN, path.name
