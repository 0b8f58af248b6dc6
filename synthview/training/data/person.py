"""A new person as numbers: what a sample is decided by, all of it drawn from N(0, 1).

These numbers are kept as the sample's code.  A generator that is given the code knows which brain was warped and how,
so that nothing is left over for it to blur.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from synthview.training.data.appearance import NUMBERS
from synthview.training.data.subjects import Subject

Floats64 = npt.NDArray[np.float64]
_FACTS = ("age", "sex", "icv_ml", "gm_ml", "wm_ml", "ventricles_ml")  # named as the columns that they decide
_FIRST = (*_FACTS, "side", *NUMBERS, "texture 1", "texture 2")
_TRUNCATION = 2.0  # standard deviations of size, volumes and shape
_TEXTURE_YEARS = 15.0  # a brain's texture and sulci may stand for an age this far from its own
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))  # between the directions of those next in age: any few of them lie spread


@dataclass(frozen=True, eq=False)
class Person:
    """What decides a sample.

    Attributes:
        age: years.
        sex: 0 male, 1 female.
        head: how large the head is, standard deviations.
        tissues: how much grey matter, white matter and ventricles there are, (3,) standard deviations.
        mirrored: whether left and right are swapped.
        appearance: contrast and coil sensitivity, (A,), as ``appearance.NUMBERS`` says.
        shape: weight of each subject's residual, (S,) standard deviations.
        direction: of those whose age fits, the one whose own direction is nearest to this is warped; radians.
    """

    age: float
    sex: int
    head: float
    tissues: Floats64
    mirrored: bool
    appearance: Floats64
    shape: Floats64
    direction: float

    def texture(self, subjects: Sequence[Subject]) -> Subject:
        """Whose scan is warped: someone within 15 years of the age, or one of the two nearest where nobody is.

        Age and direction cut their plane into one region for each subject: few, and simple to learn.
        """
        in_order = sorted(subjects, key=lambda subject: (subject.age, subject.name))
        directions = {subject.name: number * _GOLDEN_ANGLE for number, subject in enumerate(in_order)}
        by_distance = sorted(in_order, key=lambda subject: abs(subject.age - self.age))
        near = [subject for subject in by_distance if abs(subject.age - self.age) <= _TEXTURE_YEARS]
        choice = near if len(near) > 1 else by_distance[:2]
        return max(choice, key=lambda subject: math.cos(directions[subject.name] - self.direction))


def lenders(subjects: Sequence[Subject], most: int) -> list[Subject]:
    """Of all subjects at most so many, spread evenly over their ages, or the one in the middle; 0: all of them."""
    if most == 0 or most >= len(subjects):
        return list(subjects)
    left = sorted(subjects, key=lambda subject: (subject.age, subject.name))
    chosen = []
    ends = (left[0].age, left[-1].age)
    for age in np.linspace(*ends, most) if most > 1 else [sum(ends) / 2]:
        chosen.append(min(left, key=lambda subject: abs(subject.age - float(age))))
        left.remove(chosen[-1])
    return chosen


def code_names(subjects: int) -> tuple[str, ...]:
    """What the numbers of a code decide."""
    return (*_FIRST, *(f"shape {n}" for n in range(1, subjects + 1)))


def read_code(code: npt.NDArray[np.float32], ages: tuple[float, float]) -> Person:
    """The person that a code decides.

    Args:
        code: (16 + S,), from N(0, 1), as ``code_names`` says.
        ages: youngest and oldest; ages are spread evenly between them.
    """
    numbers = code.astype(np.float64)
    clipped = np.clip(numbers, -_TRUNCATION, _TRUNCATION)
    first = len(_FIRST)
    return Person(
        age=float(ages[0] + (ages[1] - ages[0]) * special.ndtr(numbers[0])),
        sex=int(numbers[1] > 0),
        head=float(clipped[2]),
        tissues=clipped[3:6],
        mirrored=bool(numbers[6] > 0),
        appearance=numbers[7 : first - 2],
        shape=clipped[first:],
        direction=math.atan2(float(numbers[first - 1]), float(numbers[first - 2])),
    )
