"""How volumes are stored for the render process."""

import numpy as np
import pytest

from synthview.gui.render3d.prepare import LARGEST_NUMBER, plan, write
from synthview.volume import Volume, VolumeKind, Window

PLENTY = 10**9


def stored(volume, most_voxels=PLENTY):
    layout = plan(volume, most_voxels)
    out = np.full(layout.shape, 77, layout.dtype)
    write(layout, out)
    return layout, out


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64, ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_values_come_back_within_a_step(dtype, order):
    rng = np.random.default_rng(0)
    voxels = np.array(rng.uniform(0, 250, (5, 6, 7)), dtype=dtype, order=order)
    layout, out = stored(Volume(voxels, np.eye(4)))
    assert out.shape == (7, 6, 5)
    assert out.dtype == np.uint16
    values = layout.offset + layout.step * out.astype(float)
    assert np.abs(values - voxels.T).max() <= layout.step * 1.01


def test_a_large_volume_is_stored_slab_by_slab_without_a_seam():
    voxels = np.broadcast_to(np.arange(40, dtype=np.float32), (400, 300, 40))
    _, out = stored(Volume(voxels, np.eye(4)))
    assert (np.diff(out[:, 0, 0].astype(int)) > 0).all()
    assert (out == out[:, :1, :1]).all()


def test_a_volume_that_is_too_large_is_thinned_in_place():
    voxels = np.random.default_rng(1).random((9, 8, 7)).astype(np.float32)
    affine = np.array([[2.0, 0, 0, -5], [0, 1, 0, 3], [0, 0, 1.5, 7], [0, 0, 0, 1]])
    layout, out = stored(Volume(voxels, affine), most_voxels=5 * 4 * 4)
    assert out.shape == (4, 4, 5)
    assert layout.voxels[1, 2, 3] == voxels[2, 4, 6]
    assert layout.affine @ (1, 2, 3, 1) == pytest.approx(affine @ (2, 4, 6, 1))


def test_one_hot_voxel_does_not_cost_the_grey_levels():
    voxels = np.full((8, 8, 8), 100, np.float32)
    voxels[:4] = 50
    voxels[0, 0, 0] = 1e9
    layout, out = stored(Volume(voxels, np.eye(4), window=Window(75, 100)))
    assert layout.facts.high < 1e6
    assert out[0, 0, 0] == LARGEST_NUMBER
    assert out[5, 5, 5].astype(int) - out[5, 5, 2] > 10


def test_a_constant_volume_is_no_problem():
    layout, out = stored(Volume(np.zeros((4, 4, 4), np.int16), np.eye(4)))
    assert layout.step > 0
    assert (out == 0).all()


def test_tissues_are_mixed_by_probability():
    voxels = np.zeros((3, 4, 4, 4), np.float32)
    voxels[0, 0] = 1  # white matter
    voxels[1, 1] = 1  # grey matter
    voxels[2, 2] = 1  # fluid
    voxels[:2, 3] = 0.5
    _, out = stored(Volume(voxels, np.eye(4), kind=VolumeKind.TISSUE_MAP))
    white, grey, fluid, mixed = (out[0, 0, i].astype(int) for i in range(4))
    assert white[3] == 255 > mixed[3] > grey[3] - 30 > fluid[3]
    assert white[:3].min() > 200
    assert fluid[2] > fluid[0], "fluid is blue"
    assert ((np.minimum(white, grey) - 1 <= mixed) & (mixed <= np.maximum(white, grey) + 1))[:3].all()


def test_empty_space_has_a_colour_so_that_surfaces_have_no_dark_seam():
    voxels = np.zeros((3, 4, 4, 4), np.float32)
    _, out = stored(Volume(voxels, np.eye(4), kind=VolumeKind.TISSUE_MAP))
    assert (out[..., 3] == 0).all()
    assert (out[..., 0] > 100).all()


def test_labels_have_colours_and_the_background_is_transparent():
    voxels = np.arange(4 * 4 * 4, dtype=np.int16).reshape(4, 4, 4) % 5
    layout, out = stored(Volume(voxels, np.eye(4), kind=VolumeKind.LABEL_MAP))
    assert layout.facts.colored
    assert ((out[..., 3] == 0) == (voxels.T == 0)).all()
    assert len({tuple(color) for color in out[voxels.T != 0][:, :3].tolist()}) == 4
