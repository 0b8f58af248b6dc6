"""Training sets simulated from label maps (B): no scan goes in, so no scan's terms come out.

Every structure of a head's label map gets a grey value drawn from priors of T1-weighted scans, with texture and noise,
as in SynthSeg (Billot et al., Medical Image Analysis 2023, 86:102789); then a smooth warp of 2-3 mm, other proportions,
coil sensitivity and noise.  Only labels of the brain (below 500) are drawn: the face is not.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthview.errors import TrainingDataError
from synthview.training.data.alignment import Alignment, affine_alignment
from synthview.training.data.appearance import Appearance, change_appearance
from synthview.training.data.fields import Floats, exponential, jacobian, random_field
from synthview.training.data.individual import rotation
from synthview.training.data.steps import Arrays, Progress, Steps, digest, file_digest, no_progress
from synthview.training.data.subjects import WHITE_MATTER, diagonal_affine
from synthview.training.data.template import CENTRE_MM, Template, read_template
from synthview.training.data.warping import Grid, resample
from synthview.training.data.writing import BUILDER_VERSION, Row, numbers, packed
from synthview.volume import load_volume

Matrix = npt.NDArray[Any]
_TISSUES = ("WM", "GM", "CSF")
_VENTRICLES = (4, 5, 14, 15, 43, 44, 72)
_FACE = 500
_WHITE_MATTER_CLASS = 2
_TEXTURE_SHARE, _TEXTURE_SIGMA = 0.6, 1.5  # of a structure's spread; its correlation in voxels
_PRIOR_SHARE = 0.5  # of the priors' spread over scanners: enough variety, and still T1-weighted
_BLUR = 0.6  # voxels: of the scanner
_MARGIN = 3  # voxels kept around the brain


@dataclass(frozen=True)
class LabelOptions:
    """What a simulated training set should be.

    Attributes:
        count: samples.
        seed: of everything drawn.
        shape: (I, J, K).
        spacing_mm: of the voxels.
        warp_mm: standard deviation of the smooth warp.
        size_sd: standard deviation of size along each axis, as a share.
        turn_sd: standard deviation of turns about each axis, degrees.
        appearance: contrast, bias and noise.
    """

    count: int = 200
    seed: int = 0
    shape: tuple[int, int, int] = (80, 96, 80)
    spacing_mm: float = 2.0
    warp_mm: float = 2.5
    size_sd: float = 0.04
    turn_sd: float = 2.0
    appearance: Appearance = field(default_factory=Appearance)

    @property
    def grid(self) -> Grid:
        """Of the samples."""
        return Grid(self.shape, self.spacing_mm, CENTRE_MM)

    def said(self) -> dict[str, Any]:
        """As plain values, without the count."""
        return {name: value for name, value in asdict(self).items() if name != "count"}


@dataclass(frozen=True, eq=False)
class Priors:
    """What labels.tsv says.

    Attributes:
        classes: label to intensity class; brain labels only.
        tissues: label to 0 white matter, 1 grey matter, 2 CSF.
        means: class to mean and standard deviation of the class mean.
        spreads: class to mean and standard deviation of the spread inside the class.
    """

    classes: dict[int, int]
    tissues: dict[int, int]
    means: dict[int, tuple[float, float]]
    spreads: dict[int, tuple[float, float]]


def read_priors(path: Path) -> Priors:
    """Read labels.tsv.

    Raises:
        TrainingDataError: it is missing or lacks a column.
    """
    if not path.is_file():
        raise TrainingDataError(f"{path} with the intensity prior of each label isn't there")
    priors = Priors({}, {}, {}, {})
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            try:
                label, kind = int(row["label"]), int(row["t1_class"])
                figures = [float(row[f"t1_{name}"]) for name in ("mean_mean", "mean_sd", "sd_mean", "sd_sd")]
            except (KeyError, TypeError, ValueError) as error:
                raise TrainingDataError(f"{path} lacks a number in some row ({error})") from error
            if 0 < label < _FACE:
                priors.classes[label] = kind
                priors.tissues[label] = _TISSUES.index(row["tissue"]) if row["tissue"] in _TISSUES else 2
                priors.means[kind] = figures[0], figures[1]
                priors.spreads[kind] = figures[2], figures[3]
    return priors


@dataclass(frozen=True, eq=False)
class Head:
    """One label map, cut to the brain.

    Attributes:
        classes: (I, J, K) uint8 intensity class, 0 outside.
        tissues: (4, I, J, K) uint8 white matter, grey matter, CSF, ventricles: 0 or 1.
        affine: 4x4, voxel index to mm.
        alignment: to the template, affine.
    """

    classes: npt.NDArray[np.uint8]
    tissues: npt.NDArray[np.uint8]
    affine: Matrix
    alignment: Alignment


class LabelSimulation:
    """Makes brains from label maps.

    Args:
        maps: folder with labels_*.nii.gz and labels.tsv.
        template: folder with the MNI152 template.
        options: what is wanted.
        steps: where finished steps are kept.
        progress: called as ``Progress`` says.
    """

    def __init__(
        self, maps: Path, template: Path, options: LabelOptions, steps: Steps, progress: Progress = no_progress
    ) -> None:
        self.options, self._steps = options, steps
        self.files = sorted(maps.glob("labels_*.nii.gz"))
        if not self.files:
            raise TrainingDataError(f"{maps} has no labels_*.nii.gz")
        self.priors = read_priors(maps / "labels.tsv")
        space = read_template(template)
        self.heads: list[Head] = []
        for number, file in enumerate(self.files):
            progress("registering", number / len(self.files))
            self.heads.append(self._head(file, space))
        progress("registering", 1.0)
        self.key = digest(BUILDER_VERSION, options.said(), [head.alignment.key for head in self.heads])

    def _head(self, file: Path, template: Template) -> Head:
        volume = load_volume(file).to_ras()
        labels = volume.voxels
        known = sorted(self.priors.classes)
        inside = np.isin(labels, known)
        if not inside.any():
            raise TrainingDataError(f"{file} holds none of the brain labels of labels.tsv")
        ends = [(int(i.min()) - _MARGIN, int(i.max()) + _MARGIN + 1) for i in np.nonzero(inside)]
        box = tuple(slice(max(0, low), high) for low, high in ends)
        labels, affine = np.where(inside, labels, 0)[box].astype(np.int64), diagonal_affine(volume.affine)
        affine[:3, 3] += affine[:3, :3] @ np.array([axis.start for axis in box])
        look = np.zeros((2, _FACE), dtype=np.uint8)
        for label in known:
            look[:, label] = self.priors.classes[label], 1 + self.priors.tissues[label]
        tissue = look[1][labels]
        channels = [tissue == 1, tissue == 2, tissue == 3, np.isin(labels, _VENTRICLES)]
        tissues = np.stack(channels).astype(np.uint8)
        alignment = affine_alignment(
            file.name.removesuffix(".nii.gz"), file_digest(file), (tissues[:3], affine), template, self._steps
        )
        return Head(look[0][labels], tissues, affine, alignment)

    def sample(self, number: int) -> Arrays:
        """One simulated brain: "image" and "tissues" in bytes, "row" as text."""
        return self._steps.do(f"sample-{number:05d}", self.key, lambda: self._make(number))

    def _make(self, number: int) -> Arrays:
        options = self.options
        rng = np.random.default_rng([options.seed, number])
        which = int(rng.integers(len(self.heads)))
        head = self.heads[which]
        painted = paint(head.classes, self.priors, rng)
        read, least = self._warped(head, np.concatenate([painted[None], head.tissues]), rng)
        if rng.random() < 0.5:
            read = read[:, ::-1]
        image = change_appearance(np.clip(read[0], 0, 255), read[1:4].sum(axis=0), options.appearance, rng)
        ml = read[1:].sum(axis=(1, 2, 3), dtype=np.float64) * 1e-3 * options.spacing_mm**3
        facts = {"icv_ml": ml[:3].sum(), "gm_ml": ml[1], "wm_ml": ml[0], "csf_ml": ml[2], "brain_ml": ml[:2].sum()}
        name = self.files[which].name.removesuffix(".nii.gz")
        row: Row = {"sample": f"simulated-{number:05d}", "subject": name, "split": "train"}
        row |= numbers({**facts, "ventricles_ml": ml[3], "least_jacobian": least})
        return packed(image, read[1:4], row)

    def _warped(self, head: Head, channels: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
        options, grid = self.options, self.options.grid
        size = options.warp_mm / options.spacing_mm
        velocity = random_field(grid.shape, 20 / options.spacing_mm, size, rng)
        velocity += random_field(grid.shape, 8 / options.spacing_mm, 0.3 * size, rng)
        displacement = exponential(velocity)
        motion = np.eye(4)
        sizes = np.exp(np.clip(rng.standard_normal(3), -2, 2) * options.size_sd)
        turns = np.deg2rad(np.clip(rng.standard_normal(3), -2, 2) * options.turn_sd)
        motion[:3, :3] = rotation(turns) @ np.diag(sizes)
        motion[:3, 3] = np.array(CENTRE_MM) - motion[:3, :3] @ np.array(CENTRE_MM)
        to_scan: Matrix = np.linalg.inv(head.affine) @ head.alignment.rigid @ motion @ grid.affine
        to_field: Matrix = np.linalg.inv(grid.affine)
        brain = head.tissues[:3].sum(axis=0, dtype=np.float32)[None]
        inside = resample(brain, grid, to_field, displacement, to_scan, fine=1)[0] > 0
        near = ndimage.binary_dilation(inside, iterations=2)
        return resample(channels, grid, to_field, displacement, to_scan, only=near), float(jacobian(displacement).min())


def paint(classes: npt.NDArray[np.uint8], priors: Priors, rng: np.random.Generator) -> Floats:
    """A T1-weighted image of a map of intensity classes, (I, J, K); white matter is near 170.

    Args:
        classes: (I, J, K), 0 outside.
        priors: of the classes.
        rng: where it is drawn from.
    """
    mean, spread = np.zeros(256, dtype=np.float32), np.zeros(256, dtype=np.float32)
    for kind in sorted(priors.means):
        draws = np.clip(rng.standard_normal(2), -2, 2) * _PRIOR_SHARE
        mean[kind] = max(1.0, priors.means[kind][0] + draws[0] * priors.means[kind][1])
        spread[kind] = max(0.0, priors.spreads[kind][0] + draws[1] * priors.spreads[kind][1])
    noise = rng.standard_normal((2, *classes.shape)).astype(np.float32)
    texture = ndimage.gaussian_filter(noise[0], _TEXTURE_SIGMA, truncate=2.5)
    texture *= _TEXTURE_SHARE / max(float(texture.std()), 1e-6)
    pattern = texture + np.float32(np.sqrt(1 - _TEXTURE_SHARE**2)) * noise[1]
    values = (mean[classes] + spread[classes] * pattern) * (classes > 0)
    white = mean[_WHITE_MATTER_CLASS] or float(mean.max())
    painted: Floats = ndimage.gaussian_filter(np.maximum(values, 0), _BLUR) * np.float32(WHITE_MATTER / white)
    return painted
