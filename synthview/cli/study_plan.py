"""``synthview study plan``: how many pairs and readers a study needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthview.cli.shared import AsJson, print_json, progress_line
from synthview.errors import WrongRequestError

if TYPE_CHECKING:
    from synthview.study.statistics.planning import Design, Power

_MOST_PAIRS = 400


def plan(
    *,
    share: Annotated[
        float | None, typer.Option(help="The share to be told from 0.5, such as 0.6; the pilot's if left out.")
    ] = None,
    pilot: Annotated[Path | None, typer.Option(help="Votes of a pilot (CSV), for share and ICCs.")] = None,
    section: Annotated[str | None, typer.Option(help="The pilot's section, where there are several.")] = None,
    icc_pair: Annotated[float | None, typer.Option(help="Correlation of votes on the same pair [0.1].")] = None,
    icc_reader: Annotated[float | None, typer.Option(help="Correlation of votes of the same reader [0.02].")] = None,
    power: Annotated[float, typer.Option(help="Wanted power.")] = 0.8,
    readers: Annotated[list[int], typer.Option(help="A number of readers to plan for; may be given again.")] = [  # noqa: B006
        3,
        4,
        6,
        8,
        12,
        20,
    ],
    as_json: AsJson = False,
) -> None:
    """Number of pairs for a wanted power, for several numbers of readers, by simulating whole studies."""
    from synthview.study.statistics.planning import plan as plan_pairs

    design = _design(share, pilot, section, {"icc_pair": icc_pair, "icc_reader": icc_reader})
    found = plan_pairs(design, power, readers, _MOST_PAIRS, progress=progress_line("simulating"))
    if as_json:
        print_json(
            {
                "share": design.share, "icc_pair": design.icc_pair, "icc_reader": design.icc_reader, "power": power,
                "plans": [_facts(number, one) for number, one in zip(readers, found, strict=True)],
            }
        )  # fmt: skip
        return
    for number, one in zip(readers, found, strict=True):
        typer.echo(one.sentence if one else f"With {number} readers {_MOST_PAIRS} pairs are not enough.")


def _design(share: float | None, pilot: Path | None, section: str | None, iccs: dict[str, float | None]) -> Design:
    """What to simulate: from the pilot, and what is given goes before it."""
    from dataclasses import replace

    from synthview.study.statistics.pilot import pilot_of
    from synthview.study.statistics.planning import Design

    given = {name: value for name, value in iccs.items() if value is not None}
    if pilot is not None:
        design = pilot_of(pilot, section)
        return replace(
            design,
            share=design.share if share is None else share,
            icc_pair=given.get("icc_pair", design.icc_pair),
            icc_reader=given.get("icc_reader", design.icc_reader),
        )
    if share is None:
        raise WrongRequestError("give --share (such as 0.6), or --pilot with the votes of a pilot")
    return Design(2, 2, share, given.get("icc_pair", 0.1), given.get("icc_reader", 0.02))


def _facts(readers: int, found: Power | None) -> dict[str, object]:
    if found is None:
        return {"readers": readers, "pairs": None, "power": None, "sentence": f"{_MOST_PAIRS} pairs are not enough."}
    low, high = found.found.wilson()
    return {
        "readers": readers, "pairs": found.design.pairs, "power": found.found.share, "power_low": low,
        "power_high": high, "sentence": found.sentence,
    }  # fmt: skip
