"""The leak check finds what was planted, one leak at a time, and passes arms that differ in anatomy alone."""

import dataclasses
import gzip

import nibabel as nib
import numpy as np
import pytest

from synthview.errors import StudyError
from synthview.study.harmonise import Harmonisation, harmonise, measure, plan
from synthview.study.leak_classifier import area_under_roc, classify
from synthview.study.leak_facts import StimulusFacts, facts_of, facts_of_files, name_form
from synthview.study.leaks import LeakVerdict, check_leaks
from synthview.volume import Volume, save_volume
from tests.study.bodies import body

N = 6


@pytest.fixture(scope="module")
def arms():
    """Two arms that were harmonised together, though they came in other grids, units and noise."""
    raw = [("real", body(seed)) for seed in range(N)]
    raw += [("made", body(seed, shape=(50, 60, 54), spacing=1.6, noise=0.02, scale=1.0)) for seed in range(50, 50 + N)]
    settled = plan(Harmonisation(levels=64), [measure(volume) for _, volume in raw])
    return [(arm, harmonise(volume, settled)) for arm, volume in raw]


def _check(arms, **changes):
    """The verdict where the stimuli of "made" are changed: a function of the volume, or arguments of ``facts_of``."""
    change = changes.pop("volume", lambda volume: volume)
    facts = []
    for arm, volume in arms:
        shown = change(volume) if arm == "made" else volume
        facts.append(facts_of(arm, shown, **({name: made[arm == "made"] for name, made in changes.items()})))
    return check_leaks(facts)


def test_harmonised_arms_pass(arms):
    verdict = _check(arms)
    assert verdict.passes, verdict.sentences()
    assert not verdict.blocks
    verdict.require()


def test_what_was_not_harmonised_does_not_pass():
    raw = [("real", body(seed)) for seed in range(N)] + [("made", body(seed, noise=0.02)) for seed in range(50, 50 + N)]
    found = _facts(check_leaks([facts_of(arm, volume) for arm, volume in raw]))
    assert "exact zeros in the background" in found


def _facts(verdict: LeakVerdict) -> set[str]:
    assert verdict.blocks
    with pytest.raises(StudyError, match="the leak check stops this study"):
        verdict.require()
    return {leak.fact for pair in verdict.pairs for leak in pair.leaks}


def _with_noise(volume: Volume) -> Volume:
    noise = np.random.default_rng(int(volume.voxels.sum())).integers(0, 3, volume.voxels.shape, dtype=np.uint8)
    return dataclasses.replace(volume, voxels=np.where(volume.voxels == 0, noise, volume.voxels))


