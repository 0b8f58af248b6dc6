"""``synthview generate``: volumes into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import (
    Arguments,
    AsJson,
    Checkpoint,
    Device,
    Dtype,
    Family,
    Trust,
    existing_file,
    parse_pairs,
    parse_spreads,
    print_json,
    progress_line,
)


def generate(  # noqa: PLR0917  (typer: one parameter for each option)
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Option(help="Folder for the volumes; made if it isn't there.")],
    count: Annotated[
        int | None, typer.Option("-n", "--count", min=1, help="Number of volumes; 1, or the rows of --table.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first; each next one has the next seed.")] = 0,
    truncation: Annotated[float, typer.Option(min=0.0, help="Factor on the latents; 1 is as trained.")] = 1.0,
    features: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=NUMBER",
            help="A conditioning input, such as age=72; age=20:90 goes evenly from 20 to 90 over the volumes.",
        ),
    ] = [],  # noqa: B006
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Conditioning inputs of each volume: a CSV or TSV file, such as a participants.tsv."
        ),
    ] = None,
    family: Family = None,
    arg: Arguments = [],  # noqa: B006
    device: Device = "auto",
    dtype: Dtype = "auto",
    trust: Trust = False,
    like: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A scan whose place (affine) the volumes take; for SigmaRat, as published."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of the same names.")] = False,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Compute on this Dask scheduler, such as tcp://node1:8786.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make volumes from consecutive seeds and save them as NIfTI files that say how they were made."""
    arguments = parse_pairs(arg, "--arg")
    from synthview.generators.checkpoint import checkpoint_sha256
    from synthview.generators.info import Placement
    from synthview.generators.loading import find_checkpoint
    from synthview.jobs.batches import Batch, run_batch
    from synthview.volume import load_volume

    place = None if like is None else Placement.of(load_volume(existing_file(like, "the original")))
    path = find_checkpoint(checkpoint).absolute()
    sha256 = checkpoint_sha256(path)
    people = {} if table is None else _people(table, path, family, arguments, count)
    count = count or max(map(len, people.values()), default=1)
    values = {**people, **parse_spreads(features, "--set", count)}
    batch = Batch(
        str(path), sha256, count, seed, truncation, values, device, family, arguments, trust, like=place, dtype=dtype
    )
    files = run_batch(batch, out, overwrite=overwrite, dask=dask, progress=progress_line("generating"))
    if as_json:
        made = [{"seed": s, "file": str(f)} for s, f in zip(batch.seeds, files, strict=True)]
        print_json({"checkpoint": str(path), "sha256": sha256, "volumes": made})
        return
    for file in files:
        typer.echo(file)


def _people(
    table: Path, checkpoint: Path, family: str | None, arguments: dict[str, str], count: int | None
) -> dict[str, tuple[float, ...]]:
    from synthview.generators.loading import inspect_checkpoint
    from synthview.jobs.feature_table import read_feature_table

    known = inspect_checkpoint(checkpoint, family, arguments).info.features
    return read_feature_table(existing_file(table, "the table"), known, count)
