"""The leak check on real scans: two halves of one set pass once harmonised; as they are on disk, other sets don't."""

import pytest

from synthview.study.arms import Scan, look_at, settle, stimuli
from synthview.study.harmonise import Harmonisation
from synthview.study.leak_facts import facts_of
from synthview.study.leaks import check_leaks
from synthview.volume import load_volume


def _scans(shared, folder, arm, first, count):
    files = sorted((shared / "data" / folder).glob("*T1w.nii.gz"))[first : first + count]
    return [Scan(arm, file) for file in files]


def test_raw_scans_of_two_sources_are_told_apart(shared):
    scans = [*_scans(shared, "oasis30-t1", "one", 0, 3), *_scans(shared, "lesjak-ms-t1", "two", 0, 3)]
    verdict = check_leaks([facts_of(scan.arm, load_volume(scan.path), name=scan.path.name) for scan in scans])
    assert verdict.blocks


@pytest.mark.slow
def test_two_halves_of_one_set_pass_once_harmonised(shared):
    scans = [*_scans(shared, "oasis30-t1", "one", 0, 7), *_scans(shared, "oasis30-t1", "two", 7, 7)]
    looked = look_at(scans)
    settled = settle(looked, Harmonisation(spacing_mm=2.0))
    verdict = check_leaks([facts_of(made.arm, made.volume) for made in stimuli(looked, settled)])
    assert verdict.passes, verdict.sentences()


@pytest.mark.slow
def test_two_sources_pass_once_harmonised(shared):
    scans = [*_scans(shared, "oasis30-t1", "one", 0, 5), *_scans(shared, "lesjak-ms-t1", "two", 0, 5)]
    looked = look_at(scans)
    settled = settle(looked, Harmonisation(spacing_mm=2.0))
    verdict = check_leaks([facts_of(made.arm, made.volume) for made in stimuli(looked, settled)])
    assert verdict.passes, verdict.sentences()
