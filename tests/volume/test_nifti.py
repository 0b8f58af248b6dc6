"""NIfTI in and out: what is written is read back, by us and by nibabel, in every axis order and type."""

import gzip
import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from synthview.volume import Provenance, Volume, VolumeKind, Window, load_volume, save_volume
from synthview.volume.nifti import is_nifti_name, looks_like_nifti, sidecar_path
from tests.marked_volumes import AXIS_ORDERS, MARK, MARK_MM, mark_ijk, marked_volume

MADE = Provenance(
    checkpoint_sha256="0f" * 32,
    checkpoint_name="G_iter80000.pth",
    family="ha-gan",
    arguments={"size": [144, 192, 144]},
    latent=tuple(float(z) for z in np.random.default_rng(0).normal(size=1024).astype(np.float32)),
    features={"sex": "F", "site": "Zürich"},
    versions={"torch": "2.13"},
)


@pytest.mark.parametrize("order", AXIS_ORDERS)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_axis_order_survives(order, suffix, tmp_path):
    path = save_volume(marked_volume(order), tmp_path / f"a{suffix}")
    ours = load_volume(path)
    assert "".join(ours.axis_codes) == order
    assert ours.voxels[mark_ijk(order)] == MARK
    assert ours.ijk_to_mm(mark_ijk(order)) == pytest.approx(MARK_MM)
    theirs = nibabel.load(path)
    np.testing.assert_array_equal(theirs.dataobj, ours.voxels)
    np.testing.assert_allclose(theirs.affine, ours.affine, atol=1e-6)
    np.testing.assert_allclose(theirs.get_qform(), ours.affine, atol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "back"),
    [
        (np.uint8, np.uint8),
        (np.int8, np.int8),
        (np.int16, np.int16),
        (np.uint16, np.uint16),
        (np.int32, np.int32),
        (np.float32, np.float32),
        (np.float64, np.float32),
        (np.float16, np.float32),
        (np.bool_, np.uint8),
        (np.int64, np.int32),
        (np.uint64, np.int32),
    ],
)
def test_values_survive_whatever_their_type(dtype, back, tmp_path):
    voxels = np.arange(24).reshape(2, 3, 4).astype(dtype)
    loaded = load_volume(save_volume(Volume(voxels, np.eye(4)), tmp_path / "a.nii.gz")).voxels
    assert loaded.dtype == back
    np.testing.assert_array_equal(loaded, voxels)


def test_large_whole_numbers_are_not_wrapped_around(tmp_path):
    voxels = np.full((2, 2, 2), 2**40, np.int64)
    loaded = load_volume(save_volume(Volume(voxels, np.eye(4)), tmp_path / "a.nii")).voxels
    np.testing.assert_array_equal(loaded, np.float32(2**40))


def test_meaning_window_and_provenance_survive_in_the_file_and_beside_it(tmp_path):
    volume = Volume(np.zeros((2, 2, 2), np.int16), np.eye(4), VolumeKind.CT, "HU", Window(-600, 1500), provenance=MADE)
    path = save_volume(volume, tmp_path / "lung.nii.gz")
    loaded = load_volume(path)
    assert (loaded.kind, loaded.unit, loaded.window, loaded.provenance) == (volume.kind, "HU", volume.window, MADE)
    beside = json.loads((tmp_path / "lung.json").read_text("utf-8"))
    assert beside["provenance"]["family"] == "ha-gan"
    assert beside["provenance"]["features"]["site"] == "Zürich"
    header = nibabel.load(path).header
    assert (header["cal_min"], header["cal_max"]) == (-1350, 150)


def test_the_sidecar_speaks_for_a_file_that_lost_its_extension(tmp_path):
    path = save_volume(replace(marked_volume(), kind=VolumeKind.T1W, provenance=MADE), tmp_path / "a.nii")
    image = nibabel.load(path)
    bare = nibabel.Nifti1Image(image.get_fdata(caching="unchanged").astype(np.int16), image.affine)
    nibabel.save(bare, path)
    loaded = load_volume(path)
    assert loaded.provenance == MADE
    assert loaded.kind is VolumeKind.T1W


def test_a_foreign_file_has_no_provenance_and_no_sidecar_is_written_for_it(tmp_path):
    path = save_volume(marked_volume(), tmp_path / "a.nii.gz")
    assert load_volume(path).provenance is None
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii.gz"]


def test_another_volume_of_the_same_name_does_not_inherit_how_the_first_was_made(tmp_path):
    path = save_volume(replace(marked_volume(), provenance=MADE), tmp_path / "a.nii.gz")
    left_behind = sidecar_path(path).read_bytes()
    save_volume(marked_volume(), path)
    assert not sidecar_path(path).exists()
    sidecar_path(path).write_bytes(left_behind)
    assert load_volume(path).provenance is None


