"""``synthview study run``: a reader's session, in the window or by a simulated reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthview.cli.study_passphrase import PassphraseFile, passphrase
from synthview.errors import WrongRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synthview.study.study_folder import StudyFolder


@dataclass(frozen=True)
class OpenReading:
    """What ``run`` hands back to ``cli.main``, which alone may open the window.

    Attributes:
        path: a study's folder or a reader's bundle.
        reader: who reads; empty to ask.
    """

    path: Path
    reader: str


def run(
    path: Annotated[Path, typer.Argument(help="A study's folder, or a reader's bundle.")],
    *,
    reader: Annotated[str, typer.Option(help="Who reads; asked if left out.")] = "",
    simulate: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Let simulated readers answer, right with this probability."),
    ] = None,
    reader_sd: Annotated[float, typer.Option(min=0.0, help="Spread of simulated readers (logit).")] = 0.0,
    item_sd: Annotated[float, typer.Option(min=0.0, help="Spread of pairs or stimuli (logit).")] = 0.0,
    left_bias: Annotated[float, typer.Option(min=0.0, max=1.0, help="How often they say left without a look.")] = 0.0,
    prefers: Annotated[str, typer.Option(help="The synthetic arm that they prefer.")] = "",
    seed: Annotated[int, typer.Option(help="Of the simulated answers.")] = 0,
    passphrase_file: PassphraseFile = None,
) -> OpenReading | None:
    """Open the reading screen; or, with --simulate, let simulated readers walk the sessions that nobody has begun."""
    if simulate is None:
        if not path.exists():
            raise WrongRequestError(f"{path} is not there; choose a study's folder or a reader's bundle")
        return OpenReading(path, reader)
    from synthview.study.simulated import Behaviour
    from synthview.study.simulated import simulate as walk
    from synthview.study.study_folder import StudyFolder

    behaviour = Behaviour(simulate, reader_sd, item_sd, left_bias, prefers, seed)
    with StudyFolder.open(path) as study:
        key = study.key(passphrase(passphrase_file))
        for name in _who(study, reader):
            typer.echo(f"{name}: {walk(study, name, behaviour, key)} trials answered")
    return None


def _who(study: StudyFolder, reader: str) -> Sequence[str]:
    """The reader asked for, or everybody whom nobody has begun to read as."""
    from synthview.study.standing import Standing, standing

    if reader:
        return [reader]
    found = [name for name in study.store.readers if standing(study, name) is Standing.NEW]
    if not found:
        raise WrongRequestError("every reader has begun already; there is nobody left to simulate")
    return found
