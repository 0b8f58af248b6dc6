"""Reading a JSON object entry by entry, so that each error names file, field and what to do."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from synthview.errors import CheckpointError, ManifestFieldError

_MOST_BYTES = 1 << 20  # a manifest is a page of text


class Entries:
    """The entries of one JSON object.

    Args:
        content: the parsed JSON value.
        where: the file, for messages.
        prefix: of its fields' names, such as "output." or "features[2].".
    """

    def __init__(self, content: Any, where: str, prefix: str = "") -> None:
        self.where, self.prefix = where, prefix
        if not isinstance(content, dict):
            name = prefix.rstrip(".")
            raise ManifestFieldError(where, name or "the manifest", "must be a JSON object, {…}; write it so")
        self._content: dict[str, Any] = content

    def wrong(self, name: str, problem: str) -> CheckpointError:
        """The error for a field."""
        return ManifestFieldError(self.where, f"{self.prefix}{name}", problem)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Make sure that there are no other fields.

        Raises:
            CheckpointError: names the first that is not known, and those that are.
        """
        for name in self._content:
            if name not in known:
                raise self.wrong(name, f"is not a field of a manifest; take it out, or use one of {', '.join(known)}")

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._content.get(name) is not None

    def text(self, name: str, *, required: bool = False) -> str:
        """A text; empty where it is not there.

        Raises:
            CheckpointError: something else, or required and not there.
        """
        value = self._content.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value.strip()):
            raise self.wrong(name, f'must be a text such as "…", got {_short(value)}; write it so')
        if not _is_plain(value):
            raise self.wrong(name, "has control characters in it; take them out")
        return value

    def number(self, name: str) -> float | None:
        """A finite number; None where it is not there.

        Raises:
            CheckpointError: something else.
        """
        return self._number(name, self._content[name]) if self.has(name) else None

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """So many numbers; None where they are not there.

        Raises:
            CheckpointError: something else.
        """
        if not self.has(name):
            return None
        value = self._content[name]
        if not isinstance(value, list) or len(value) != count:
            raise self.wrong(name, f"must be a list of {count} numbers, got {_short(value)}; write it so")
        return tuple(self._number(name, item) for item in value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Different texts; empty where they are not there.

        Raises:
            CheckpointError: something else, or one comes twice.
        """
        items = self.items(name)
        if not all(isinstance(item, str) and item and _is_plain(item) for item in items) or len(set(items)) != len(
            items
        ):
            raise self.wrong(name, f"must be a list of different texts, got {_short(items)}; write it so")
        return tuple(items)

    def items(self, name: str) -> list[Any]:
        """A list of anything; empty where it is not there.

        Raises:
            CheckpointError: not a list.
        """
        value = self._content.get(name)
        if value is not None and not isinstance(value, list):
            raise self.wrong(name, f"must be a list, […], got {_short(value)}; write it so")
        return value or []

    def object(self, name: str) -> dict[str, Any]:
        """Entries of an object; empty where it is not there.

        Raises:
            CheckpointError: not an object.
        """
        value = self._content.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, f"must be a JSON object, {{…}}, got {_short(value)}; write it so")
        return value or {}

    def slopes(self, name: str) -> dict[str, float]:
        """A number for each of several names; empty where it is not there.

        Raises:
            CheckpointError: something else.
        """
        if not self.has(name):
            return {}
        value = self._content[name]
        if not isinstance(value, dict) or not value or not all(map(_is_number, value.values())):
            raise self.wrong(
                name, f'must be names with numbers such as {{"age": 0.6}}, got {_short(value)}; write it so'
            )
        return {other: float(slope) for other, slope in value.items()}

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of several texts; empty where it is not there.

        Raises:
            CheckpointError: another.
        """
        value = self.text(name)
        if value and value not in choices:
            raise self.wrong(name, f"must be one of {', '.join(choices)}, got {value!r}; choose one")
        return value

    def figure(self, name: str) -> float | str:
        """A number, or a text such as "12.3 ± 0.4".

        Raises:
            CheckpointError: something else.
        """
        value = self._content.get(name)
        if not isinstance(value, int | float | str) or isinstance(value, bool) or not _is_plain(name):
            raise self.wrong(name, f"must be a number or a text, got {_short(value)}; write it so")
        return self.text(name) if isinstance(value, str) else self._number(name, value)

    def _number(self, name: str, value: Any) -> float:
        if not _is_number(value):
            raise self.wrong(name, f"must be a number, got {_short(value)}; write it so")
        return float(value)


def read_json(path: Path) -> Any:
    """The JSON value in a small file.

    Raises:
        CheckpointError: it can't be read, is too large, or is not JSON.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CheckpointError(f"{path} could not be read: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise CheckpointError(f"{path} is larger than a manifest can be (1 MB); move it away or shorten it")
    try:
        return json.loads(
            content.decode("utf-8-sig"), parse_float=_finite, parse_int=_finite_int, parse_constant=_never
        )
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}; correct it there, or move the file away") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _never(text)


def _finite_int(text: str) -> int:
    if len(text) > 18:
        raise ValueError(f"{text[:18]}… is too large a number")
    return int(text)


def _never(text: str) -> float:
    raise ValueError(f"{text} is no number that JSON knows")


def _is_plain(text: str) -> bool:
    """Whether it can be shown on a terminal: BibTeX has line ends, nothing has escape sequences."""
    return all(character.isprintable() or character in "\n\t" for character in text)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
