"""Axis orders: which way indices grow, and turning a volume to RAS+ without moving a voxel in the patient."""

import nibabel
import numpy as np
import pytest

from synthview.volume import Volume, axis_codes
from tests.marked_volumes import AXIS_ORDERS, MARK, MARK_MM, MARK_RAS, SHAPE_RAS, SPACING_RAS, mark_ijk, marked_volume


def test_there_are_48_orders():
    assert len(set(AXIS_ORDERS)) == 48


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_turning_to_ras_moves_no_voxel(order):
    stored = marked_volume(order)
    assert "".join(stored.axis_codes) == order
    assert stored.voxels[mark_ijk(order)] == MARK
    assert stored.ijk_to_mm(mark_ijk(order)) == pytest.approx(MARK_MM)
    turned = stored.to_ras()
    assert turned.axis_codes == ("R", "A", "S")
    assert turned.shape == SHAPE_RAS
    assert turned.spacing == pytest.approx(SPACING_RAS)
    assert turned.voxels[MARK_RAS] == MARK
    assert turned.ijk_to_mm(MARK_RAS) == pytest.approx(MARK_MM)
    np.testing.assert_allclose(turned.affine, marked_volume("RAS").affine)


def test_turning_agrees_with_nibabel_on_an_oblique_volume():
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * (1.0, 2.0, 3.0), (5, -6, 7)
    voxels = rng.normal(size=(4, 5, 6)).astype(np.float32)
    theirs = nibabel.as_closest_canonical(nibabel.Nifti1Image(voxels, affine))
    ours = Volume(voxels, affine).to_ras()
    np.testing.assert_array_equal(ours.voxels, theirs.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-6)


def test_channels_stay_first():
    voxels = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    turned = Volume(voxels, np.diag([-1.0, 1, 1, 1])).to_ras()
    np.testing.assert_array_equal(turned.voxels, voxels[:, ::-1])
    assert turned.affine[0, 3] == -2


def test_nothing_is_copied():
    stored = marked_volume("PIR")
    assert np.shares_memory(stored.to_ras().voxels, stored.voxels)


def test_codes_of_a_plain_affine():
    assert axis_codes(np.diag([-1.0, -1, 1, 1])) == ("L", "P", "S")
