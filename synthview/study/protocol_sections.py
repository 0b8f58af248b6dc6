"""Sections: a screen, and which stimuli of which arms are put on it.  The coordinator's half."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from synthview.study.protocol_arms import Arm
from synthview.study.protocol_entries import Entries
from synthview.study.protocol_screen import Changes, Screen, SectionKind, read_screen
from synthview.study.protocol_values import plain

_DESIGN_FIELDS = ("compare", "pairs", "volumes", "per_reader", "practice", "attention", "repeats", "reuse")


@dataclass(frozen=True)
class Attention:
    """Trials with an obvious answer, unannounced, that show whether a reader pays attention.

    Attributes:
        arm: synthetic volumes that nobody could take for real; used for nothing else.
        count: how many trials.
    """

    arm: str
    count: int


@dataclass(frozen=True)
class Section:
    """A section as the coordinator designs it.

    Attributes:
        screen: as the reader meets it.
        compare: 2AFC: the pairs of arms.
        pairs: 2AFC: stimulus pairs of each pair of arms.
        volumes: Turing and rating: how many volumes of each arm.
        per_reader: trials of each reader; None for all.
        practice: trials with feedback before the others, with stimuli of their own.
        attention: trials with an obvious answer; None for none.
        repeats: trials asked a second time, for intra-reader reliability.
        reuse: whether volumes may be used that an earlier section showed.
    """

    screen: Screen
    compare: tuple[tuple[str, str], ...] = ()
    pairs: int = 0
    volumes: Mapping[str, int] = field(default_factory=dict)
    per_reader: int | None = None
    practice: int = 0
    attention: Attention | None = None
    repeats: int = 0
    reuse: bool = False

    @property
    def item_count(self) -> int:
        """Different trials there are, without practice, attention checks and repeats."""
        return len(self.compare) * self.pairs if self.compare else sum(self.volumes.values())

    @property
    def trials_per_reader(self) -> int:
        """Trials that a reader walks through, all of them counted."""
        attention = self.attention.count if self.attention else 0
        return (self.per_reader or self.item_count) + self.practice + attention + self.repeats

    @property
    def shows_once(self) -> bool:
        """Whether every pair has volumes of its own.

        Of real and synthetic it must: a real volume beside one generator's and then beside another's would be known by
        having been seen before. Synthetic arms meet volume by volume: the k-th of each with the k-th of every other.
        """
        return self.screen.kind is SectionKind.TWO_AFC_REAL

    def test_volumes(self) -> dict[str, int]:
        """How many volumes of each arm the section's trials use, less practice and attention checks."""
        if not self.compare:
            return dict(self.volumes)
        uses = Counter(arm for pair in self.compare for arm in pair)
        return {arm: self.pairs * (uses[arm] if self.shows_once else 1) for arm in sorted(uses)}

    def practice_volumes(self) -> dict[str, int]:
        """How many volumes of each arm the practice trials use."""
        needed: dict[str, int] = {}
        strata: list[tuple[str, ...]] = list(self.compare) or [(arm,) for arm, count in self.volumes.items() if count]
        for number in range(self.practice):
            for arm in strata[number % len(strata)]:
                needed[arm] = needed.get(arm, 0) + 1
        return needed

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a protocol file."""
        content = plain(self)
        return {**content.pop("screen"), **content}


def read_section(given: Entries, arms: Mapping[str, Arm]) -> Section:
    """A section of a protocol.

    Raises:
        ProtocolError: names file, line and field.
    """
    screen = read_screen(given, _DESIGN_FIELDS)
    paired = screen.kind.panels == 2
    for name in ("volumes",) if paired else ("compare", "pairs"):
        if given.has(name):
            raise given.wrong(name, f"is not for {screen.kind} sections; take it out")
    section = Section(
        screen=screen,
        compare=_read_compare(given, screen.kind, arms) if paired else (),
        pairs=_required_count(given, "pairs") if paired else 0,
        volumes={} if paired else _read_volumes(given, screen.kind, arms),
        per_reader=given.whole("per_reader", low=1),
        practice=given.whole("practice") or 0,
        attention=_read_attention(given, screen.kind, arms),
        repeats=given.whole("repeats") or 0,
        reuse=given.flag("reuse", default=False),
    )
    _check_counts(given, section)
    return section


def _check_counts(given: Entries, section: Section) -> None:
    if section.per_reader is not None and section.per_reader > section.item_count:
        raise given.wrong(
            "per_reader",
            f"is {section.per_reader}, and the section has {section.item_count} different trials; lower it",
        )
    if section.repeats > (section.per_reader or section.item_count):
        raise given.wrong("repeats", f"is {section.repeats}, more than there are trials to repeat; use fewer")
    if section.screen.kind in (SectionKind.RATING, SectionKind.TWO_AFC_SYNTHETIC) and section.practice:
        # nothing is true of a preference or a rating: these are practised without feedback
        return
    if section.practice and section.screen.changes is Changes.UNTIL_SECTION_END:
        raise given.wrong("changes", "can't be until-section-end where practice trials give feedback; choose one")


def _required_count(given: Entries, name: str) -> int:
    count = given.whole(name, low=1, high=100_000)
    if count is None:
        raise given.wrong(name, "is missing; say how many")
    return count


def _read_compare(given: Entries, kind: SectionKind, arms: Mapping[str, Arm]) -> tuple[tuple[str, str], ...]:
    """Pairs of arms; left out or "all", every pair that the kind allows."""
    real, synthetic = ([name for name, arm in arms.items() if arm.real is wanted] for wanted in (True, False))
    raw = given.raw("compare")
    if raw is None or raw.value == "all":
        kept = [name for name in synthetic if not _is_attention(given, name)]
        found = [(r, s) for r in real for s in kept] if kind is SectionKind.TWO_AFC_REAL else combinations(kept, 2)
        pairs = tuple(found)
        if not pairs:
            needs = "a real and a synthetic arm" if kind is SectionKind.TWO_AFC_REAL else "two synthetic arms"
            raise given.wrong("kind", f"needs {needs}; add them to arms")
        return pairs
    return tuple(_read_pair(given, number, kind, arms) for number in range(len(given.items("compare"))))


def _read_pair(given: Entries, number: int, kind: SectionKind, arms: Mapping[str, Arm]) -> tuple[str, str]:
    item = given.items("compare")[number]
    names = [part.value for part in item.value] if isinstance(item.value, list) else []
    where = f"{given.full('compare')}[{number + 1}]"
    if len(names) != 2 or names[0] == names[1]:
        raise given.error(item.line, f"{where} must be two different arms, such as [{', '.join(list(arms)[:2])}]")
    for name in names:
        if name not in arms:
            raise given.error(item.line, f"{where}: {name!r} is none of the arms {', '.join(arms)}; correct it")
    first, second = sorted((str(name) for name in names), key=lambda name: not arms[name].real)
    if kind is SectionKind.TWO_AFC_REAL and [arms[first].real, arms[second].real] != [True, False]:
        raise given.error(item.line, f"{where} must be a real and a synthetic arm, as the section is {kind}")
    if kind is SectionKind.TWO_AFC_SYNTHETIC and (arms[first].real or arms[second].real):
        raise given.error(item.line, f"{where} must be two synthetic arms, as the section is {kind}")
    earlier = [{part.value for part in other.value} for other in given.items("compare")[:number]]  # type: ignore[union-attr]
    if {first, second} in earlier:
        raise given.error(item.line, f"{where} is there twice; take one out")
    return first, second


def _read_volumes(given: Entries, kind: SectionKind, arms: Mapping[str, Arm]) -> dict[str, int]:
    if not given.has("volumes"):
        raise given.wrong("volumes", f"is missing; say how many of each arm, such as {{{next(iter(arms))}: 10}}")
    entries = given.entries("volumes")
    found: dict[str, int] = {}
    for name in entries.names():
        if name not in arms:
            raise entries.wrong(name, f"is none of the arms {', '.join(arms)}; correct it")
        found[name] = _required_count(entries, name)
    if kind is SectionKind.TURING and len({arms[name].real for name in found}) < 2:
        raise given.wrong("volumes", "must be of a real and of a synthetic arm, as the readers tell these apart")
    return found


def _is_attention(given: Entries, arm: str) -> bool:
    return given.has("attention") and given.entries("attention").text("arm") == arm


def _read_attention(given: Entries, kind: SectionKind, arms: Mapping[str, Arm]) -> Attention | None:
    if not given.has("attention"):
        return None
    if kind is SectionKind.RATING:
        raise given.wrong("attention", "is for sections with a right answer, and a rating has none; take it out")
    entries = given.entries("attention")
    entries.refuse_unknown(("arm", "count"))
    arm = entries.text("arm", required=True)
    if arm not in arms or arms[arm].real:
        raise entries.wrong("arm", f"must be a synthetic arm that is obviously not real, got {arm!r}")
    return Attention(arm, _required_count(entries, "count"))
