"""``synthview train``: a generator from a training set, or from a run's folder to a generator that ships."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from synthview.cli.shared import AsJson, print_json

_HELP = """Train a generator, or export what a training made.

synthview train RECIPE --data FOLDER --out RUN   begins a training, or goes on with it
synthview train export RUN --out weights/NAME    writes it as a generator
synthview train pack RUN --out FOLDER            into pieces for another machine, and back with unpack
synthview train recipes                          lists the recipes that come along"""


class _RecipeOrCommand(TyperGroup):
    """``synthview train RECIPE`` is short for ``synthview train run RECIPE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help=_HELP, cls=_RecipeOrCommand, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)

Run = Annotated[Path, typer.Argument(help="Folder of a training.")]


@app.command("run")
def run(  # noqa: PLR0917  (typer: one parameter for each option)
    recipe: Annotated[str, typer.Argument(help="Recipe file, or name of one that comes along.")],
    data: Annotated[
        Path | None, typer.Option(help="Training set (synthview train-data); needed once, to begin.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the training; by default runs/ and the recipe's name.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many minutes; run it again to go on.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(help="Folder of a training, or a generator, with whose weights a new one begins, where they fit."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train, or go on with a training that was stopped."""
    from synthview.training.recipe import load_recipe
    from synthview.training.run import train

    read = load_recipe(recipe)
    folder = out or Path("runs") / read.name
    heard = None if as_json else _report
    outcome = train(read, data, folder, device=device, minutes=minutes, start_from=start_from, report=heard)
    if as_json:
        print_json({"run": str(folder), "step": outcome.step, "steps": outcome.steps, "reason": outcome.reason})
        return
    typer.echo(f"{folder}: {outcome.step} of {outcome.steps} steps ({outcome.reason})")


@app.command("export")
def export(
    run: Run,
    out: Annotated[Path, typer.Option(help="Folder for the generator, named as it is to be called.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a generator that is there.")] = False,
) -> None:
    """Write a training's averaged weights as a generator: weights, manifest, model card."""
    from synthview.training.export import export_run

    typer.echo(export_run(run, out, overwrite=overwrite))


@app.command("pack")
def pack(
    run: Run,
    out: Annotated[Path, typer.Option(help="Folder for the pieces.")],
    light: Annotated[bool, typer.Option("--light", help="Averages in float16, no optimisers: an eighth.")] = False,
) -> None:
    """Put a training into pieces of at most 16 MiB, to carry it to another machine."""
    from synthview.training.pieces import pack_run

    for piece in pack_run(run, out, light=light):
        typer.echo(piece)


@app.command("unpack")
def unpack(
    pieces: Annotated[Path, typer.Argument(help="Folder with the pieces.")],
    out: Annotated[Path, typer.Option(help="Folder for the training; must not be one yet.")],
) -> None:
    """Put a training together again from pieces; go on with --data, as the training set may lie elsewhere now."""
    from synthview.training.pieces import unpack_run

    typer.echo(unpack_run(pieces, out))


@app.command("recipes")
def recipes(as_json: AsJson = False) -> None:
    """List the recipes that come with synthview."""
    from synthview.training.recipe import bundled_recipes, load_recipe

    found = [load_recipe(path) for path in bundled_recipes().values()]
    if as_json:
        print_json([{"name": r.name, "title": r.title, "method": r.method, "family": r.family} for r in found])
        return
    for each in found:
        typer.echo(f"{each.name:<24}  {each.title}")


def _report(step: int, steps: int, losses: dict[str, float]) -> None:
    figures = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
    end = "\r" if sys.stderr.isatty() and step < steps else "\n"
    sys.stderr.write(f"{step}/{steps}  {figures}{end}")
    sys.stderr.flush()
