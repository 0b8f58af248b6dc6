"""Training sets of new people (A, population shape): one real brain's scan and tissue map, warped into a new shape.

scans ─ registration to MNI152 ─ regression of shapes on age and sex ─┐
│                                                                   ├─ new shape, its volumes those of the charts
└─ a brain within some 15 years of the age: texture and sulci ──────┘        │
resampled once from its original 1 mm image ─ contrast, bias, noise ─ sample
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.training.data.alignment import Alignment, align, positions
from synthview.training.data.appearance import Appearance, change_appearance
from synthview.training.data.atrophy import Borders, find_borders, fit_borders
from synthview.training.data.fields import Floats, compose, exponential, jacobian, sample
from synthview.training.data.person import Person, code_names, lenders, read_code
from synthview.training.data.shape_model import Shape, ShapeModel, learn_shapes, symmetric_exp
from synthview.training.data.steps import Arrays, Progress, Steps, digest, no_progress
from synthview.training.data.subjects import Anatomy, Subject, find_subjects, read_anatomy, split_subjects
from synthview.training.data.targets import Targets, Volumes, anchor
from synthview.training.data.template import CENTRE_MM, Template, read_template
from synthview.training.data.warping import Grid, resample
from synthview.training.data.writing import BUILDER_VERSION, Row, numbers, packed

Matrix = npt.NDArray[np.float64]
_LEAST_JACOBIAN, _RETREATS = 0.01, 4  # of a whole warp; at 0 it folds
_CENTRE = np.array(CENTRE_MM)
# Mini-Mental State of screened adults on age (Dallas Lifespan Brain Study, OpenNeuro ds004856, 462 people, CC0)
_MMSE_AT_60, _MMSE_PER_DECADE, _MMSE_SD, _MMSE_RANGE = 28.36, -0.185, 1.192, (26, 30)


@dataclass(frozen=True)
class PopulationOptions:
    """What a training set of new people should be.

    Attributes:
        count: samples.
        seed: of everything drawn; the same seed gives the same bytes.
        shape: (I, J, K) of the samples.
        spacing_mm: of their voxels.
        ages: youngest and oldest.
        hold_out: scans or subjects to keep out; empty: ``hold_out_count`` are chosen.
        hold_out_count: how many are chosen.
        textures: brains whose scans are warped, at most, spread over the ages; 0: everyone's.  A generator learns few
            foldings sooner.
        mirror: whether half of the people are mirror images; without, a generator has half as many foldings to learn.
        spread: factor on all that age and sex don't explain.
        field_mm: spacing of the template and of all fields; 4 is some ten times as fast and coarser.
        appearance: how scans differ in contrast, bias and noise.
    """

    count: int = 300
    seed: int = 0
    shape: tuple[int, int, int] = (80, 96, 80)
    spacing_mm: float = 2.0
    ages: tuple[float, float] = (18.0, 90.0)
    hold_out: tuple[str, ...] = ()
    hold_out_count: int = 5
    textures: int = 0
    mirror: bool = True
    spread: float = 1.0
    field_mm: float = 2.0
    appearance: Appearance = field(default_factory=Appearance)

    @property
    def grid(self) -> Grid:
        """Of the samples."""
        return Grid(self.shape, self.spacing_mm, CENTRE_MM)

    def said(self) -> dict[str, Any]:
        """As plain values, without the count: more samples of the same set are the same samples and more."""
        return {name: value for name, value in asdict(self).items() if name != "count"}


class Population:
    """Brings the subjects to the template, learns their shapes, and makes new people.

    Args:
        scans: folder with the scans (``find_subjects``).
        template: folder with the MNI152 template.
        options: what is wanted.
        steps: where finished steps are kept.
        progress: called as ``Progress`` says.
    """

    def __init__(
        self, scans: Path, template: Path, options: PopulationOptions, steps: Steps, progress: Progress = no_progress
    ) -> None:
        self.options, self._steps = options, steps
        everyone = find_subjects(scans)
        self.learnt, self.held_out = split_subjects(everyone, options.hold_out, options.hold_out_count)
        self.lenders = lenders(self.learnt, options.textures)
        self.template: Template = read_template(template, options.field_mm)
        self._voxel_ml = 1e-3 * options.field_mm**3
        self._alignments: dict[str, Alignment] = {}
        for number, subject in enumerate(self.learnt):
            progress("registering", number / len(self.learnt))
            self.alignment(subject)
        progress("registering", 1.0)
        self.shapes: ShapeModel = learn_shapes(self.learnt, [self.alignment(s) for s in self.learnt])
        self._anatomies: dict[str, Anatomy] = {}
        self._borders: dict[str, Borders] = {}
        self._ways: dict[str, Floats] = {}
        self.measured = [self.measure(subject) for subject in self.learnt]
        self.targets: Targets = anchor([s.age for s in self.learnt], [s.sex for s in self.learnt], self.measured)
        self.key = digest(BUILDER_VERSION, options.said(), [self.alignment(s).key for s in self.learnt])

    def alignment(self, subject: Subject) -> Alignment:
        """A subject's way to the template; found once.  People kept out are registered too, to measure them."""
        if subject.name not in self._alignments:
            self._alignments[subject.name] = align(subject, self.template, self._steps)
        return self._alignments[subject.name]

    def measure(self, subject: Subject) -> Volumes:
        """A real brain's volumes, on the template's grid."""
        alignment, borders = self.alignment(subject), self.borders(subject)
        logs = borders.log_volumes(np.zeros(3), self._way(subject))
        ventricles, gm, wm, icv = np.exp(logs) * np.linalg.det(alignment.stretch) * self._voxel_ml
        return Volumes(float(icv), float(gm), float(wm), float(ventricles))

    def anatomy(self, subject: Subject) -> Anatomy:
        """A subject's scan; read once."""
        if subject.name not in self._anatomies:
            self._anatomies[subject.name] = read_anatomy(subject)
        return self._anatomies[subject.name]

    def borders(self, subject: Subject) -> Borders:
        """A subject's tissue borders on the template; found once."""
        if subject.name not in self._borders:
            anatomy = self.anatomy(subject)
            at = self._on_template(subject, self._way(subject))
            self._borders[subject.name] = find_borders(
                sample(anatomy.probabilities.astype(np.float32), at, outside="zeros"), self.template.ventricles
            )
        return self._borders[subject.name]

    def _way(self, subject: Subject) -> Floats:
        """A subject's displacement from the template; computed once."""
        if subject.name not in self._ways:
            self._ways[subject.name] = exponential(self.alignment(subject).velocity)
        return self._ways[subject.name]

    def _on_template(self, subject: Subject, displacement: Floats) -> Floats:
        """Voxels of a subject's scan under the template's voxels after a displacement, (3, I, J, K)."""
        matrix = self._to_scan(subject)
        shape = self.template.ventricles.shape
        at: Floats = positions(shape, np.eye(4), matrix, np.eye(4))
        moved: Floats = at + np.tensordot(matrix[:3, :3].astype(np.float32), displacement, axes=1)
        return moved

    def _to_scan(self, subject: Subject) -> Matrix:
        """4x4: the template's voxels, after its velocity field, to the scan's."""
        scan = self.anatomy(subject).affine
        return np.linalg.inv(scan) @ self.alignment(subject).affine @ self.template.affine

    def sample(self, number: int) -> Arrays:
        """One new person: "image" and "tissues" in bytes, "row" as text; the same for the same options and number."""
        return self._steps.do(f"sample-{number:05d}", self.key, lambda: self._make(number))

    def _make(self, number: int) -> Arrays:
        options = self.options
        rng = np.random.default_rng([options.seed, number])
        code = rng.standard_normal(len(self.code_names)).astype(np.float32)
        person = read_code(code, options.ages)
        subject = person.texture(self.lenders)
        channels, least, amounts = self._bring_about(person, subject)
        brain = channels[1:4].sum(axis=0)
        image = change_appearance(channels[0], brain, options.appearance, rng, person.appearance)
        facts = {"age": person.age, "sex": person.sex, **self._volumes(channels), "cognition": _mmse(person.age, rng)}
        row: Row = {"sample": f"person-{number:05d}", "subject": subject.name, "split": "train", **numbers(facts)}
        row |= numbers({"least_jacobian": least, **dict(zip(("ventricles", "cortex", "white"), amounts, strict=True))})
        return packed(image, channels[1:4], row, code)

    @property
    def code_names(self) -> tuple[str, ...]:
        """What the numbers of a sample's code decide."""
        return code_names(len(self.learnt))

    def _bring_about(self, person: Person, subject: Subject) -> tuple[Floats, float, npt.NDArray[np.float64]]:
        """The subject's scan as the person's, as ``warp`` gives it, and how far the borders were moved."""
        spread, age, sex = self.options.spread, person.age, person.sex
        wanted = self.targets.volumes(age, sex, spread * person.head, spread * person.tissues)
        drawn = self.shapes.shape(age, sex, spread * person.shape)
        for retreat in range(_RETREATS + 1):  # towards the expected shape and volumes, until nothing folds
            near = self.shapes.towards_mean(drawn, age, sex, 0.75**retreat)
            shape, warp, amounts = self._fit(subject, near, wanted, 0.9**retreat)
            channels, least = self.warp(subject, shape, warp)
            if least > _LEAST_JACOBIAN:
                break
        return (channels[:, ::-1] if person.mirrored and self.options.mirror else channels), least, amounts

    def _fit(
        self, subject: Subject, shape: Shape, wanted: Volumes, share: float
    ) -> tuple[Shape, Floats, npt.NDArray[np.float64]]:
        """The shape with the size wanted, and the subject's borders moved a share of the way to the volumes wanted."""
        borders, forwards = self.borders(subject), exponential(shape.velocity)
        amounts = share * fit_borders(borders, forwards, wanted)
        icv = float(np.exp(borders.log_volumes(amounts, forwards)[3]) * self._voxel_ml)
        proportions = shape.log_stretch - np.eye(3) * np.trace(shape.log_stretch) / 3
        stretch = proportions + np.eye(3) * np.log(wanted.icv / icv) / 3
        return Shape(shape.velocity, stretch), borders.velocity(amounts), amounts

    def warp(self, subject: Subject, shape: Shape, border_warp: Floats) -> tuple[Floats, float]:
        """A subject's scan in a new shape.

        Returns:
            (5, I, J, K) on the grid of the training set: image, white matter, grey matter, CSF, ventricular CSF; and
            the smallest Jacobian of the whole warp, above 0 where nothing folds.
        """
        to_template = compose(exponential(-shape.velocity), exponential(-border_warp))
        whole = compose(to_template, self._way(subject))
        anatomy = self.anatomy(subject)
        inside = np.s_[4:-4, 4:-4, 4:-4]
        least = float(jacobian(whole)[inside].min())
        channels = np.concatenate([anatomy.image[None], anatomy.probabilities])
        to_field = np.linalg.inv(self.template.affine) @ _from_own_size(shape.log_stretch)
        grid, to_scan = self.options.grid, self._to_scan(subject)
        brain = resample(anatomy.mask[None], grid, to_field, whole, to_scan, fine=1)[0]
        near = ndimage.binary_dilation(brain > 0, iterations=2)
        read = resample(channels, grid, to_field, whole, to_scan, only=near)
        region = resample(self.template.ventricles[None], grid, to_field, to_template, np.eye(4), fine=1, only=near)
        return np.concatenate([read, read[3:4] * region]), least

    def real(self, subject: Subject) -> Arrays:
        """A real person, upright on the same grid and otherwise unchanged."""
        return self._steps.do(f"real-{subject.name}", self.key, lambda: self._upright(subject))

    def _upright(self, subject: Subject) -> Arrays:
        anatomy, alignment = self.anatomy(subject), self.alignment(subject)
        channels = np.concatenate([anatomy.image[None], anatomy.probabilities])
        to_scan = np.linalg.inv(anatomy.affine) @ alignment.rigid
        read = resample(channels, self.options.grid, np.eye(4), None, to_scan)
        facts = {"age": subject.age, "sex": float(subject.sex), **self._volumes(read)}
        facts["ventricles_ml"] = self.measure(subject).ventricles
        split = "held out" if subject in self.held_out else "train"
        row: Row = {"sample": subject.name, "subject": subject.person, "split": split, **numbers(facts)}
        return packed(read[0], read[1:4], row)

    def _volumes(self, channels: Floats) -> dict[str, float]:
        """Of (4 or 5, I, J, K) channels on the grid, in ml; see ``warp``."""
        ml = channels.sum(axis=(1, 2, 3), dtype=np.float64) * 1e-3 * self.options.spacing_mm**3
        found = {"icv_ml": ml[1:4].sum(), "gm_ml": ml[2], "wm_ml": ml[1], "csf_ml": ml[3], "brain_ml": ml[1:3].sum()}
        return found | ({"ventricles_ml": ml[4]} if len(ml) > 4 else {})


def _from_own_size(log_stretch: Matrix) -> Matrix:
    """4x4: mm of a brain in its own size to the template's mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = symmetric_exp(-log_stretch)
    matrix[:3, 3] = _CENTRE - matrix[:3, :3] @ _CENTRE
    return matrix


def _mmse(age: float, rng: np.random.Generator) -> float:
    """A Mini-Mental State score of this age; it depends on nothing else, as in the data it is nearly so."""
    score = _MMSE_AT_60 + _MMSE_PER_DECADE * (age - 60) / 10 + _MMSE_SD * rng.standard_normal()
    return float(np.clip(np.rint(score), *_MMSE_RANGE))
