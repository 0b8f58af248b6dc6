"""``synthview reconstruct``: a real scan, encoded and decoded again by a checkpoint that has an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import (
    Arguments,
    AsJson,
    Checkpoint,
    Device,
    Family,
    parse_numbers,
    parse_pairs,
    print_json,
    progress_line,
)
from synthview.errors import WrongRequestError


def reconstruct(  # noqa: PLR0917  (typer: one parameter for each option)
    checkpoint: Checkpoint,
    scan: Annotated[Path, typer.Argument(help="A NIfTI file, a DICOM slice, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="NIfTI file for the reconstruction.")],
    prepared: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also save the scan as the encoder saw it, on the same grid.")
    ] = None,
    features: Annotated[
        list[str], typer.Option("--set", metavar="NAME=NUMBER", help="A conditioning input, such as age=72.")
    ] = [],  # noqa: B006
    family: Family = None,
    arg: Arguments = [],  # noqa: B006
    device: Device = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of the same names.")] = False,
    as_json: AsJson = False,
) -> None:
    """Encode a real scan and decode it again; save what comes out, in the scan's place and unit."""
    if not scan.exists():
        raise WrongRequestError(f"the scan {scan} does not exist; correct its path")
    for path in filter(None, (out, prepared)):
        if path.exists() and not overwrite:
            raise WrongRequestError(f"{path} is there already; choose another name, or say --overwrite")
    values, arguments = parse_numbers(features, "--set"), parse_pairs(arg, "--arg")
    from synthview.generators.loading import open_generator
    from synthview.volume.dicom import read_volume

    volume = read_volume(scan)
    generator = open_generator(checkpoint, arguments, device, family)
    found = generator.reconstruct(volume, values, progress_line("reconstructing"))
    found.volume.save(out)
    if prepared is not None:
        found.prepared.save(prepared)
    if as_json:
        print_json({"reconstruction": str(out), "prepared": None if prepared is None else str(prepared)})
    else:
        typer.echo(out)
