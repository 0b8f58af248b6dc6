"""Comparing a manifest's arguments with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthview.errors import CheckpointError, WrongRequestError
from synthview.generators.family import Family, NotThisFamily
from synthview.generators.manifest import Manifest
from synthview.generators.state_dicts import Shapes


def check_arguments(family: Family, shapes: Shapes, stated: Mapping[str, Any], manifest: Manifest) -> None:
    """Make sure that a network with the manifest's arguments takes the weights, which fit the family without them.

    Args:
        family: the checkpoint's.
        shapes: of its tensors.
        stated: the manifest's arguments, in their proper types.
        manifest: for messages.

    Raises:
        CheckpointError: it doesn't; names the argument, and the tensor where it shows.
    """
    if not stated:
        return
    try:
        arguments = family.infer_arguments(shapes, stated)
        if _clash(shapes, family, arguments) is None:
            return
        reason = "no such network takes these weights"
    except (WrongRequestError, NotThisFamily) as error:
        reason = str(error)
    inferred = family.infer_arguments(shapes, {})
    for name, value in stated.items():
        if inferred.get(name) == value or (clash := _clash(shapes, family, {**inferred, name: value})) is None:
            continue
        raise CheckpointError(
            f"{manifest.path} says {name} {value} where {clash}; correct {name} in its arguments, or leave it out"
        )
    raise CheckpointError(f"{manifest.path}: arguments contradict the weights: {reason}; correct or remove them")


def _clash(shapes: Shapes, family: Family, arguments: Mapping[str, Any]) -> str | None:
    """The first tensor that the network would have otherwise, and what it is in the file."""
    try:
        expected = family.expected_shapes(arguments)
    except (WrongRequestError, ValueError, TypeError, RuntimeError, KeyError, ZeroDivisionError, AssertionError):
        return None  # not even a network: the family's own message says why
    for key, shape in expected.items():
        if key not in shapes:
            if not family.is_optional(key):
                return f"the weights have no {key}"
            continue
        there = shapes[key]
        if there == shape:
            continue
        differing = [have for have, want in zip(there, shape, strict=False) if have != want]
        if len(there) == len(shape) and len(differing) == 1:
            return f"{key} takes {differing[0]} (it is {_size(there)}, not {_size(shape)})"
        return f"{key} is {_size(there)}, not {_size(shape)}"
    extra = [key for key in shapes if key not in expected and not family.is_optional(key)]
    return f"the weights have {extra[0]}" if extra else None


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "one number"
