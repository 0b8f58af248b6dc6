"""Which of several sets of weights in one file to take: averaged or raw ones, this network or that one.

The argument ``weights`` says so, for every family: ``ema`` (averaged while training), ``raw``, or where the network
lies in the file, such as ``netG``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from synthview.errors import WrongRequestError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.info import Setting
from synthview.generators.state_dicts import Tensors, is_average, networks_within
from synthview.generators.wording import brief, listed

WEIGHTS = "weights"
AVERAGED, RAW = "ema", "raw"


@dataclass(frozen=True)
class Chosen:
    """A checkpoint less the weights that are not to be used.

    Attributes:
        checkpoint: with the parts that are left.
        value: what the argument ``weights`` is then; None where there was no choice.
        note: what is to be said of it; empty where the user chose.
    """

    checkpoint: Checkpoint
    value: str | None = None
    note: str = ""


def choose_weights(checkpoint: Checkpoint, asked: Any = None) -> Chosen:
    """Take averaged weights unless the raw ones, or those at another place, are asked for.

    Raises:
        WrongRequestError: there are no such weights; says what there is.
    """
    parts = checkpoint.parts
    averaged, twins = _averaged(parts)
    if asked is None or asked == AVERAGED:
        if not averaged and asked is not None:
            raise WrongRequestError(
                f"{checkpoint.path} has no averaged weights (EMA), only {_places(parts)}; leave weights out"
            )
        if not twins:
            return Chosen(checkpoint, AVERAGED if asked else None)
        note = (
            f"The file holds averaged (EMA) and raw weights; the averaged ones ({_places(averaged)}) are used. "
            f"Say {WEIGHTS}={RAW} for the others."
        )
        return Chosen(_without(checkpoint, twins), AVERAGED, "" if asked else note)
    if asked == RAW:
        if len(averaged) == len(parts):
            raise WrongRequestError(f"{checkpoint.path} has averaged weights (EMA) only; leave weights out")
        return Chosen(_without(checkpoint, averaged), RAW)
    places = {**parts, **networks_within(parts)}
    if asked not in places:
        raise WrongRequestError(
            f"{checkpoint.path} has no weights at {brief(str(asked))!r}; say {AVERAGED}, {RAW}, or {_places(places)}"
        )
    return Chosen(replace(checkpoint, parts={str(asked): places[asked]}), str(asked))


def weights_setting(checkpoint: Checkpoint, arguments: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The switch between averaged and raw weights, for a file that holds both."""
    value = arguments.get(WEIGHTS)
    if value not in {AVERAGED, RAW} or not _averaged(checkpoint.parts)[1]:
        return ()
    choices = ((AVERAGED, "averaged (EMA)"), (RAW, "raw"))
    return (Setting(WEIGHTS, "Weights", value, choices, "Averaged over the training, or as its last step left them"),)


def alternatives(checkpoint: Checkpoint) -> dict[str, Checkpoint]:
    """Every single network in the file by its place, also those within a state dict, as a checkpoint of its own."""
    places = {**(checkpoint.parts if len(checkpoint.parts) > 1 else {}), **networks_within(checkpoint.parts)}
    return {place: replace(checkpoint, parts={place: part}) for place, part in places.items()}


def likeliest(places: list[str]) -> list[str]:
    """Of places whose networks all fit: the averaged ones, where there are both."""
    averaged = [place for place in places if is_average(place)]
    return averaged if 0 < len(averaged) < len(places) else places


def _averaged(parts: Mapping[str, Tensors]) -> tuple[list[str], list[str]]:
    """Places of averaged weights, and of the raw ones that they are averages of."""
    averaged = [place for place in parts if is_average(place)]
    twins = [place for place in parts if place not in averaged and any(_alike(parts, place, a) for a in averaged)]
    return averaged, twins


def _alike(parts: Mapping[str, Tensors], one: str, other: str) -> bool:
    return parts[one].keys() == parts[other].keys()


def _without(checkpoint: Checkpoint, places: list[str]) -> Checkpoint:
    return replace(checkpoint, parts={k: v for k, v in checkpoint.parts.items() if k not in places})


def _places(places: Mapping[str, Any] | list[str]) -> str:
    return listed([repr(brief(place)) for place in places])
