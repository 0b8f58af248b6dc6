"""A protocol file entry by entry, each with its line, so that an error names file, line, field and what to do."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synthview.errors import ProtocolError

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True)
class Located:
    """A value and where it stands.

    Attributes:
        value: entries by name, a list, a scalar's text as written, or None for nothing.
        line: counted from 1; 0 where there is no file.
    """

    value: dict[str, Located] | list[Located] | str | None
    line: int = 0

    @classmethod
    def of(cls, value: Any) -> Located:
        """Plain Python values, as ``Protocol.to_dict`` gives them."""
        if isinstance(value, Mapping):
            return cls({str(name): cls.of(entry) for name, entry in value.items()})
        if isinstance(value, list | tuple):
            return cls([cls.of(entry) for entry in value])
        if isinstance(value, bool):
            return cls("true" if value else "false")
        return cls(None if value is None else str(value))

    def plain(self) -> Any:
        """Without the lines; scalars are taken for numbers or yes/no where they look like it."""
        if isinstance(self.value, dict):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return _scalar(self.value)


class Entries:
    """The entries of one mapping.

    Args:
        located: the mapping.
        where: the file, for messages.
        path: its name in the file, such as "sections[2].tools"; empty for the whole.
    """

    def __init__(self, located: Located, where: str, path: str = "") -> None:
        self.where, self.path, self.line = where, path, located.line
        if not isinstance(located.value, dict):
            raise self.error(located.line, f"{path or 'the file'} must be entries of the form name: value")
        self._entries: dict[str, Located] = located.value

    def error(self, line: int, problem: str) -> ProtocolError:
        """The error for a line."""
        return ProtocolError(f"{self.where}{f', line {line}' if line else ''}: {problem}")

    def wrong(self, name: str, problem: str) -> ProtocolError:
        """The error for an entry; where it is missing, for the mapping."""
        entry = self._entries.get(name)
        return self.error(entry.line if entry else self.line, f"{self.full(name)} {problem}")

    def full(self, name: str) -> str:
        """Name of an entry as counted from the file's top, such as "sections[2].pairs"."""
        return f"{self.path}.{name}" if self.path else name

    def refuse_unknown(self, known: Collection[str], why: str = "is not a field here") -> None:
        """Make sure that there are no other entries.

        Raises:
            ProtocolError: names the first that is not known, and those that are.
        """
        for name in self._entries:
            if name not in known:
                raise self.wrong(name, f"{why}; take it out, or use one of {', '.join(known)}")

    def names(self) -> Iterator[str]:
        """Names of the entries, in the file's order."""
        return iter(self._entries)

    def has(self, name: str) -> bool:
        """Whether the entry is there and says something."""
        entry = self._entries.get(name)
        return entry is not None and entry.value is not None

    def raw(self, name: str) -> Located | None:
        """The entry as it stands; None where it is missing or empty."""
        return self._entries[name] if self.has(name) else None

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """A text.

        Raises:
            ProtocolError: something else, or required and missing.
        """
        if not self.has(name):
            if required:
                raise self.wrong(name, "is missing; write a text")
            return default
        value = self._entries[name].value
        if not isinstance(value, str):
            raise self.wrong(name, "must be a text")
        if required and not value.strip():
            raise self.wrong(name, "is empty; write a text")
        if not all(character.isprintable() or character in "\n\t" for character in value):
            raise self.wrong(name, "has control characters in it; take them out")
        return value.strip()

    def number(self, name: str, *, low: float = -math.inf, high: float = math.inf) -> float | None:
        """A finite number from ``low`` to ``high``; None where it is missing.

        Raises:
            ProtocolError: something else.
        """
        if not self.has(name):
            return None
        return self._number(name, self._entries[name], low, high)

    def whole(self, name: str, *, low: int = 0, high: int = 2**63 - 1) -> int | None:
        """A whole number from ``low`` to ``high``; None where it is missing.

        Raises:
            ProtocolError: something else.
        """
        if not self.has(name):
            return None
        try:
            value = int(str(self._entries[name].value))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            got = self._entries[name].plain()
            limits = f"from {low} to {high}" if high < 2**63 - 1 else f"of {low} or more"
            raise self.wrong(name, f"must be a whole number {limits}, got {got!r}")
        return value

    def numbers(self, name: str, count: int, *, low: float = -math.inf) -> tuple[float, ...] | None:
        """So many numbers; None where they are missing.

        Raises:
            ProtocolError: something else.
        """
        if not self.has(name):
            return None
        items = self.items(name)
        if len(items) != count:
            raise self.wrong(name, f"must be a list of {count} numbers")
        return tuple(self._number(name, item, low, math.inf) for item in items)

    def flag(self, name: str, *, default: bool) -> bool:
        """Yes or no.

        Raises:
            ProtocolError: something else.
        """
        if not self.has(name):
            return default
        value = self._entries[name].value
        if not isinstance(value, str) or value.lower() not in _TRUE + _FALSE:
            raise self.wrong(name, "must be true or false")
        return value.lower() in _TRUE

    def choice(self, name: str, choices: Collection[str], default: str = "") -> str:
        """One of several words.

        Raises:
            ProtocolError: another, or missing where there is no default.
        """
        value = self.text(name, default, required=not default)
        if value not in choices:
            raise self.wrong(name, f"must be one of {', '.join(choices)}, got {value!r}")
        return value

    def entries(self, name: str) -> Entries:
        """The entries under a name; none where it is missing.

        Raises:
            ProtocolError: something else is there.
        """
        return Entries(self._entries[name] if self.has(name) else Located({}, self.line), self.where, self.full(name))

    def items(self, name: str) -> list[Located]:
        """A list; empty where it is missing.

        Raises:
            ProtocolError: something else is there.
        """
        if not self.has(name):
            return []
        value = self._entries[name].value
        if not isinstance(value, list):
            raise self.wrong(name, "must be a list, such as [first, second]")
        return value

    def parts(self, name: str) -> list[Entries]:
        """A list of mappings; empty where it is missing.

        Raises:
            ProtocolError: something else is there.
        """
        full = self.full(name)
        return [Entries(item, self.where, f"{full}[{number}]") for number, item in enumerate(self.items(name), 1)]

    def texts(self, name: str) -> tuple[str, ...]:
        """Different texts; none where they are missing.

        Raises:
            ProtocolError: something else, an empty one, or one that comes twice.
        """
        found: list[str] = []
        for item in self.items(name):
            if not isinstance(item.value, str) or not item.value.strip():
                raise self.error(item.line, f"{self.full(name)} must be a list of texts")
            if item.value.strip() in found:
                raise self.error(item.line, f"{self.full(name)} has {item.value.strip()!r} twice; take one out")
            found.append(item.value.strip())
        return tuple(found)

    def _number(self, name: str, item: Located, low: float, high: float) -> float:
        try:
            value = float(item.value) if isinstance(item.value, str) else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not low <= value <= high:
            limits = f" from {low:g} to {high:g}" if math.isfinite(high) else f" of {low:g} or more"
            raise self.error(
                item.line,
                f"{self.full(name)} must be a number{limits if math.isfinite(low) else ''}, got {item.plain()!r}",
            )
        return value


def _scalar(text: str | None) -> Any:
    if text is None or text.lower() in _TRUE + _FALSE:
        return None if text is None else text.lower() in _TRUE
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