def test_a_json_file_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "a.json").write_text('{"RepetitionTime": 2.0}')
    save_volume(marked_volume(), tmp_path / "a.nii.gz")
    assert (tmp_path / "a.json").read_text("utf-8") == '{"RepetitionTime": 2.0}'


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_same_volume_gives_the_same_bytes(suffix, tmp_path):
    volume = replace(marked_volume("LPI"), provenance=MADE)
    first = save_volume(volume, tmp_path / f"a{suffix}").read_bytes()
    assert save_volume(volume, tmp_path / f"b{suffix}").read_bytes() == first
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_tissue_map_keeps_its_channels_first(tmp_path):
    voxels = np.random.default_rng(0).random((3, 4, 5, 6), np.float32)
    path = save_volume(Volume(voxels, np.diag([-1.0, 1, 1, 1]), VolumeKind.TISSUE_MAP), tmp_path / "a.nii.gz")
    loaded = load_volume(path)
    np.testing.assert_array_equal(loaded.voxels, voxels)
    assert loaded.kind is VolumeKind.TISSUE_MAP
    assert nibabel.load(path).shape == (4, 5, 6, 3)


def test_scaled_values_are_what_the_header_says(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    image = nibabel.Nifti1Image(np.linspace(-1, 1, 24).reshape(2, 3, 4), np.eye(4), header)
    nibabel.save(image, tmp_path / "a.nii")
    theirs = nibabel.load(tmp_path / "a.nii").get_fdata(dtype=np.float32)
    np.testing.assert_allclose(load_volume(tmp_path / "a.nii").voxels, theirs, atol=1e-6)


@pytest.mark.parametrize("image_class", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_both_versions_and_byte_orders(image_class, endian, tmp_path):
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    header = image_class.header_class(endianness=endian)
    header.set_data_dtype(np.int16)
    nibabel.save(image_class(voxels, np.diag([2.0, 2, 2, 1]), header), tmp_path / "a.nii")
    loaded = load_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(loaded.voxels, voxels)
    assert loaded.voxels.dtype == np.dtype(np.int16)
    assert loaded.voxels.dtype.isnative
    assert loaded.spacing == (2, 2, 2)


def test_fortran_order_of_the_file_is_kept_without_copying_around(tmp_path):
    path = save_volume(marked_volume(), tmp_path / "a.nii")
    assert load_volume(path).voxels.flags.f_contiguous


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 3, 4, 1), np.float32), np.eye(4)), tmp_path / "a.nii")
    assert load_volume(tmp_path / "a.nii").voxels.shape == (2, 3, 4)


def test_nan_and_infinite_values_become_0_and_are_mentioned(tmp_path):
    voxels = np.ones((3, 3, 3), np.float32)
    voxels[0, 0, 0], voxels[1, 1, 1], voxels[2, 2, 2] = np.nan, np.inf, -np.inf
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii")
    loaded = load_volume(tmp_path / "a.nii")
    assert [loaded.voxels[n, n, n] for n in range(3)] == [0, 0, 0]
    assert loaded.voxels.sum() == 24
    assert any("3 of 27 voxels were NaN or infinite" in note for note in loaded.notes)


def test_without_sform_the_qform_counts(tmp_path):
    affine = np.array([[0, -1.5, 0, 4], [2, 0, 0, -3], [0, 0, 1, 9], [0, 0, 0, 1.0]])
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.set_qform(affine, code=1)
    image.set_sform(None, code=0)
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(load_volume(tmp_path / "a.nii").affine, affine, atol=1e-5)


def test_without_either_the_axes_are_taken_as_ras_and_that_is_said(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header.set_zooms((1, 2, 3))
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[252:256] = bytes(4)  # qform_code, sform_code
    (tmp_path / "a.nii").write_bytes(content)
    loaded = load_volume(tmp_path / "a.nii")
    assert loaded.axis_codes == ("R", "A", "S")
    assert loaded.spacing == (1, 2, 3)
    assert loaded.notes


def test_the_content_decides_not_the_ending(tmp_path):
    path = save_volume(marked_volume("LAS"), tmp_path / "a.nii.gz")
    renamed = path.rename(tmp_path / "a.nii")
    assert "".join(load_volume(renamed).axis_codes) == "LAS"
    plain = save_volume(marked_volume("LAS"), tmp_path / "b.nii").rename(tmp_path / "b.nii.gz")
    assert "".join(load_volume(plain).axis_codes) == "LAS"
    assert looks_like_nifti(plain)
    assert looks_like_nifti(renamed)


def test_several_gzip_members_are_one_file(tmp_path):
    content = save_volume(marked_volume(), tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content[:300]) + gzip.compress(content[300:]))
    np.testing.assert_array_equal(load_volume(tmp_path / "b.nii.gz").voxels, marked_volume().voxels)


def test_names(tmp_path):
    assert is_nifti_name(tmp_path / "A.NII.GZ")
    assert not is_nifti_name(tmp_path / "a.nii.zip")
    assert sidecar_path(tmp_path / "a.b.nii.gz").name == "a.b.json"
    assert sidecar_path(tmp_path / "a.nii").name == "a.json"
    assert not looks_like_nifti(tmp_path)
    assert not looks_like_nifti(tmp_path / "absent.nii")
