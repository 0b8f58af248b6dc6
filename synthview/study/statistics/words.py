"""Numbers as they stand in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def percent(share: float) -> str:
    """0.5972 → "59.7 %"; never rounds up to 100 or down to 0 what isn't."""
    text = f"{100 * share:.1f}"
    if (text == "100.0" and share < 1) or (text == "0.0" and share > 0):
        text = f"{100 * share:.2f}"
    return f"{text.removesuffix('.0') if share in (0, 1) else text} %"


def interval(low: float, high: float, level: int = 95) -> str:
    """Two proportions → "95 % interval 54.6 to 64.7 %"."""
    return f"{level} % interval {100 * low:.1f} to {100 * high:.1f} %"


def numbers(low: float, high: float, level: int = 95) -> str:
    """Two numbers → "95 % interval 0.12 to 0.40"."""
    return f"{level} % interval {low:.2f} to {high:.2f}"


def named(scope: str) -> str:
    """A scope at the head of a sentence: "reader R1" → "Reader R1"."""
    return scope[:1].upper() + scope[1:]


def p_text(p: float | None) -> str:
    """0.02323 → "p = 0.023"; 1e-9 → "p < 0.001"."""
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def verdict(p: float | None, yes: str, no: str) -> str:
    """One of two wordings, by the usual 5 %."""
    return yes if p is not None and p < 0.05 else no


def count(number: int, thing: str, plural: str | None = None) -> str:
    """3, "vote" → "3 votes"."""
    return f"{number:,} {thing if number == 1 else plural or thing + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names with "and"; a long list is cut."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
