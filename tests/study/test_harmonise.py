"""One path for all arms: what comes out is alike in all but the anatomy."""

import dataclasses

import numpy as np
import pytest

from synthview.errors import VolumeError, WrongRequestError
from synthview.study.foreground import bounding_box, foreground
from synthview.study.harmonise import Background, Harmonisation, Intensity, Plan, harmonise, measure, plan
from synthview.study.stimulus_file import encode_stimulus
from synthview.volume import Volume, VolumeKind, load_volume
from tests.marked_volumes import AXIS_ORDERS
from tests.study.bodies import body


def _plan(*volumes, **asked):
    return plan(Harmonisation(**{"levels": 64, **asked}), [measure(volume) for volume in volumes])


def _turned(volume: Volume, order: str) -> Volume:
    """The same volume, stored with its axes in another order and direction."""
    import nibabel as nib

    image = nib.Nifti1Image(volume.voxels, volume.affine)
    turned = image.as_reoriented(
        nib.orientations.ornt_transform(nib.io_orientation(volume.affine), nib.orientations.axcodes2ornt(order))
    )
    return dataclasses.replace(volume, voxels=np.asarray(turned.dataobj), affine=turned.affine)


def test_volumes_in_other_grids_and_units_come_out_alike():
    volumes = [
        body(1, spacing=2.0, scale=4095, dtype=np.int16),
        body(2, shape=(60, 66, 62), spacing=1.5, scale=1.0, noise=0.02),
        dataclasses.replace(body(3, scale=2000, offset=-1000), name="patient-17.nii.gz", notes=("x",)),
    ]
    settled = _plan(*volumes)
    made = [harmonise(volume, settled) for volume in volumes]
    assert len({(v.shape, v.spacing, v.voxels.dtype, v.affine.tobytes(), v.window) for v in made}) == 1
    assert {(int(v.voxels.min()), int(v.voxels.max())) for v in made} == {(0, 63)}
    assert made[0].spacing == (2.0, 2.0, 2.0)  # the coarsest
    assert all((v.name, v.notes, v.provenance) == ("", (), None) for v in made)
    assert len({len(encode_stimulus(v)) for v in made}) == 1


def test_the_anatomy_stays():
    volume = body(4)
    made = harmonise(volume, _plan(volume, smoothing_mm=0.0, levels=256))
    box = bounding_box(foreground(volume))
    original = volume.voxels[tuple(slice(a, b) for a, b in zip(box.start, box.stop, strict=True))]
    start = [(n - size) // 2 for n, size in zip(made.shape, box.size, strict=True)]
    again = made.voxels[tuple(slice(a, a + n) for a, n in zip(start, box.size, strict=True))]
    assert np.corrcoef(original.ravel(), again.ravel())[0, 1] > 0.97  # half a voxel aside at the most


@pytest.mark.parametrize("order", AXIS_ORDERS[::7])
def test_the_stored_orientation_makes_no_difference(order):
    volume = body(5)
    settled = _plan(volume)
    expected, found = harmonise(volume, settled), harmonise(_turned(volume, order), settled)
    assert np.abs(expected.voxels.astype(int) - found.voxels).max() <= 1


def test_the_background_is_cleared_or_kept():
    volume = body(6, noise=0.03)
    cleared, kept = (harmonise(volume, _plan(volume, background=choice)) for choice in Background)
    assert cleared.voxels[:2].max() == 0
    assert kept.voxels[:2].min() >= 1


def test_a_window_is_the_same_for_all():
    first, second = body(7, scale=1000), body(7, scale=500)
    settled = _plan(first, second, intensity=Intensity.WINDOW, window=(0, 1000), smoothing_mm=0)
    means = [harmonise(v, settled).voxels[harmonise(v, settled).voxels > 0].mean() for v in (first, second)]
    assert means[0] / means[1] == pytest.approx(2, rel=0.1)


def test_matched_values_have_one_distribution():
    dark = body(8)
    light = dataclasses.replace(dark, voxels=np.sqrt(dark.voxels / 1000) * 1000)
    apart, together = (
        [np.median(made.voxels[made.voxels > 0]) for made in (harmonise(v, settled) for v in (dark, light))]
        for settled in (_plan(dark, light), _plan(dark, light, intensity=Intensity.MATCHED))
    )
    assert abs(apart[0] - apart[1]) > 3
    assert abs(together[0] - together[1]) <= 1


def test_the_plan_is_kept_whole():
    settled = _plan(body(1), body(2), intensity=Intensity.MATCHED)
    assert Plan.from_dict(settled.to_dict()) == settled


def test_one_plan_gives_the_same_bytes():
    volume = body(9)
    settled = _plan(volume)
    assert encode_stimulus(harmonise(volume, settled)) == encode_stimulus(harmonise(volume, settled))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"levels": 8}, "levels must be 16 to 4096"),
        ({"spacing_mm": 0}, "spacing_mm must be 0.01 to 20"),
        ({"shape": [4, 4, 4]}, "shape must be three numbers"),
        ({"intensity": "window"}, r"window \(low, high\) belongs to"),
        ({"window": [5, 1], "intensity": "window"}, "low below high"),
        ({"intensity": "loud"}, "'loud' is not a valid"),
        ({"colour": "red"}, "'colour' is unknown; there are spacing_mm"),
        ({"margin_mm": -1}, "margin_mm must be 0 to 100"),
        ({"smoothing_mm": 99}, "smoothing_mm must be 0 to 20"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, words):
    with pytest.raises(WrongRequestError, match=words):
        Harmonisation.from_dict(asked)


def test_a_volume_that_shows_nothing_is_refused():
    blank = Volume(np.full((20, 20, 20), 7.0), np.eye(4), name="blank.nii")
    with pytest.raises(VolumeError, match=r"blank\.nii shows nothing"):
        measure(blank)


def test_kinds_are_not_mixed():
    ct = dataclasses.replace(body(1), kind=VolumeKind.CT)
    t1 = dataclasses.replace(body(2), kind=VolumeKind.T1W)
    with pytest.raises(WrongRequestError, match=r"different kinds of image \(CT, T1w\)"):
        _plan(ct, t1)


def test_a_real_head_is_found_whole(shared):
    volume = load_volume(shared / "data" / "colin27" / "colin27_T1w.nii.gz").to_ras()
    mask = foreground(volume)
    assert 0.5 < mask.mean() < 0.6
    assert mask[90, 108, 90]  # deep in the brain
    assert not mask[:3, :3, -3:].any()
