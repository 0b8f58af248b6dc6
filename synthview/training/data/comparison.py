"""All figures of a set of synthetic volumes against real ones, as rows of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from synthview.errors import TrainingDataError
from synthview.metrics.ageing import age_slope, chart_ratio
from synthview.metrics.distributions import frechet_distance, mmd2, principal_scores
from synthview.metrics.features import NAME as FEATURE_SPACE
from synthview.metrics.features import feature_matrix
from synthview.metrics.neighbours import nearest_neighbours
from synthview.metrics.similarity import similarity_within
from synthview.metrics.tissues import TissueFacts, accepted, central_csf_ml, segment, tissue_facts
from synthview.training.data.steps import Progress, no_progress
from synthview.training.data.volumes import Array, VolumeSet
from synthview.volume.nifti import write_atomically

_COMPONENTS = 16
_PAIRS = 200


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        name: of the figure.
        synthetic: its value for the synthetic set.
        real: its value for the real set; NaN where a figure compares the two.
        unit: of both.
        meaning: how to read it, one sentence.
    """

    name: str
    synthetic: float
    real: float
    unit: str
    meaning: str


_NONE = float("nan")


def compare(
    real: VolumeSet, synthetic: VolumeSet, training: VolumeSet | None = None, progress: Progress = no_progress
) -> list[Figure]:
    """Every figure that the sets allow.

    Args:
        real: at least 2 scans kept out of training.
        synthetic: at least 2; both sets are brought to the coarser of their grids, the real ones' if they are alike.
        training: what was learnt from, for the distance to the nearest training scan; None leaves it out.
        progress: called as ``Progress`` says.

    Raises:
        TrainingDataError: a set is too small, or too coarse for the features.
    """
    for name, some in (("real", real), ("synthetic", synthetic)):
        if len(some) < 2:
            raise TrainingDataError(f"the {name} set has {len(some)} volume; comparing takes at least 2 of each")
    real, synthetic = on_one_grid(real, synthetic)
    progress("comparing", 0.0)
    figures = _similarity(real, synthetic)
    progress("comparing", 0.4)
    figures += _distances(real, synthetic)
    progress("comparing", 0.6)
    if training is not None:
        figures += _copies(real, synthetic, training.on_grid_of(real))
    progress("comparing", 0.7)
    figures += _tissues(real, synthetic)
    progress("comparing", 1.0)
    return figures


def on_one_grid(real: VolumeSet, synthetic: VolumeSet) -> tuple[VolumeSet, VolumeSet]:
    """Both sets on the coarser of their grids, the real ones' if they are alike."""
    coarser = synthetic if np.prod(synthetic.spacing_mm) > 1.01 * np.prod(real.spacing_mm) else real
    return real.on_grid_of(coarser), synthetic.on_grid_of(coarser)


def _similarity(real: VolumeSet, synthetic: VolumeSet) -> list[Figure]:
    made, kept = (float(similarity_within(s.images, _PAIRS).mean()) for s in (synthetic, real))
    meaning = "mean MS-SSIM of pairs inside each set: higher than the real set's means too little variety"
    return [Figure("ms-ssim within", made, kept, "", meaning)]


def _distances(real: VolumeSet, synthetic: VolumeSet) -> list[Figure]:
    try:
        described = feature_matrix(synthetic.images), feature_matrix(real.images)
    except ValueError as error:
        raise TrainingDataError(f"these volumes can't be compared: {error}") from error
    made, kept = principal_scores(*described, components=_COMPONENTS)
    scale = float(np.sqrt(np.trace(np.cov(kept, rowvar=False)))) or 1.0
    made, kept = made / scale, kept / scale
    space = f"{FEATURE_SPACE}, {made.shape[1]} principal components, the real set's total variance as unit"
    halves = _self_distance(kept)
    return [
        Figure("fid", frechet_distance(made, kept), halves, "", f"Fréchet distance ({space}); real: half against half"),
        Figure("mmd²", mmd2(made, kept), 0.0, "", f"Gaussian kernel, median width, unbiased ({space}); 0 for equal"),
    ]


