"""From a checkpoint that is a program to what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthview.errors import CheckpointError, WrongRequestError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.family import plain_name
from synthview.generators.programs.program import Program
from synthview.generators.sniffing import Container


def open_program(checkpoint: Checkpoint) -> Program:
    """The program in a checkpoint, described but not run.

    Raises:
        CheckpointError: it is damaged.
    """
    match checkpoint.container:
        case Container.TORCHSCRIPT:
            from synthview.generators.programs.torchscript import TorchScript

            return TorchScript(checkpoint)
        case Container.EXPORTED:
            from synthview.generators.programs.exported import Exported

            return Exported(checkpoint)
        case Container.ONNX:
            from synthview.generators.programs.onnx_model import OnnxModel

            return OnnxModel(checkpoint)
    raise ValueError(f"{checkpoint.container} is no program")


def check_named(program: Program, checkpoint: Checkpoint, named: str | None) -> None:
    """Make sure that nobody takes a program for one of the known families.

    Raises:
        WrongRequestError: the user does.
        CheckpointError: its manifest does.
    """
    manifest = checkpoint.manifest
    what = f"{checkpoint.path} is a {checkpoint.container}, which brings its own network and is of no family"
    if named is not None and plain_name(named) != plain_name(program.id):
        raise WrongRequestError(f"{what}; leave out family {named!r}")
    if manifest is not None and manifest.family and plain_name(manifest.family) != plain_name(program.id):
        raise CheckpointError(f"{manifest.path}: family says {manifest.family}, but {what}; leave it out")


def stated_arguments(program: Program, given: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments from earlier answers, the manifest and the user, the last ones winning.

    Raises:
        WrongRequestError: there is no such argument, or not this value for it.
        CheckpointError: the manifest's are wrong.
    """
    said = program.manifest.arguments if program.manifest is not None else {}
    try:
        manifest = _parsed(program, {name: value for name, value in said.items() if name not in given})
    except WrongRequestError as error:
        where = program.manifest.path if program.manifest is not None else program.path
        raise CheckpointError(f"{where}: arguments: {error}; correct it there") from error
    usable = {name: value for name, value in kept.items() if name in program.arguments}
    return {**_parsed(program, usable), **manifest, **_parsed(program, given)}


def _parsed(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in program.arguments:
            raise WrongRequestError(f"{program.title} has no argument {name!r}; it has {', '.join(program.arguments)}")
    return {name: program.parse_argument(name, value) for name, value in given.items() if value is not None}
