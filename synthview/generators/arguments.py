"""Arguments as people and programs give them, in their proper types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthview.errors import WrongRequestError

_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def parse_flag(name: str, value: Any) -> bool:
    """Yes or no, from a bool or from text.

    Raises:
        WrongRequestError: neither.
    """
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise WrongRequestError(f"{name} must be true or false, got {value!r}")
    return text in _TRUE


def parse_count(name: str, value: Any, least: int = 1) -> int:
    """A whole number from a number or from text.

    Raises:
        WrongRequestError: not one, or below ``least``.
    """
    text = str(value)
    if not text.isdecimal() or int(text) < least:
        raise WrongRequestError(f"{name} must be a whole number, {least} or more, got {value!r}")
    return int(text)


def check_stated(stated: Mapping[str, Any], inferred: Mapping[str, Any]) -> None:
    """Make sure that what was stated is what the weights say.

    Raises:
        WrongRequestError: it isn't; names the argument.
    """
    for name, value in inferred.items():
        if stated.get(name, value) != value:
            raise WrongRequestError(f"{name} {stated[name]} does not fit the weights, which say {value}")
