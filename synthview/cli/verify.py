"""``synthview verify``: make a volume again from its provenance, and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthview.cli.shared import AsJson, Trust, print_facts, print_json, progress_line


def verify(  # noqa: PLR0917  (typer: one parameter for each option)
    file: Annotated[Path, typer.Argument(help="A NIfTI file that synthview made.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="What it was made from; searched for where it is likely to be if left out.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where to compute; as recorded if left out.")] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0.0, help="Largest difference allowed, in the volume's unit [1e-4 of its range; HU: 1]."),
    ] = None,
    trust: Trust = False,
    as_json: AsJson = False,
) -> None:
    """Make a volume again and compare: exit status 0 if it is equal or within the tolerance, 1 if it isn't."""
    from synthview.generators.verification import verify_file

    found = verify_file(file, checkpoint, device, tolerance, progress_line("generating"), trust=trust)
    if as_json:
        print_json(found.to_dict())
    else:
        facts = {
            "file": found.path,
            "checkpoint": found.checkpoint,
            "bitwise equal": "yes" if found.bitwise_equal else "no",
            "largest difference": f"{found.max_abs_difference:g} (allowed: {found.tolerance:g})",
        }
        facts |= {
            name: f"{here} here, {recorded} when it was made" for name, (recorded, here) in found.differing.items()
        }
        print_facts(facts)
    if not found.reproduced:
        from synthview.errors import VerificationError

        raise VerificationError(
            f"{file} was not reproduced: the largest difference is {found.max_abs_difference:g}, more than the "
            f"{found.tolerance:g} allowed"
        )
