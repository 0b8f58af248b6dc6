"""Volumes by age, borders that meet them, subjects and splits."""

from pathlib import Path

import numpy as np
import pytest

from synthview.errors import TrainingDataError, WrongRequestError
from synthview.training.data.atrophy import find_borders, fit_borders
from synthview.training.data.fields import exponential, random_field
from synthview.training.data.subjects import Subject, find_subjects, read_anatomy, split_subjects
from synthview.training.data.targets import Volumes, anchor
from tests.anatomy import shell_brain, write_scans


def test_targets_start_at_the_young_and_follow_the_charts() -> None:
    ages, sexes = [20.0, 22, 24, 26, 70], [0, 1, 0, 1, 0]
    measured = [Volumes(1500, 650, 480, 15)] * 2 + [Volumes(1400, 600, 450, 14)] * 2 + [Volumes(1400, 500, 450, 60)]
    targets = anchor(ages, sexes, measured)
    assert targets.age == 23
    exact = {age: targets.volumes(age, 1, 0, np.zeros(3)) for age in (23, 80)}
    assert exact[23].gm == pytest.approx(np.sqrt(650 * 600)) and exact[23].ventricles == pytest.approx(np.sqrt(15 * 14))
    assert exact[80].gm / exact[23].gm == pytest.approx(430 / 548, abs=0.02)
    assert 2.5 < exact[80].ventricles / exact[23].ventricles < 3.7
    numbers = np.random.default_rng(0).standard_normal((150, 4))
    spread = [targets.volumes(60, 0, n[0], n[1:]) for n in numbers]
    assert np.std(np.log([v.ventricles for v in spread])) == pytest.approx(0.34, abs=0.08)
    assert np.corrcoef([v.icv for v in spread], [v.gm for v in spread])[0, 1] > 0.2


def test_borders_move_until_the_volumes_are_met() -> None:
    probabilities = shell_brain(14, 0.3, shape=(36, 40, 38), squash=(1, 1.1, 1))[1]
    middle = np.zeros(probabilities.shape[1:], dtype=np.float32)
    middle[10:-10, 10:-10, 10:-10] = 1
    borders = find_borders(probabilities, middle)
    after = exponential(random_field(middle.shape, 5, 0.3, np.random.default_rng(0)))
    start = np.exp(borders.log_volumes(np.zeros(3), after))
    wanted = Volumes(icv=start[3], ventricles=1.3 * start[0], gm=0.93 * start[1], wm=0.98 * start[2])
    amounts = fit_borders(borders, after, wanted)
    ventricles, gm, wm, icv = np.exp(borders.log_volumes(amounts, after))
    assert ventricles / icv == pytest.approx(wanted.ventricles / wanted.icv, rel=0.05)
    assert gm / icv == pytest.approx(wanted.gm / wanted.icv, rel=0.02)
    assert wm / icv == pytest.approx(wanted.wm / wanted.icv, rel=0.02)
    assert amounts[0] > 0


def people(*ages: float) -> list[Subject]:
    return [Subject(f"s{i}", f"P{i}", age, i % 2, Path(), Path()) for i, age in enumerate(ages)]


def test_the_youngest_old_and_some_young_are_kept_out() -> None:
    learn, out = split_subjects(people(20, 21, 22, 23, 24, 25, 45, 61, 68, 75, 90), [], 5)
    assert sorted(s.age for s in out)[-2:] == [61, 68] and len(out) == 5
    assert {75, 90, 45} <= {s.age for s in learn}
    assert not {s.person for s in learn} & {s.person for s in out}


def test_named_people_are_kept_out_and_second_scans_with_them() -> None:
    subjects = people(20, 30, 40, 50, 60)
    again = Subject("s0-again", "P0", 20, 0, Path(), Path())
    learn, out = split_subjects([*subjects, again], ["s0-again"], 5)
    assert [s.person for s in out] == ["P0"] and len(learn) == 4
    with pytest.raises(WrongRequestError, match="nobody"):
        split_subjects(subjects, ["nobody"], 5)
    with pytest.raises(WrongRequestError, match="at least 4"):
        split_subjects(subjects, ["P0", "P1"], 5)


def test_scans_are_read_in_ras_with_white_matter_at_170(tmp_path: Path) -> None:
    subjects = find_subjects(write_scans(tmp_path / "scans"))
    assert [(s.person, s.age, s.sex) for s in subjects][:2] == [("P0", 20, 1), ("P1", 25, 0)]
    anatomy = read_anatomy(subjects[0])
    assert np.median(anatomy.image[anatomy.probabilities[0] > 0]) == pytest.approx(170, abs=1)
    assert (np.diag(anatomy.affine)[:3] > 0).all()
    assert anatomy.mask[-3:, :3].sum() == 0  # the marker is gone
    assert (anatomy.image[anatomy.mask == 0] == 0).all() and (anatomy.image[anatomy.mask > 0] >= 1).all()


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match=r"no participants\.tsv"):
        find_subjects(tmp_path)
    scans = write_scans(tmp_path / "scans")
    (scans / "sub-01_ses-1_tissues.nii.gz").unlink()
    with pytest.raises(TrainingDataError, match="sub-01_ses-1_tissues"):
        find_subjects(scans)
