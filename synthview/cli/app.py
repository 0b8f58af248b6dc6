"""The commands, gathered.  To add one: a file beside this with a function, a line here, its name in main.py."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from synthview.cli.decode import decode
from synthview.cli.describe import describe
from synthview.cli.evaluate import evaluate
from synthview.cli.generate import generate
from synthview.cli.inspect import inspect
from synthview.cli.reconstruct import reconstruct
from synthview.cli.study import study
from synthview.cli.train import app as train
from synthview.cli.train_data import app as train_data
from synthview.cli.verify import verify

_HELP = """Open a generator checkpoint, make synthetic 3D medical images, look at them.

synthview [FILE]... opens the window, with these volumes or checkpoints in it."""

app = typer.Typer(
    name="synthview",
    help=_HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    subcommand_metavar="[FILE]... | COMMAND [ARGS]...",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"synthview {version('synthview')}")
        raise typer.Exit


@app.callback(help=_HELP)
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """Options before any command."""


for command in (inspect, describe, decode, generate, reconstruct, verify, evaluate):
    app.command()(command)
app.add_typer(study)
app.add_typer(train, name="train")
app.add_typer(train_data, name="train-data")
