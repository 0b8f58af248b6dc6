"""Mappings (from TOML or JSON) to dataclasses: every key has a type, and an unknown or wrong one is named."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from synthview.errors import WrongRequestError

T = TypeVar("T")


def typed(kind: type[T], given: Any, where: str) -> T:
    """A dataclass from a mapping; dataclasses within it from mappings within that.

    Args:
        kind: a dataclass; its fields are whole numbers, numbers, texts, yes/no, tuples of one of these, or dataclasses.
        given: what to read.
        where: what to call it in a message, such as "rat.toml".

    Raises:
        WrongRequestError: an unknown, missing or wrong entry; says which, where, and what there is.
    """
    if not isinstance(given, Mapping):
        raise WrongRequestError(f"{where} must be a table of names and values, got {given!r}")
    known = [field.name for field in fields(cast(Any, kind))]
    for name in given:
        if name not in known:
            raise WrongRequestError(f"{where} has no entry {name!r}; it may have {', '.join(known)}")
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for field in fields(cast(Any, kind)):
        if field.name in given:
            found[field.name] = _value(hints[field.name], given[field.name], f"{where}: {field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise WrongRequestError(f"{where} lacks the entry {field.name!r}; add it")
    return kind(**found)


def _value(kind: Any, value: Any, where: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        if value is None and type(None) in get_args(kind):
            return None
        kind = next(each for each in get_args(kind) if each is not type(None))
    if is_dataclass(kind):
        return typed(cast("type[Any]", kind), value, where)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if not isinstance(value, list | tuple) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
            count = "" if inner[-1] is Ellipsis else f"{len(inner)} "
            raise WrongRequestError(f"{where} must be a list of {count}values, got {value!r}")
        return tuple(_value(inner[0], each, where) for each in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if get_origin(kind) is not None or kind is Any:
        return value
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise WrongRequestError(f"{where} must be {names.get(kind, kind.__name__)}, got {value!r}")
    return value
