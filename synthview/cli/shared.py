"""What several commands share: options, their parsing, and printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from synthview.errors import SaveError, WrongRequestError

Checkpoint = Annotated[str, typer.Argument(help="Checkpoint file, folder with one in it, or name of a bundled one.")]
Family = Annotated[str | None, typer.Option(help="Name of the architecture; recognised from the weights if left out.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Dtype = Annotated[
    str, typer.Option(help="Precision: auto (float32), float32, bfloat16 or float16; less is meant for GPUs.")
]
Arguments = Annotated[
    list[str], typer.Option("--arg", metavar="NAME=VALUE", help="What the weights can't tell, such as size=128.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run a TorchScript or torch.export file, whose code could do anything; kept for it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")]


def make_folder(path: Path) -> None:
    """Make a folder, and those it lies in, unless it is there; before the work whose results go into it.

    Raises:
        SaveError: it can't be made; says why.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"{path} can't be made a folder: {error.strerror or error}; choose another --out") from error


def parse_pairs(pairs: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE pairs.

    Raises:
        WrongRequestError: one has no "=", or a name comes twice.
    """
    parsed: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (equals and name.strip()):
            raise WrongRequestError(f"{option} {pair} should be NAME=VALUE, such as {option} size=128")
        if name.strip() in parsed:
            raise WrongRequestError(f"{option} {name.strip()} is given twice")
        parsed[name.strip()] = value.strip()
    return parsed


def parse_numbers(pairs: Iterable[str], option: str) -> dict[str, float]:
    """NAME=NUMBER pairs.

    Raises:
        WrongRequestError: a value is no number.
    """
    try:
        return {name: float(value) for name, value in parse_pairs(pairs, option).items()}
    except ValueError as error:
        raise WrongRequestError(f"{option} needs NAME=NUMBER, such as {option} age=72: {error}") from error


def parse_spreads(pairs: Iterable[str], option: str, count: int) -> dict[str, float | tuple[float, ...]]:
    """NAME=NUMBER pairs, of which some may be NAME=FROM:TO, which gives ``count`` numbers evenly from one to the other.

    Raises:
        WrongRequestError: a value is neither.
    """
    found: dict[str, float | tuple[float, ...]] = {}
    for name, value in parse_pairs(pairs, option).items():
        first, colon, last = value.partition(":")
        try:
            found[name] = _evenly(float(first), float(last), count) if colon else float(first)
        except ValueError as error:
            raise WrongRequestError(
                f"{option} needs NAME=NUMBER or NAME=FROM:TO, such as {option} age=72 or {option} age=20:90: {error}"
            ) from error
    return found


def _evenly(first: float, last: float, count: int) -> tuple[float, ...]:
    return tuple(first + (last - first) * number / max(1, count - 1) for number in range(count))


def print_json(facts: Any) -> None:
    """Facts for programs: one JSON value on stdout."""
    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))


def print_facts(facts: dict[str, str]) -> None:
    """Facts for people: a name and a value on each line."""
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {value}")


def size_text(shape: Iterable[int]) -> str:
    """A shape for people: "128 × 128 × 128"."""
    return " × ".join(map(str, shape))


def progress_line(what: str) -> Callable[[float], None] | None:
    """A callback that keeps one line on stderr up to date; None where nobody looks at it."""
    if not sys.stderr.isatty():
        return None

    def show(fraction: float) -> None:
        sys.stderr.write(f"\r{what} {fraction:4.0%}" if fraction < 1 else f"\r{' ' * (len(what) + 5)}\r")
        sys.stderr.flush()

    return show


def existing_file(path: Path, what: str) -> Path:
    """The path, if it is a file.

    Raises:
        WrongRequestError: it isn't.
    """
    if not path.is_file():
        raise WrongRequestError(f"{what} {path} is not a file that exists")
    return path
