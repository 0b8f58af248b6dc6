"""Every subject's way to the template: rigid, stretch, velocity field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from synthview.training.data.fields import Floats, identity, resized, sample, smooth
from synthview.training.data.registration import LEVELS, LEVELS_COARSE, affine_registration, velocity_registration
from synthview.training.data.steps import Arrays, Steps, digest, file_digest
from synthview.training.data.subjects import Anatomy, Subject, read_anatomy
from synthview.training.data.template import CENTRE_MM, Template

Matrix = npt.NDArray[np.float64]
VERSION = 1  # of this step; raise it when its result changes
_CENTRE = np.array(CENTRE_MM)
_COARSE_MM = 3.0  # from here on a grid is a coarse one


@dataclass(frozen=True, eq=False)
class Alignment:
    """How template positions are found in a subject's scan: velocity field, then stretch, then rigid motion.

    Attributes:
        affine: 4x4, template mm to the scan's mm: rigid after stretch.
        velocity: (3, I, J, K) on the template's grid, in its voxels.
        key: stands for what it was computed from.
    """

    affine: Matrix
    velocity: Floats
    key: str

    @property
    def stretch(self) -> Matrix:
        """3x3 symmetric: the size and proportions of the brain against the template's."""
        _, values, axes = np.linalg.svd(self.affine[:3, :3])
        return cast(Matrix, axes.T @ np.diag(values) @ axes)

    @property
    def rigid(self) -> Matrix:
        """4x4: from a brain in its own size, upright around the template's centre, to the scan's mm."""
        rotation = self.affine[:3, :3] @ np.linalg.inv(self.stretch)
        matrix = np.eye(4)
        matrix[:3, :3] = rotation
        matrix[:3, 3] = self.affine[:3, :3] @ _CENTRE + self.affine[:3, 3] - rotation @ _CENTRE
        return matrix


def align(subject: Subject, template: Template, steps: Steps) -> Alignment:
    """Register one subject, or read what an earlier run found.

    Args:
        subject: whom.
        template: to what.
        steps: keeps the result.
    """
    key = digest(VERSION, file_digest(subject.tissues), float(template.tissue_image.sum()), True)
    found = steps.do(f"align-{subject.name}", key, lambda: _register(read_anatomy(subject), template))
    return Alignment(found["affine"], found["velocity"], key)


def affine_alignment(
    name: str, key: str, brain: tuple[npt.NDArray[np.uint8], Matrix], template: Template, steps: Steps
) -> Alignment:
    """Only size, proportions and position of a brain, from its tissues; its velocity is 0.

    Args:
        name: of the brain, fit for a file name.
        key: stands for what the tissues were read from.
        brain: (3, I, J, K) white matter, grey matter and CSF, 0 or 1; 4x4 diagonal affine, voxel index to mm.
        template: to what.
        steps: keeps the result.
    """
    key = digest(VERSION, key, float(template.tissue_image.sum()), "affine")
    found = steps.do(f"align-{name}", key, lambda: {"affine": _affine(_tissue_image(brain[0]), brain[1], template)})
    return Alignment(found["affine"], np.zeros((3, *template.tissue_image.shape), dtype=np.float32), key)


def _register(anatomy: Anatomy, template: Template) -> Arrays:
    image = _tissue_image(anatomy.probabilities)
    affine = _affine(image, anatomy.affine, template)
    at = positions(template.tissue_image.shape, template.affine, affine, anatomy.affine)
    moved = sample(image, at, outside="zeros")[0]
    levels = LEVELS if template.spacing_mm < _COARSE_MM else LEVELS_COARSE
    return {"affine": affine, "velocity": velocity_registration(template.tissue_image, moved, levels)}


def _tissue_image(probabilities: npt.NDArray[np.uint8]) -> Floats:
    """CSF 1, grey matter 2, white matter 3, lightly blurred, (1, I, J, K)."""
    white, grey, csf = probabilities.astype(np.float32)
    return smooth((csf + 2 * grey + 3 * white)[None], 0.7)


def _affine(image: Floats, affine: Matrix, template: Template) -> Matrix:
    return affine_registration(template.tissue_image, template.affine, *_halved(image, affine))


def _halved(image: Floats, affine: Matrix) -> tuple[Floats, Matrix]:
    """An image (1, I, J, K) at half its resolution, (I, J, K), and its affine."""
    shape = [n // 2 for n in image.shape[1:]]
    factors = np.array(image.shape[1:]) / np.array(shape)
    coarse = affine @ np.diag([*factors, 1.0])
    coarse[:3, 3] = affine[:3, :3] @ ((factors - 1) / 2) + affine[:3, 3]
    return resized(smooth(image, 0.7), shape)[0], coarse


def positions(shape: tuple[int, ...], grid_affine: Matrix, mm_to_mm: Matrix, scan_affine: Matrix) -> Floats:
    """Voxels of a scan under the voxels of a grid, (3, I, J, K)."""
    matrix = np.linalg.inv(scan_affine) @ mm_to_mm @ grid_affine
    moved: Floats = np.tensordot(matrix[:3, :3].astype(np.float32), identity(shape), axes=1)
    return moved + matrix[:3, 3].astype(np.float32).reshape(3, 1, 1, 1)