@pytest.mark.parametrize(
    ("planted", "fact"),
    [
        ({"volume": lambda v: dataclasses.replace(v, voxels=v.voxels[:-1])}, "shape"),
        ({"volume": lambda v: dataclasses.replace(v, affine=np.diag([1.1, 1.1, 1.1, 1.0]))}, "spacing"),
        ({"volume": lambda v: dataclasses.replace(v, voxels=v.voxels.astype(np.int16))}, "data type"),
        ({"volume": lambda v: dataclasses.replace(v, voxels=v.voxels.astype(np.int16) * 4)}, "largest value"),
        ({"volume": lambda v: dataclasses.replace(v, voxels=v.voxels // 4 * 4)}, "number of distinct values"),
        ({"volume": _with_noise}, "exact zeros in the background"),
        ({"volume": lambda v: dataclasses.replace(v, window=None)}, "window"),
        ({"size_bytes": (1000, 1001)}, "file size"),
        ({"name": ("scan_01.nii.gz", "fake_01.nii.gz")}, "form of the name"),
        ({"header": ({"descrip": "FSL"}, {"descrip": ""})}, "header descrip"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_planted_leak_is_found(arms, planted, fact):
    assert fact in _facts(_check(arms, **planted))


def test_a_slower_arm_is_found():
    rng = np.random.default_rng(0)
    facts = [StimulusFacts("a", {}, {"load time": t}) for t in rng.normal(10, 1, 10)]
    facts += [StimulusFacts("b", {}, {"load time": t}) for t in rng.normal(14, 1, 10)]
    (pair,) = check_leaks(facts).pairs
    assert [leak.fact for leak in pair.leaks] == ["load time"]
    assert pair.auc_low > 0.9


def test_a_leak_in_part_of_an_arm_is_found():
    facts = [StimulusFacts("a", {"header descrip": "x" if n < 15 else "y"}) for n in range(20)]
    facts += [StimulusFacts("b", {"header descrip": "y"}) for n in range(20)]
    assert "header descrip" in _facts(check_leaks(facts))


def test_facts_that_only_tell_together_are_found():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=80)
    facts = []
    for number, common in enumerate(shared):
        made = number % 2
        rest = rng.normal(scale=0.05)
        measures = {"file size": common + rest + 0.1 * made, "load time": common - 0.1 * made}
        facts.append(StimulusFacts("made" if made else "real", {}, measures))
    (pair,) = check_leaks(facts).pairs
    assert not pair.leaks
    assert pair.auc_low > 0.5
    assert not pair.passes
    assert "several facts together" in pair.sentence()


def test_chance_is_not_called_a_leak_more_often_than_it_should():
    blocked = 0
    for seed in range(16):
        rng = np.random.default_rng(seed)
        facts = [
            StimulusFacts(arm, {"spacing": "1"}, dict(zip("abcdef", rng.normal(size=6), strict=True)))
            for arm in ("real", "made")
            for _ in range(10)
        ]
        blocked += check_leaks(facts, seed).blocks
    assert blocked <= 3  # 5 % for the ranks and 2.5 % for the classifier: 1 of 16 expected


def test_every_pair_of_arms_is_looked_at():
    facts = [StimulusFacts(arm, {"shape": "9" if arm == "c" else "8"}) for arm in "abc" for _ in range(5)]
    verdict = check_leaks(facts)
    assert {pair.arms: pair.passes for pair in verdict.pairs} == {
        ("a", "b"): True,
        ("a", "c"): False,
        ("b", "c"): False,
    }


def test_overruling_needs_a_reason_that_stays():
    verdict = check_leaks([StimulusFacts(arm, {"shape": arm}) for arm in "ab" for _ in range(5)])
    with pytest.raises(StudyError, match="written reason"):
        verdict.overrule("ok")
    overruled = verdict.overrule("Readers see one fixed slice, cropped to the same frame.")
    overruled.require()
    assert not overruled.passes
    again = LeakVerdict.from_dict(overruled.to_dict())
    assert again == overruled
    assert "same frame" in again.sentences()[-1]


def test_few_volumes_are_said_and_one_is_refused():
    facts = [StimulusFacts(arm, {}) for arm in "ab" for _ in range(2)]
    assert "so few volumes: a (2), b (2)" in check_leaks(facts).warnings[0]
    with pytest.raises(StudyError, match="two or more volumes"):
        check_leaks(facts[1:])


def test_header_size_and_name_are_read_from_files(tmp_path):
    volume = Volume(np.zeros((8, 8, 8), np.uint8), np.eye(4))
    files = []
    for number in range(3):
        files.append(("real", save_volume(volume, tmp_path / f"{number:08x}aa.nii.gz")))
        image = nib.Nifti1Image(np.zeros((8, 8, 8), np.uint8), np.eye(4))
        image.header["descrip"] = b"made by a network"
        path = tmp_path / f"{number:08x}bb.nii.gz"
        path.write_bytes(gzip.compress(image.to_bytes() + b"\0" * 5000, 0))
        files.append(("made", path))
    found = _facts(check_leaks(facts_of_files(files)))
    assert {"header descrip", "file size"} <= found
    assert "form of the name" not in found


def test_a_name_of_its_own_for_each_stimulus_is_no_leak():
    facts = [StimulusFacts(arm, {"name": f"{arm}{n}"[::-1]}) for arm in ("q7", "z3") for n in range(6)]
    assert check_leaks(facts).passes


def test_the_form_of_opaque_names_is_one():
    assert name_form("3f9a0c11d2.nii") == name_form("00aa11bb22.nii")
    assert name_form("real_01.nii") != name_form("fake_01.nii")
    assert name_form("scan_7.nii") != name_form("scan_07.nii")


def test_area_under_roc_counts_ties_half():
    labels = np.array([False, False, True, True])
    assert area_under_roc(np.array([1.0, 2.0, 2.0, 3.0]), labels) == 0.875
    assert area_under_roc(np.zeros(4), labels) == 0.5


def test_the_classifier_is_tested_on_rows_it_has_not_seen():
    rng = np.random.default_rng(3)
    labels = np.arange(30) % 2 == 0
    found = classify(rng.normal(size=(30, 25)), labels)  # 25 random facts fit 30 rows perfectly
    assert found.low <= 0.5
    assert found.high < 0.9
