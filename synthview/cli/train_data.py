"""``synthview train-data``: build a training set from real scans."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthview.cli.shared import AsJson, print_facts, print_json, size_text
from synthview.errors import WrongRequestError

if TYPE_CHECKING:
    from synthview.training.data.build import Origin
    from synthview.training.dataset import TrainingSet

app = typer.Typer(
    name="train-data",
    help="""Build a training set from scans in a folder you name.

An interrupted build goes on where it was when the same command is given again; the same seed gives the same bytes.""",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Option(help="Folder of the training set; made if it isn't there.")]
Template = Annotated[
    Path, typer.Option(help="Folder of MNI152: mni152_2009a_t1.nii.gz, mni152_2009a_gm.nii.gz, mni152_2009a_wm.nii.gz.")
]
Count = Annotated[int, typer.Option("-n", "--count", min=1, help="Number of samples.")]
Seed = Annotated[int, typer.Option(min=0, help="Of everything drawn.")]
Shape = Annotated[str, typer.Option(metavar="I,J,K", help="Voxels to the right, to the front and upwards.")]
Spacing = Annotated[float, typer.Option("--spacing", min=0.01, help="Millimetres per voxel.")]
Licence = Annotated[str, typer.Option(help="Licence of the scans, which goes on to what is trained on them.")]
Noncommercial = Annotated[bool, typer.Option("--noncommercial", help="That licence forbids commercial use.")]
Sources = Annotated[list[str], typer.Option("--source", help="Who made the scans, as they want it; may be repeated.")]
KeepSteps = Annotated[
    bool, typer.Option("--keep-steps", help="Keep registrations and samples, for a larger set of the same kind later.")
]


@app.command()
def population(  # noqa: PLR0917  (typer: one parameter for each option)
    scans: Annotated[
        Path, typer.Option("--from", help="Folder with participants.tsv, NAME_T1w.nii.gz and NAME_tissues.nii.gz.")
    ],
    template: Template,
    out: Out,
    licence: Licence,
    noncommercial: Noncommercial = False,
    source: Sources = [],  # noqa: B006
    count: Count = 300,
    seed: Seed = 0,
    shape: Shape = "80,96,80",
    spacing: Spacing = 2.0,
    ages: Annotated[str, typer.Option(metavar="LOW,HIGH", help="Youngest and oldest, in years.")] = "18,90",
    hold_out: Annotated[
        list[str], typer.Option("--hold-out", help="A scan or subject to keep out of everything; may be repeated.")
    ] = [],  # noqa: B006
    hold_out_count: Annotated[int, typer.Option(min=0, help="How many to keep out where none is named.")] = 5,
    textures: Annotated[
        int, typer.Option(min=0, help="Brains whose scans are warped, at most, spread over the ages; 0: everyone's.")
    ] = 0,
    mirror: Annotated[
        bool, typer.Option(help="Make every other one a mirror image; a generator has twice the folds to learn then.")
    ] = True,
    fast: Annotated[bool, typer.Option("--fast", help="Register and warp on a 4 mm grid instead of 2 mm.")] = False,
    keep_steps: KeepSteps = False,
    as_json: AsJson = False,
) -> None:
    """New people: real brains, T1w and tissue map, warped into new shapes of any age.

    Scans are registered to MNI152, their shapes regressed on age and sex; grey matter, white matter and ventricles of
    the new people follow published curves.  Real scans are prepared likewise, those kept out in OUT/held_out, those
    that are warped in OUT/scans.
    """
    from synthview.training.data.build import build_population
    from synthview.training.data.population import PopulationOptions

    low, high = _numbers(ages, 2, "--ages")
    options = PopulationOptions(
        count,
        seed,
        _shape(shape),
        spacing,
        (low, high),
        tuple(hold_out),
        hold_out_count,
        textures,
        mirror,
        field_mm=4.0 if fast else 2.0,
    )
    built = build_population(
        scans,
        template,
        out,
        options,
        origin=_origin(licence, noncommercial, source),
        progress=progress(),
        keep_steps=keep_steps,
    )
    _report(built, as_json)


@app.command()
def labels(  # noqa: PLR0917
    maps: Annotated[Path, typer.Option("--from", help="Folder with labels_*.nii.gz and labels.tsv.")],
    template: Template,
    out: Out,
    licence: Licence,
    noncommercial: Noncommercial = False,
    source: Sources = [],  # noqa: B006
    count: Count = 200,
    seed: Seed = 0,
    shape: Shape = "80,96,80",
    spacing: Spacing = 2.0,
    keep_steps: KeepSteps = False,
    as_json: AsJson = False,
) -> None:
    """Simulated brains: label maps with grey values drawn from priors, so that no scan's terms apply."""
    from synthview.training.data.build import build_labels
    from synthview.training.data.label_maps import LabelOptions

    options, origin = LabelOptions(count, seed, _shape(shape), spacing), _origin(licence, noncommercial, source)
    built = build_labels(maps, template, out, options, origin=origin, progress=progress(), keep_steps=keep_steps)
    _report(built, as_json)


