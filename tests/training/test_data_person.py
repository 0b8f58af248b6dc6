"""New people as numbers."""

from pathlib import Path

import numpy as np
import pytest

from synthview.training.data.person import code_names, lenders, read_code
from synthview.training.data.subjects import find_subjects
from tests.anatomy import write_scans


def code(**numbers: float) -> np.ndarray:
    names = code_names(3)
    found = np.zeros(len(names), dtype=np.float32)
    for name, number in numbers.items():
        found[names.index(name.replace("_of_", " "))] = number
    return found


def test_a_code_is_an_age_between_the_youngest_and_the_oldest_and_the_rest() -> None:
    middle = read_code(code(), (20, 80))
    assert (middle.age, middle.sex, middle.mirrored) == (50, 0, False)
    assert read_code(code(age=-9), (20, 80)).age == pytest.approx(20)
    ages = [read_code(code(age=z), (20, 80)).age for z in np.random.default_rng(0).standard_normal(4000)]
    assert np.histogram(ages, 6, (20, 80))[0] == pytest.approx(667, rel=0.15)
    numbers = {"sex": 0.1, "icv_ml": 5, "gm_ml": -1, "side": 1, "shape_of_3": 1.5, "texture_of_2": 2.5, "gamma": -3}
    other = read_code(code(**numbers), (20, 80))
    assert (other.sex, other.head, other.mirrored) == (1, 2.0, True)
    assert other.tissues.tolist() == [-1, 0, 0] and other.shape.tolist() == [0, 0, 1.5]
    assert other.appearance.tolist() == [-3, 0, 0, 0, 0, 0, 0]
    assert other.direction == pytest.approx(np.pi / 2)


def test_texture_is_that_of_someone_of_about_the_age(tmp_path: Path) -> None:
    people = find_subjects(write_scans(tmp_path / "scans", (20, 24, 28, 70)))
    drawn = np.random.default_rng(0).standard_normal((300, 2))
    young = [read_code(code(age=-9, texture_of_1=a, texture_of_2=b), (20, 80)).texture(people).age for a, b in drawn]
    assert [young.count(age) for age in (20, 24, 28, 70)] == pytest.approx([100, 100, 100, 0], abs=40)
    old = {read_code(code(age=9, texture_of_1=a), (20, 80)).texture(people).age for a in (-1, 1)}
    assert old == {28, 70}  # the two nearest


def test_those_who_lend_their_texture_are_spread_over_the_ages(tmp_path: Path) -> None:
    people = find_subjects(write_scans(tmp_path / "scans", (20, 21, 22, 23, 45, 70)))
    assert [subject.age for subject in lenders(people, 3)] == [20, 45, 70]
    assert [subject.age for subject in lenders(people, 1)] == [45]
    assert lenders(people, 0) == people == lenders(people, 9)
