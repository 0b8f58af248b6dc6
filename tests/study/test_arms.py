"""Arms from folders and series: what is found, in which order, and what is said of what can't be used."""

import dataclasses

import numpy as np
import pytest

from synthview.errors import StudyError
from synthview.study.arms import find_files, find_series, look_at, orientation_notes, scans_of, settle, stimuli
from synthview.study.harmonise import Harmonisation
from synthview.study.protocol_arms import DicomSource, FolderSource, GenerateSource
from synthview.volume import Volume, save_volume
from tests.study.bodies import body
from tests.volume.test_dicom import UID, write_series


def _never(*_args):
    raise AssertionError("nothing is to be made")


def _scans(folder, needed=1, **source):
    return scans_of("real", FolderSource(str(folder), **source), needed=needed, base=folder, work=folder, make=_never)


@pytest.fixture
def folder(tmp_path):
    for number in (10, 2, 1):
        save_volume(body(number), tmp_path / f"scan_{number}.nii.gz")
    return tmp_path


def test_files_come_in_the_order_a_person_expects(folder):
    (folder / "inner").mkdir()
    save_volume(body(3), folder / "inner" / "scan_3.nii")
    (folder / "notes.txt").write_text("not a volume")
    found = find_files("real", folder, "*.nii*")
    assert [scan.label for scan in found] == ["scan_3.nii", "scan_1.nii.gz", "scan_2.nii.gz", "scan_10.nii.gz"]
    assert [scan.label for scan in find_files("real", folder, "scan_1*")] == ["scan_1.nii.gz", "scan_10.nii.gz"]


def test_as_many_as_needed_are_taken(folder):
    assert [scan.label for scan in _scans(folder, 2)] == ["scan_1.nii.gz", "scan_2.nii.gz"]
    with pytest.raises(StudyError, match=r"'real'.* holds 3 volumes, and the sections need 5; add volumes"):
        _scans(folder, 5)


def test_missing_and_empty_folders_are_named(tmp_path):
    with pytest.raises(StudyError, match=r"arm 'real'.*nowhere is not a folder that exists"):
        _scans(tmp_path / "nowhere")
    with pytest.raises(StudyError, match="holds no NIfTI file"):
        _scans(tmp_path)
    with pytest.raises(StudyError, match="holds no DICOM slices"):
        scans_of("real", DicomSource("."), needed=1, base=tmp_path, work=tmp_path, make=_never)


def test_each_series_is_a_volume(tmp_path):
    write_series(tmp_path / "b")
    write_series(tmp_path / "a")
    write_series(tmp_path / "a", uid=UID + ".2", z=(0.0, 1.0))
    found = find_series("real", tmp_path)
    assert [(scan.path.name, scan.read().shape) for scan in found] == [
        ("a", (6, 5, 4)),
        ("a", (6, 5, 2)),
        ("b", (6, 5, 4)),
    ]


def test_a_checkpoint_is_asked_for_as_many_as_needed(tmp_path):
    asked = []

    def make(source, count, folder, progress):
        asked.append((source, count, folder))
        return [save_volume(body(seed), tmp_path / f"{seed}.nii") for seed in range(source.seed, source.seed + count)]

    source = GenerateSource("brain", seed=40)
    scans = scans_of("gan", source, needed=2, base=tmp_path, work=tmp_path / "work", make=make)
    assert [scan.label for scan in scans] == ["40.nii", "41.nii"]
    assert asked == [(source, 2, tmp_path / "work" / "gan")]


def test_all_that_can_not_be_used_is_named_at_once(folder):
    (folder / "scan_2.nii.gz").write_bytes(b"")
    save_volume(Volume(np.zeros((9, 9, 9), np.uint8), np.eye(4)), folder / "scan_10.nii.gz")
    with pytest.raises(StudyError, match=r"2 of 3 volumes can't be used.*scan_2.nii.gz is empty.*scan_10.*nothing"):
        look_at(_scans(folder, 3))


def test_one_file_twice_is_refused(folder):
    (folder / "scan_4.nii.gz").write_bytes((folder / "scan_2.nii.gz").read_bytes())
    with pytest.raises(StudyError, match=r"scan_4\.nii\.gz.* and .*scan_2\.nii\.gz.* are the same file"):
        look_at(_scans(folder, 4))


def test_mixed_orientations_are_said(folder):
    stored = body(20)
    flipped = dataclasses.replace(stored, voxels=stored.voxels[::-1], affine=stored.affine @ np.diag([-1, 1, 1, 1.0]))
    save_volume(flipped, folder / "scan_20.nii.gz")
    (note,) = orientation_notes(look_at(_scans(folder, 4)))
    assert "'real' mixes orientations (1 × LAS, 3 × RAS)" in note


def test_files_that_do_not_say_how_they_lie_are_not_mixed_in(folder):
    import nibabel as nib

    image = nib.Nifti1Image(body(21).voxels, None)
    image.header.set_zooms((2, 2, 2))
    nib.save(image, folder / "scan_21.nii")
    with pytest.raises(StudyError, match=r"1 of 4 volumes don't say how they lie in the patient \(scan_21\.nii\)"):
        look_at(_scans(folder, 4))


def test_label_maps_among_images_are_named(folder):
    image = body(5)
    labels = Volume((image.voxels > 500).astype(np.uint8) + (image.voxels > 900).astype(np.uint8), image.affine)
    save_volume(labels, folder / "a_tissues.nii.gz")
    with pytest.raises(StudyError, match=r"1 of 4 volumes hold a few whole numbers only.*a_tissues"):
        look_at(find_files("made", folder, "*.nii*"))
    assert len(look_at(find_files("made", folder, "a_*.nii*"))) == 1  # a study of label maps is one's own choice


def test_stimuli_keep_their_origin_for_the_key_only(folder):
    looked = look_at(_scans(folder, 2))
    made = list(stimuli(looked, settle(looked, Harmonisation(levels=64))))
    assert [one.origin["file"].rsplit("/", 1)[-1] for one in made] == ["scan_1.nii.gz", "scan_2.nii.gz"]
    assert "scan" not in repr(made[0].volume)
    assert "real" not in repr(made[0].volume)


def test_a_file_that_changes_while_the_study_is_built_is_noticed(folder):
    looked = look_at(_scans(folder, 1))
    settled = settle(looked, Harmonisation(levels=64))
    save_volume(body(99), folder / "scan_1.nii.gz")
    with pytest.raises(StudyError, match=r"scan_1\.nii\.gz was changed while the study was built"):
        list(stimuli(looked, settled))
