"""How brains differ: mean, age, sex and what is left, of velocity fields and proportions.

Linear regression of the log-domain fields on age and sex (log-Euclidean, Arsigny et al. 2006).  What a subject differs
by from the regression is its residual; a new brain's is drawn from the Gaussian with the residuals' covariance, that
is, from all their principal components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from synthview.training.data.alignment import Alignment
from synthview.training.data.fields import Floats
from synthview.training.data.subjects import Subject

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shape:
    """The shape of one brain against the template's.

    Attributes:
        velocity: (3, I, J, K), template to this brain in the template's size.
        log_stretch: 3x3 symmetric matrix logarithm of its size and proportions.
    """

    velocity: Floats
    log_stretch: Matrix


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """A regression of shapes on age and sex.

    Attributes:
        velocity: (3, 3, I, J, K): at 40 years and between the sexes; change per 10 years; female minus male.
        velocity_residuals: (S, 3, I, J, K).
        log_stretch: (3, 3, 3), as ``velocity``.
        log_stretch_residuals: (S, 3, 3).
    """

    velocity: Floats
    velocity_residuals: Floats
    log_stretch: Matrix
    log_stretch_residuals: Matrix

    def mean(self, age: float, sex: int) -> Shape:
        """The expected shape at an age."""
        row = _row(age, sex)
        velocity = np.tensordot(row.astype(np.float32), self.velocity, axes=1)
        return Shape(velocity, np.tensordot(row, self.log_stretch, axes=1))

    def towards_mean(self, shape: Shape, age: float, sex: int, share: float) -> Shape:
        """A shape with only a share (0-1) of what sets it apart from the expected one."""
        if share == 1:
            return shape
        expected = self.mean(age, sex)
        velocity = expected.velocity + np.float32(share) * (shape.velocity - expected.velocity)
        return Shape(velocity, expected.log_stretch + share * (shape.log_stretch - expected.log_stretch))

    def shape(self, age: float, sex: int, numbers: Matrix) -> Shape:
        """A new brain's shape.

        Args:
            age: years.
            sex: 0 male, 1 female.
            numbers: from N(0, 1), one for each residual, (S,).
        """
        expected = self.mean(age, sex)
        freedom = np.sqrt(max(1, len(self.velocity_residuals) - self.velocity.shape[0]))
        weights = numbers / freedom
        velocity = np.tensordot(weights.astype(np.float32), self.velocity_residuals, axes=1)
        log_stretch = expected.log_stretch + np.tensordot(weights, self.log_stretch_residuals, axes=1)
        return Shape(expected.velocity + velocity, log_stretch)


def learn_shapes(subjects: Sequence[Subject], alignments: Sequence[Alignment]) -> ShapeModel:
    """Fit the regression.

    Args:
        subjects: at least 4, of different ages.
        alignments: of the subjects, with velocity fields.
    """
    design = np.stack([_row(s.age, s.sex) for s in subjects])  # (S, 3)
    inverse = np.linalg.pinv(design)  # (3, S)
    logs = np.stack([symmetric_log(a.stretch) for a in alignments])
    stretch = np.tensordot(inverse, logs, axes=1)
    fields = np.stack([a.velocity for a in alignments])
    velocity = np.tensordot(inverse.astype(np.float32), fields, axes=1)
    residuals = fields - np.tensordot(design.astype(np.float32), velocity, axes=1)
    return ShapeModel(velocity, residuals, stretch, logs - np.tensordot(design, stretch, axes=1))


def _row(age: float, sex: int) -> Matrix:
    return np.array([1.0, (age - 40) / 10, sex - 0.5])


def symmetric_log(matrix: Matrix) -> Matrix:
    """Matrix logarithm of a symmetric positive matrix."""
    values, axes = np.linalg.eigh(matrix)
    return cast(Matrix, axes @ np.diag(np.log(values)) @ axes.T)


def symmetric_exp(matrix: Matrix) -> Matrix:
    """Matrix exponential of a symmetric matrix."""
    values, axes = np.linalg.eigh(matrix)
    return cast(Matrix, axes @ np.diag(np.exp(values)) @ axes.T)
