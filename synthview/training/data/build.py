"""Builds whole training sets: step by step, resumable, the same bytes for the same options."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthview.training.data.individual import Individual, IndividualOptions
from synthview.training.data.label_maps import LabelOptions, LabelSimulation
from synthview.training.data.population import Population, PopulationOptions
from synthview.training.data.steps import Arrays, Progress, Steps, no_progress
from synthview.training.data.warping import Grid
from synthview.training.data.writing import BUILDER_VERSION, remove_folder, row_of, write_set
from synthview.training.dataset import HELD_OUT, SCANS, Column, Description, TrainingSet
from synthview.volume import VolumeKind

STEPS = "steps"  # folder of finished steps inside the training set's


@dataclass(frozen=True)
class Origin:
    """Where scans come from and on what terms.

    Attributes:
        sources: who made them, one sentence each.
        licence: of what is trained on them.
        noncommercial: whether it forbids commercial use.
    """

    sources: tuple[str, ...]
    licence: str
    noncommercial: bool


def _column(name: str, label: str, unit: str = "", categories: tuple[str, ...] = ()) -> Column:
    return Column(name, label, unit, 0, 0, 0, 0, categories)


VOLUME_COLUMNS = (
    _column("icv_ml", "brain size", "ml"),
    _column("gm_ml", "grey matter volume", "ml"),
    _column("wm_ml", "white matter volume", "ml"),
    _column("csf_ml", "CSF volume inside the brain mask", "ml"),
    _column("brain_ml", "brain", "ml"),
    _column("ventricles_ml", "ventricles", "ml"),
)
PERSON_COLUMNS = (_column("age", "age", "years"), _column("sex", "sex", "", ("male", "female")), *VOLUME_COLUMNS)
COGNITION = _column("cognition", "MMSE", "points")


def build_population(
    scans: Path,
    template: Path,
    out: Path,
    options: PopulationOptions,
    *,
    origin: Origin,
    progress: Progress = no_progress,
    keep_steps: bool = False,
) -> TrainingSet:
    """Build a training set of new people (``population``) with the real ones that were kept out, and those warped.

    Args:
        scans: folder with scans, tissue maps and participants.tsv.
        template: folder with the MNI152 template.
        out: folder of the training set; what an interrupted build finished there is used.
        options: what is wanted.
        origin: of the scans.
        progress: called as ``Progress`` says.
        keep_steps: leave the finished steps (registrations, samples) in ``out/steps`` for a later, larger set.
    """
    steps = Steps(out / STEPS)
    population = Population(scans, template, options, steps, progress)
    about = _description(
        out.name,
        options.grid,
        origin,
        _built("population", options.said(), population.key),
        kind=VolumeKind.T1W,
        meaning="skull-stripped T1w intensity; median white matter is near 170, 0 is background",
    )
    real = _made(population.held_out, population.real, "preparing held-out scans", progress)
    _write(out / HELD_OUT, about, PERSON_COLUMNS, real)
    warped = _made(population.lenders, population.real, "preparing the scans that are warped", progress)
    _write(out / SCANS, about, PERSON_COLUMNS, warped)
    about = replace(about, codes=population.code_names)
    samples = _made(range(options.count), population.sample, "making people", progress)
    _write(out, about, (*PERSON_COLUMNS, COGNITION), samples)
    return _finished(out, steps, keep_steps=keep_steps)


def build_individual(
    scan: Path,
    mask: Path | None,
    out: Path,
    options: IndividualOptions,
    *,
    origin: Origin,
    progress: Progress = no_progress,
    keep_steps: bool = False,
) -> TrainingSet:
    """Build a training set of warps of one scan (``individual``); arguments as in ``build_population``."""
    steps = Steps(out / STEPS)
    individual = Individual(scan, mask, options, steps)
    unit = "HU" if options.kind is VolumeKind.CT else ""
    low, high = individual.intercept, individual.intercept + 255 * individual.slope
    about = replace(
        _description(
            out.name,
            individual.grid,
            origin,
            _built("individual", options.said(), individual.key),
            kind=options.kind,
            meaning=f"{low:g} to {high:g}{' ' + unit if unit else ''} stored as 0 to 255",
        ),
        slope=individual.slope,
        intercept=individual.intercept,
        unit=unit,
        window=(low, high),
        one_individual=True,
    )
    _write(out, about, (), _made(range(options.count), individual.sample, "warping", progress))
    return _finished(out, steps, keep_steps=keep_steps)


def build_labels(
    maps: Path,
    template: Path,
    out: Path,
    options: LabelOptions,
    *,
    origin: Origin,
    progress: Progress = no_progress,
    keep_steps: bool = False,
) -> TrainingSet:
    """Build a training set simulated from label maps (``label_maps``); arguments as in ``build_population``."""
    steps = Steps(out / STEPS)
    simulation = LabelSimulation(maps, template, options, steps, progress)
    about = _description(
        out.name,
        options.grid,
        origin,
        _built("labels", options.said(), simulation.key),
        kind=VolumeKind.T1W,
        meaning="simulated T1w intensity of the brain; white matter is near 170, 0 is background",
    )
    samples = _made(range(options.count), simulation.sample, "simulating", progress)
    _write(out, about, VOLUME_COLUMNS, samples)
    return _finished(out, steps, keep_steps=keep_steps)


def _made(which: Iterable[Any], make: Callable[[Any], Arrays], step: str, progress: Progress) -> list[Arrays]:
    these, made = list(which), []
    for number, one in enumerate(these):
        progress(step, number / max(1, len(these)))
        made.append(make(one))
    progress(step, 1.0)
    return made


def _write(folder: Path, about: Description, columns: tuple[Column, ...], samples: list[Arrays]) -> None:
    if samples:
        write_set(folder, about, columns, [row_of(s) for s in samples], samples)


def _finished(out: Path, steps: Steps, *, keep_steps: bool) -> TrainingSet:
    built = TrainingSet.open(out)
    if not keep_steps:
        remove_folder(steps.folder)
    return built


def _built(method: str, options: dict[str, Any], key: str) -> dict[str, Any]:
    return {"builder": BUILDER_VERSION, "method": method, "seed": options["seed"], "options": options, "key": key}


def _description(
    name: str, grid: Grid, origin: Origin, built: dict[str, Any], *, kind: VolumeKind, meaning: str
) -> Description:
    """Of a set whose values are stored as they are, from 0 to 255."""
    return Description(
        name=name,
        shape=grid.shape,
        spacing_mm=(grid.spacing_mm,) * 3,
        affine=tuple(tuple(float(x) for x in row) for row in grid.affine),
        kind=kind,
        meaning=meaning,
        slope=1.0,
        intercept=0.0,
        unit="",
        window=(0.0, 255.0),
        licence=origin.licence,
        noncommercial=origin.noncommercial,
        one_individual=False,
        sources=origin.sources,
        count=0,
        columns=(),
        built=built,
    )
