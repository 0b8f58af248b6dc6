"""``synthview evaluate``: a set of synthetic volumes against real ones, in figures."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import AsJson, make_folder, print_json
from synthview.cli.train_data import progress


def evaluate(  # noqa: PLR0917  (typer: one parameter for each option)
    real: Annotated[Path, typer.Option(help="Folder with NIfTI files, or a training set such as SET/held_out.")],
    synthetic: Annotated[Path, typer.Option(help="Folder with the volumes to be judged.")],
    out: Annotated[Path, typer.Option(help="CSV file for the figures.")],
    training: Annotated[
        Path | None, typer.Option(help="What the generator was trained on: looks for copies in the synthetic set.")
    ] = None,
    limit: Annotated[int, typer.Option(min=2, help="Volumes of a set at most; of more, so many evenly.")] = 200,
    sheet: Annotated[
        Path | None, typer.Option(help="PNG file for a picture of 16 volumes of each set, side by side.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare synthetic with real volumes: variety, distance, copies, tissues, ageing; one row a figure."""
    from synthview.training.data.comparison import compare, write_figures
    from synthview.training.data.side_by_side import save_side_by_side
    from synthview.training.data.volumes import read_volumes

    made = read_volumes(synthetic, limit)
    maps = bool(made.tissues)
    kept = read_volumes(real, limit, tissue_maps=maps)
    learnt = read_volumes(training, limit, tissue_maps=maps) if training else None
    for file in filter(None, (out, sheet)):
        make_folder(file.parent)
    if sheet:
        save_side_by_side(kept, made, sheet)
    figures = compare(kept, made, learnt, progress())
    write_figures(figures, out)
    if as_json:
        rows = [asdict(figure) for figure in figures]
        for row in rows:
            row["real"] = None if math.isnan(row["real"]) else row["real"]
        files = {"file": str(out), "sheet": str(sheet) if sheet else None}
        print_json({"real": len(kept), "synthetic": len(made), "figures": rows, **files})
        return
    typer.echo(
        f"{len(made)} synthetic against {len(kept)} real volumes, {', '.join(str(f) for f in (out, sheet) if f)}"
    )
    for figure in figures:
        values = [f"{v:>10.4g}" if not math.isnan(v) else " " * 10 for v in (figure.synthetic, figure.real)]
        typer.echo(f"{figure.name:<20}{values[0]}{values[1]}  {figure.unit:<13}{figure.meaning}")
