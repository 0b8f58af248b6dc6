"""A new person as numbers: what a sample is decided by, all of it drawn from N(0, 1).

These numbers are kept as the sample's code.  A generator that is given the code knows which brain was warped and how,
so that nothing is left over for it to blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from synthview.training.data.appearance import NUMBERS
from synthview.training.data.subjects import Subject

Floats64 = npt.NDArray[np.float64]
_FACTS = ("age", "sex", "icv_ml", "gm_ml", "wm_ml", "ventricles_ml")  # named as the columns that they decide
_FIRST = (*_FACTS, "side", *NUMBERS)
_TRUNCATION = 2.0  # standard deviations of size, volumes and shape
_TEXTURE_YEARS = 15.0  # a brain's texture and sulci may stand for an age this far from its own


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
        textures: of each subject, (S,); of those whose age fits, the largest is the one that is warped.
    """

    age: float
    sex: int
    head: float
    tissues: Floats64
    mirrored: bool
    appearance: Floats64
    shape: Floats64
    textures: Floats64

    def texture(self, subjects: Sequence[Subject]) -> Subject:
        """Whose scan is warped: someone within 15 years of the age, or one of the two nearest where nobody is."""
        by_distance = sorted(range(len(subjects)), key=lambda i: (abs(subjects[i].age - self.age), subjects[i].name))
        near = [i for i in by_distance if abs(subjects[i].age - self.age) <= _TEXTURE_YEARS]
        choice = near if len(near) > 1 else by_distance[:2]
        return subjects[max(choice, key=lambda i: float(self.textures[i]))]


def code_names(subjects: int) -> tuple[str, ...]:
    """What the numbers of a code decide."""
    numbers = range(1, subjects + 1)
    return (*_FIRST, *(f"shape {n}" for n in numbers), *(f"texture {n}" for n in numbers))


def read_code(code: npt.NDArray[np.float32], ages: tuple[float, float]) -> Person:
    """The person that a code decides.

    Args:
        code: (14 + 2 S,), from N(0, 1), as ``code_names`` says.
        ages: youngest and oldest; ages are spread evenly between them.
    """
    numbers = code.astype(np.float64)
    clipped = np.clip(numbers, -_TRUNCATION, _TRUNCATION)
    first, count = len(_FIRST), (len(code) - len(_FIRST)) // 2
    return Person(
        age=float(ages[0] + (ages[1] - ages[0]) * special.ndtr(numbers[0])),
        sex=int(numbers[1] > 0),
        head=float(clipped[2]),
        tissues=clipped[3:6],
        mirrored=bool(numbers[6] > 0),
        appearance=numbers[7:first],
        shape=clipped[first : first + count],
        textures=numbers[first + count :],
    )