def _self_distance(scores: Array) -> float:
    """The distance of the set's even members to its odd ones: what sets of this size reach without differing."""
    even, odd = scores[::2], scores[1::2]
    return frechet_distance(even, odd) if len(odd) > 1 else _NONE


def _copies(real: VolumeSet, synthetic: VolumeSet, training: VolumeSet) -> list[Figure]:
    near = nearest_neighbours(synthetic.images, training.images, real.images)
    made, kept = float(np.median(near.synthetic)), float(np.median(near.real))
    return [
        Figure("nearest neighbour", made, kept, "RMS", "median: synthetic to training; real to another real one"),
        Figure(
            "copies", 100 * near.copies, _NONE, "%", "nearer to a training scan than real ones typically to each other"
        ),
    ]


def _tissues(real: VolumeSet, synthetic: VolumeSet) -> list[Figure]:
    if max(float((s.images[0] == 0).mean()) for s in (real, synthetic)) < 0.2:  # no skull-stripped brain
        return []
    maps = [_maps(s) for s in (synthetic, real)]
    facts = [
        [tissue_facts(i, t, s.spacing_mm) for i, t in zip(s.images, m, strict=True)]
        for s, m in zip((synthetic, real), maps, strict=True)
    ]
    made, kept = facts
    figures = [
        Figure(f"{name} share", _mean(made, field, 100), _mean(kept, field, 100), "%", "of the brain, by segmentation")
        for name, field in (("white matter", "white"), ("grey matter", "grey"), ("csf", "csf"))
    ]
    figures.append(Figure("brain volume", _mean(made, "brain_ml"), _mean(kept, "brain_ml"), "ml", "inside the mask"))
    share = 100 * float(np.mean([accepted(f, kept) for f in made]))
    figures.append(Figure("accepted", share, 100.0, "%", "in which the segmentation finds a brain like the real ones"))
    return figures + _ageing(synthetic, maps[0], made)


def _maps(some: VolumeSet) -> list[Array]:
    return list(some.tissues) if some.tissues else [segment(image) for image in some.images]


def _mean(facts: Sequence[TissueFacts], field: str, factor: float = 1.0) -> float:
    return factor * float(np.mean([getattr(f, field) for f in facts]))


def _ageing(synthetic: VolumeSet, maps: Sequence[Array], facts: Sequence[TissueFacts]) -> list[Figure]:
    """Slopes over age, where the ages of the synthetic volumes are known and differ."""
    ages = synthetic.ages
    if len(ages) < 3 or not np.isfinite(ages).all() or np.ptp(ages) < 10:
        return []
    grey = [f.grey for f in facts]
    deep = [max(central_csf_ml(m[2], m.sum(axis=0), synthetic.spacing_mm), 1e-3) for m in maps]
    figures = []
    for name, values, tissue in (("grey matter", grey, "gm"), ("central csf", deep, "ventricles")):
        slope = age_slope(ages, values)
        published = float(np.mean([chart_ratio(tissue, sex, 80, 20) for sex in (0, 1)]))
        what = "share of the brain" if tissue == "gm" else "volume in the middle of the brain, nearly the ventricles"
        meaning = f"{what} at 80 over that at 20 years, log-linear; published median of {tissue} as real"
        figures.append(Figure(f"{name} 80/20", slope.ratio_80_to_20, published, "", meaning))
        change = 100 * (published ** (1 / 6) - 1)
        figures.append(Figure(f"{name} slope", 100 * slope.per_decade, change, "% per decade", "the same as a slope"))
    return figures


def write_figures(figures: Sequence[Figure], path: Path) -> None:
    """Write the rows as CSV.

    Raises:
        SaveError: they can't be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Figure)], lineterminator="\n")
    writer.writeheader()
    for figure in figures:
        writer.writerow({name: _text(value) for name, value in asdict(figure).items()})
    write_atomically(path, text.getvalue().encode())


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else f"{value:.6g}"
