"""DICOM series: where the slices lie, what is said of a folder that doesn't hold one volume."""

import numpy as np
import pytest
import SimpleITK as sitk

from synthview.errors import VolumeError
from synthview.gui.documents import is_volume_file
from synthview.volume import VolumeKind, Window, load_volume
from synthview.volume.dicom import is_dicom_folder, read_volume, series_in
from synthview.volume.slicing import read_at

UID = "1.2.826.0.1.3680043.8.498.1"


def write_series(folder, *, uid=UID + ".1", z=(0.0, 2.5, 5.0, 7.5), modality="CT", direction=(1, 0, 0, 0, 1, 0)):
    """Slices of 6 columns × 5 rows whose value says where they lie: 100 × slice + 10 × row + column, less 1000."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for number, position in enumerate(z):
        rows, columns = np.mgrid[0:5, 0:6]
        image = sitk.GetImageFromArray((100 * number + 10 * rows + columns)[None].astype(np.int16) - 1000)
        image.SetSpacing((0.5, 0.75, 1.0))  # the file's own slice thickness is wrong on purpose
        for tag, value in {
            "0008|0060": modality,
            "0020|000e": uid,
            "0020|0032": f"10\\20\\{position}",
            "0020|0037": "\\".join(map(str, direction)),
            "0020|0013": str(number),
            "0018|0050": "1.0",
            "0028|1050": "-600",
            "0028|1051": "1500",
        }.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{uid[-1]}_{9 - number}.dcm"))  # names in another order than the slices
        writer.Execute(image)
    return folder


def test_slices_lie_where_they_say(tmp_path):
    volume = read_volume(write_series(tmp_path / "series"))
    assert volume.shape == (6, 5, 4)
    assert volume.spacing == pytest.approx((0.5, 0.75, 2.5))
    assert volume.axis_codes == ("L", "P", "S")
    assert (volume.kind, volume.unit, volume.window) == (VolumeKind.CT, "HU", Window(-600, 1500))
    found = read_at(volume, (-(10 + 3 * 0.5), -(20 + 2 * 0.75), 7.5))  # RAS+ of column 3, row 2, last slice
    assert found is not None
    assert found.value == 300 + 20 + 3 - 1000


def test_one_slice_opens_its_series(tmp_path):
    folder = write_series(tmp_path / "both")
    write_series(folder, uid=UID + ".2", z=(0.0, 1.0))
    assert len(series_in(folder)) == 2
    assert read_volume(folder / "2_9.dcm").shape == (6, 5, 2)
    with pytest.raises(VolumeError, match="2 DICOM series"):
        read_volume(folder)


def test_a_missing_slice_is_named(tmp_path):
    with pytest.raises(VolumeError, match=r"not evenly spaced: 5 mm between 1_8\.dcm and 1_7\.dcm, 2\.5 mm elsewhere"):
        read_volume(write_series(tmp_path / "gap", z=(0.0, 2.5, 7.5, 10.0, 12.5)))


def test_slices_at_one_place_are_refused(tmp_path):
    with pytest.raises(VolumeError, match="several slices at one place"):
        read_volume(write_series(tmp_path / "series", z=(3.0, 3.0, 3.0)))


def test_folders_and_files_that_are_none(tmp_path):
    (tmp_path / "notes.txt").write_text("no slices here")
    assert not is_dicom_folder(tmp_path)
    assert not is_volume_file(tmp_path)
    with pytest.raises(VolumeError, match="folder without DICOM slices"):
        read_volume(tmp_path)
    damaged = write_series(tmp_path / "series") / "1_9.dcm"
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(VolumeError):
        read_volume(damaged)


def test_the_window_takes_a_series_for_a_volume(tmp_path):
    folder = write_series(tmp_path / "series")
    assert is_volume_file(folder)
    assert is_volume_file(folder / "1_9.dcm")


def test_a_real_ct_series_lies_on_its_nifti_file(shared):
    folder = shared / "data" / "lidc-chest-ct"
    series, nifti = read_volume(folder / "dicom"), load_volume(folder / "LIDC-IDRI-0314_2mm.nii.gz")
    assert series.spacing == pytest.approx((0.78125, 0.78125, 1.0))
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(1500):
        ijk = tuple(int(rng.integers(0, n)) for n in series.shape)
        if found := read_at(nifti, series.ijk_to_mm(ijk)):
            pairs.append((float(series.voxels[ijk]), found.value))
    assert len(pairs) > 800
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.95


def test_a_real_oblique_series_takes_its_spacing_from_the_positions(shared):
    volume = read_volume(shared / "data" / "studyforrest-t1" / "dicom")
    assert volume.spacing == pytest.approx((0.7, 0.6667, 10.667), abs=1e-3)  # SliceThickness says 0.667
    assert volume.kind is VolumeKind.T1W
