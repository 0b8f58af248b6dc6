"""Slices: the mark is top left in every plane (radiological), and pixels and voxels map onto each other exactly."""

import numpy as np
import pytest

from synthview.volume import Volume
from synthview.volume.slicing import Plane, read_at, slice_geometry
from tests.marked_volumes import AXIS_ORDERS, MARK, MARK_MM, MARK_RAS, REST, mark_ijk, marked_volume

BOTH = pytest.mark.parametrize("radiological", [True, False])
PLANES = pytest.mark.parametrize("plane", list(Plane))


def _geometry(plane, radiological=True, order="RAS"):
    volume = marked_volume(order).to_ras()
    return volume, slice_geometry(volume, plane, radiological=radiological)


@PLANES
def test_radiological_display_has_the_mark_top_left(plane):
    volume, geometry = _geometry(plane)
    picture = geometry.cut(volume.voxels, MARK_RAS[plane.through_axis])
    assert np.argwhere(picture == MARK).tolist() == [[0, 0]]


@pytest.mark.parametrize(("plane", "corner"), [("axial", "right"), ("coronal", "right"), ("sagittal", "left")])
def test_neurological_display_has_right_on_the_right_and_anterior_still_on_the_left(plane, corner):
    volume, geometry = _geometry(Plane(plane), radiological=False)
    picture = geometry.cut(volume.voxels, MARK_RAS[Plane(plane).through_axis])
    assert picture[0, 0 if corner == "left" else -1] == MARK


@pytest.mark.parametrize(
    ("plane", "radiological", "letters"),
    [
        ("axial", True, "RLAP"),
        ("axial", False, "LRAP"),
        ("coronal", True, "RLSI"),
        ("coronal", False, "LRSI"),
        ("sagittal", True, "APSI"),
        ("sagittal", False, "APSI"),
    ],
)
def test_letters_at_the_left_right_top_and_bottom(plane, radiological, letters):
    _, geometry = _geometry(Plane(plane), radiological)
    assert "".join(geometry.edge_letters) == letters


@PLANES
def test_size_spacing_and_number_of_slices(plane):
    _, geometry = _geometry(plane)
    expected = {
        Plane.AXIAL: ((4, 5), (2.0, 1.0), 6),
        Plane.SAGITTAL: ((5, 6), (1.0, 1.5), 4),
        Plane.CORONAL: ((4, 6), (2.0, 1.5), 5),
    }
    assert (geometry.size, geometry.pixel_mm, geometry.count) == expected[plane]


@PLANES
@BOTH
def test_every_pixel_shows_the_voxel_that_the_mapping_names(plane, radiological):
    volume, geometry = _geometry(plane, radiological)
    voxels = np.arange(volume.voxels.size).reshape(volume.shape)
    for index in range(geometry.count):
        picture = geometry.cut(voxels, index)
        assert picture.shape == geometry.size[::-1]
        for row, column in np.ndindex(picture.shape):
            ijk = geometry.to_ijk(column, row, index)
            assert picture[row, column] == voxels[ijk]
            assert geometry.to_image(ijk) == (column, row)


@PLANES
def test_a_tissue_map_is_cut_channel_by_channel(plane):
    voxels = np.random.default_rng(0).random((3, 4, 5, 6))
    volume = Volume(voxels, np.eye(4))
    geometry = slice_geometry(volume, plane)
    cut = geometry.cut(voxels, 2)
    for channel in range(3):
        np.testing.assert_array_equal(cut[channel], geometry.cut(voxels[channel], 2))


def test_cutting_copies_nothing():
    volume, geometry = _geometry(Plane.SAGITTAL)
    assert np.shares_memory(geometry.cut(volume.voxels, 0), volume.voxels)


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_reading_at_the_mark_names_the_voxel_as_stored(order):
    volume = marked_volume(order)
    reading = read_at(volume, MARK_MM)
    assert reading is not None
    assert (reading.ijk, reading.value, reading.mm) == (mark_ijk(order), MARK, MARK_MM)


@pytest.mark.parametrize(("offset", "expected"), [(0.49, MARK), (-0.49, MARK), (-0.51, REST), (0.51, None)])
def test_a_voxel_reaches_half_its_spacing_from_its_centre(offset, expected):
    volume = marked_volume("RAS")
    reading = read_at(volume, (MARK_MM[0] + offset * 2.0, *MARK_MM[1:]))
    assert (reading.value if reading else None) == expected


def test_reading_a_tissue_map_gives_one_value_per_class():
    voxels = np.zeros((3, 2, 2, 2), np.float32)
    voxels[:, 1, 0, 1] = (0.25, 0.5, 0.125)
    reading = read_at(Volume(voxels, np.eye(4)), (1, 0, 1))
    assert reading is not None
    assert reading.value == (0.25, 0.5, 0.125)
