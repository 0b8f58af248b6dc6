"""Dataclasses as plain values for YAML and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any


def plain(value: Any) -> dict[str, Any]:
    """A dataclass's fields as plain values, in their order; those that have their default are left out."""
    return {
        entry.name: _plain_value(getattr(value, entry.name))
        for entry in fields(value)
        if not _is_default(entry, getattr(value, entry.name))
    }


def _plain_value(value: Any) -> Any:
    if is_dataclass(value):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(key): _plain_value(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain_value(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _is_default(entry: Field[Any], value: Any) -> bool:
    if entry.default is not MISSING:
        return bool(value == entry.default)
    return entry.default_factory is not MISSING and bool(value == entry.default_factory())
