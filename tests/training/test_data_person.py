"""New people as numbers."""

from pathlib import Path

import numpy as np
import pytest

from synthview.training.data.person import code_names, read_code
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
    other = read_code(code(sex=0.1, icv_ml=5, gm_ml=-1, side=1, shape_of_3=1.5, texture_of_2=2.5, gamma=-3), (20, 80))
    assert (other.sex, other.head, other.mirrored) == (1, 2.0, True)
    assert other.tissues.tolist() == [-1, 0, 0] and other.shape.tolist() == [0, 0, 1.5]
    assert other.appearance.tolist() == [-3, 0, 0, 0, 0, 0, 0]
    assert other.textures.tolist() == [0, 2.5, 0]


def test_texture_is_that_of_someone_of_about_the_age(tmp_path: Path) -> None:
    people = find_subjects(write_scans(tmp_path / "scans", (20, 24, 70)))
    assert read_code(code(age=-9, texture_of_3=3, texture_of_2=1), (20, 80)).texture(people) is people[1]
    assert read_code(code(age=9, texture_of_1=9), (20, 80)).texture(people).age in {24, 70}  # the two nearest
