"""``synthview study demo``: a short study to try the reading screen with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import Device, progress_line
from synthview.cli.study_read import OpenReading
from synthview.errors import Cancelled, WrongRequestError


def demo(
    *,
    real: Annotated[Path | None, typer.Option(help="A folder of real scans, to be told from synthetic ones.")] = None,
    download: Annotated[
        Path | None, typer.Option(metavar="LIST", help="A scan list (docs/studies.md): download these real scans.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Download without asking; the licence is shown all the same.")] = (
        False
    ),
    device: Device = "auto",
    make_only: Annotated[bool, typer.Option("--make-only", help="Make it, and say where it is.")] = False,
) -> OpenReading | None:
    """Make the demo study on first use, and open it for reading."""
    from synthview.jobs.demo_study import demo_study

    if real is not None and download is not None:
        raise WrongRequestError("--real and --download both name real scans; give one of them")
    if download is not None:
        real = _downloaded(download, yes=yes)
    folder, reader = demo_study(real, progress_line("making the demo study"), device=device)
    if make_only:
        typer.echo(str(folder))
        return None
    return OpenReading(folder, reader)


def _downloaded(path: Path, *, yes: bool) -> Path:
    """The folder of a list's scans, after the user has seen their licence and agreed."""
    from synthview.jobs.scan_download import download_scans, missing_scans, scan_folder
    from synthview.study.demo import demo_scan_list

    scans = demo_scan_list(path)
    folder = scan_folder(scans)
    for name, value in {**scans.facts(), "Folder": str(folder)}.items():
        typer.echo(f"{name + ':':<10} {value}", err=True)
    if missing_scans(scans, folder) and not yes:
        if not sys.stdin.isatty():
            raise WrongRequestError("nobody is there to agree to the licence above; give --yes to download the scans")
        if not typer.confirm("Download them under this licence?", err=True):
            raise Cancelled
    return download_scans(scans, progress_line("downloading the scans"))
