"""Reads the scans that a training set is built from: T1w images with tissue maps, and who was scanned."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.errors import TrainingDataError, WrongRequestError
from synthview.training.data.fields import Floats
from synthview.volume import load_volume

Matrix = npt.NDArray[np.float64]
WHITE_MATTER = 170.0  # stored value of a scan's median white matter: leaves room for brighter vessels and fat
_OLD, _YOUNG = 60, 30  # years


@dataclass(frozen=True)
class Subject:
    """One scan of one person.

    Attributes:
        name: of the scan, such as "sub-0040_ses-1".
        person: the same for all scans of one person.
        age: years.
        sex: 0 male, 1 female.
        scan: file of the skull-stripped T1w image.
        tissues: file of its tissue map: 1 CSF, 2 grey matter, 3 white matter, 0 outside.
    """

    name: str
    person: str
    age: float
    sex: int
    scan: Path
    tissues: Path


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A scan as the builder uses it, in RAS+ axis order.

    Attributes:
        image: (I, J, K), its median white matter at ``WHITE_MATTER``, 0 outside the brain.
        probabilities: (3, I, J, K) uint8 white matter, grey matter, CSF: 0 or 1.
        affine: 4x4, voxel index to mm, diagonal: the scan's own directions are close enough to RAS+ to start from.
    """

    image: Floats
    probabilities: npt.NDArray[np.uint8]
    affine: Matrix

    @property
    def mask(self) -> Floats:
        """(I, J, K), 1 in the brain, else 0."""
        mask: Floats = self.probabilities.sum(axis=0, dtype=np.float32)
        return mask


def find_subjects(folder: Path) -> list[Subject]:
    """The subjects of a folder with ``participants.tsv`` and ``NAME_T1w.nii.gz``, ``NAME_tissues.nii.gz`` of each scan.

    Raises:
        TrainingDataError: a file or column is missing; says which.
    """
    table = folder / "participants.tsv"
    if not table.is_file():
        raise TrainingDataError(f"{folder} has no participants.tsv with scan_id, subject, sex and age of each scan")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = [_subject(folder, row, table) for row in rows]
    if not found:
        raise TrainingDataError(f"{table} names no scan")
    return found


def _subject(folder: Path, row: dict[str, str], table: Path) -> Subject:
    try:
        name, person, age, sex = row["scan_id"], row["subject"], float(row["age"]), row["sex"].upper()
    except (KeyError, ValueError, AttributeError) as error:
        raise TrainingDataError(f"{table} lacks scan_id, subject, age or sex in some row ({error})") from error
    if sex not in {"F", "M"}:
        raise TrainingDataError(f"{table}: sex of {name} is {sex!r}; write F or M")
    files = [folder / f"{name}_{what}.nii.gz" for what in ("T1w", "tissues")]
    for file in files:
        if not file.is_file():
            raise TrainingDataError(f"{table} names {name}, but {file} isn't there")
    return Subject(name, person, age, "MF".index(sex), *files)


def split_subjects(
    subjects: Sequence[Subject], hold_out: Sequence[str], count: int
) -> tuple[list[Subject], list[Subject]]:
    """Subjects to learn from (one scan a person) and those kept out of everything.

    Without names, the two youngest over 60 are kept out (the oldest are needed: they alone show what old brains look
    like), and people up to 30, evenly over the list.

    Args:
        subjects: all.
        hold_out: names or persons to keep out; empty: chosen by the rule.
        count: how many the rule keeps out.

    Raises:
        WrongRequestError: a name is unknown, or too few would be left.
    """
    first: dict[str, Subject] = {}
    for subject in subjects:
        first.setdefault(subject.person, subject)
    people = list(first.values())
    if hold_out:
        known = {s.name: s.person for s in subjects} | {s.person: s.person for s in subjects}
        unknown = [name for name in hold_out if name not in known]
        if unknown:
            raise WrongRequestError(f"--hold-out {unknown[0]} is no scan or subject of participants.tsv")
        kept_out = {known[name] for name in hold_out}
    else:
        kept_out = _by_rule(people, count)
    learn, out = [s for s in people if s.person not in kept_out], [s for s in people if s.person in kept_out]
    if len(learn) < 4:
        raise WrongRequestError(f"{len(learn)} subjects would be left to learn from; at least 4 are needed")
    return learn, out


def _by_rule(people: Sequence[Subject], count: int) -> set[str]:
    by_age = sorted(people, key=lambda s: (s.age, s.name))
    old = [s for s in by_age if s.age > _OLD][: min(2, count)]
    young = sorted((s for s in people if s.age <= _YOUNG), key=lambda s: s.name)
    wanted = min(count - len(old), len(young))
    places: list[int] = []
    if wanted > 0:
        places = np.linspace(0, len(young) - 1, wanted + 2).round().astype(int)[1:-1].tolist()
    return {s.person for s in old} | {young[i].person for i in places}


def read_anatomy(subject: Subject) -> Anatomy:
    """Read one subject's scan and tissue map.

    Raises:
        TrainingDataError: they don't fit each other or hold something else.
    """
    scan, labels = load_volume(subject.scan).to_ras(), load_volume(subject.tissues).to_ras()
    if scan.voxels.shape != labels.voxels.shape or scan.voxels.ndim != 3:
        raise TrainingDataError(f"{subject.tissues} has not the shape of {subject.scan}")
    classes = np.unique(labels.voxels)
    if not np.isin(classes, (0, 1, 2, 3)).all() or len(classes) < 4:
        raise TrainingDataError(f"{subject.tissues} should hold 0 outside, 1 CSF, 2 grey matter, 3 white matter")
    probabilities = np.stack([labels.voxels == label for label in (3, 2, 1)]).astype(np.uint8)
    probabilities *= _largest_piece(labels.voxels > 0)  # what lies beside the head is no brain
    image = scan.voxels.astype(np.float32)
    white = float(np.median(image[labels.voxels == 3]))
    if white <= 0:
        raise TrainingDataError(f"{subject.scan} is dark where {subject.tissues} says white matter")
    image = np.where(probabilities.any(axis=0), np.clip(image * (WHITE_MATTER / white), 1, 255), 0).astype(np.float32)
    return Anatomy(image, probabilities, diagonal_affine(scan.affine))


def _largest_piece(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    pieces, _ = ndimage.label(mask)
    return np.asarray(pieces == 1 + np.bincount(pieces.ravel())[1:].argmax())


def diagonal_affine(affine: Matrix) -> Matrix:
    """The affine of RAS+ ordered voxels without its rotation: spacing on the diagonal, the first voxel where it was."""
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    straight = np.diag([*spacing, 1.0])
    straight[:3, 3] = affine[:3, 3]
    return cast(Matrix, straight)
