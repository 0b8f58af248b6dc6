"""``synthview study demo``: a short study to try the reading screen with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import Device, progress_line
from synthview.cli.study_read import OpenReading


def demo(
    *,
    real: Annotated[Path | None, typer.Option(help="A folder of real scans, to be told from synthetic ones.")] = None,
    device: Device = "auto",
    make_only: Annotated[bool, typer.Option("--make-only", help="Make it, and say where it is.")] = False,
) -> OpenReading | None:
    """Make the demo study on first use, and open it for reading."""
    from synthview.jobs.demo_study import demo_study

    folder, reader = demo_study(real, progress_line("making the demo study"), device=device)
    if make_only:
        typer.echo(str(folder))
        return None
    return OpenReading(folder, reader)