@app.command()
def individual(  # noqa: PLR0917
    scan: Annotated[Path, typer.Option("--from", help="NIfTI file of the scan.")],
    out: Out,
    licence: Licence,
    kind: Annotated[str, typer.Option(help="What was scanned: T1w, T2w, T2*w or CT.")],
    mask: Annotated[Path | None, typer.Option(help="NIfTI file, above 0 in the organ; all else becomes 0.")] = None,
    noncommercial: Noncommercial = False,
    source: Sources = [],  # noqa: B006
    count: Count = 200,
    seed: Seed = 0,
    shape: Shape = "64,64,40",
    spacing: Spacing = 0.45,
    window: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="Values stored as 0 and 255; of the scan if left out.")
    ] = None,
    numbers: Annotated[
        int, typer.Option(min=6, help="How many numbers decide a sample: sizes, turns and smooth warps.")
    ] = 16,
    keep_steps: KeepSteps = False,
    as_json: AsJson = False,
) -> None:
    """One individual in many proportions: smooth random warps of a single scan, for trying the tools."""
    from synthview.training.data.build import build_individual
    from synthview.training.data.individual import IndividualOptions
    from synthview.volume import VolumeKind

    kinds = {str(k): k for k in (VolumeKind.T1W, VolumeKind.T2W, VolumeKind.T2_STAR, VolumeKind.CT)}
    if kind not in kinds:
        raise WrongRequestError(f"--kind {kind} is not one of {', '.join(kinds)}")
    limits = _numbers(window, 2, "--window") if window else None
    options = IndividualOptions(
        count,
        seed,
        _shape(shape),
        spacing,
        kinds[kind],
        window=(limits[0], limits[1]) if limits else None,
        numbers=numbers,
    )
    origin = _origin(licence, noncommercial, source)
    built = build_individual(scan, mask, out, options, origin=origin, progress=progress(), keep_steps=keep_steps)
    _report(built, as_json)


def progress() -> Callable[[str, float], None]:
    """A callback that keeps one line on stderr up to date where somebody looks at it."""

    def show(step: str, fraction: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{step} {fraction:4.0%}" if fraction < 1 else "\r\033[K")
            sys.stderr.flush()

    return show


def _origin(licence: str, noncommercial: bool, sources: list[str]) -> Origin:
    from synthview.training.data.build import Origin

    return Origin(tuple(sources), licence, noncommercial)


def _shape(text: str) -> tuple[int, int, int]:
    i, j, k = (int(n) for n in _numbers(text, 3, "--shape"))
    if min(i, j, k) < 8 or max(i, j, k) > 512:
        raise WrongRequestError(f"--shape {text}: each side takes 8 to 512 voxels")
    return i, j, k


def _numbers(text: str, count: int, option: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise WrongRequestError(f"{option} {text} should be {count} numbers with commas between")
    return numbers


def _report(built: TrainingSet, as_json: bool) -> None:
    about, held_out = built.about, built.held_out
    facts: dict[str, Any] = {
        "folder": str(built.folder),
        "samples": about.count,
        "held out": len(held_out) if held_out else 0,
        "shape": list(about.shape),
        "spacing_mm": about.spacing_mm[0],
        "licence": about.licence,
    }
    if as_json:
        print_json({**facts, "columns": [column.name for column in about.columns], "key": about.built["key"]})
        return
    print_facts({name: size_text(v) if isinstance(v, list) else str(v) for name, v in facts.items()})
