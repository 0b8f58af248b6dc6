"""Words from a file in a sentence for people: a hostile or damaged file can call its tensors anything."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 80
_NAMED = 6


def brief(name: str) -> str:
    """A name on one line, without control characters, and not too long."""
    return one_line(name, _LONGEST)


def one_line(text: str, longest: int) -> str:
    """Text on one line, without control characters, cut to a length."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Names in a row; of many, the first and how many more."""
    shown = ", ".join(brief(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
