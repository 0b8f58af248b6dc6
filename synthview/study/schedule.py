"""Every reader's trials, drawn from a seed before the first one is shown; the same on every machine.

For each section: which items a reader sees (``incomplete_blocks``), on which side (``Sides``), at which slice
(``positions``), in which order; then practice in front, checks and repeats in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthview.errors import StudyError
from synthview.study.protocol import Protocol, SectionOrder
from synthview.study.protocol_allocation import allocate
from synthview.study.protocol_files import canonical_json
from synthview.study.protocol_screen import SectionKind, ShownAs
from synthview.study.protocol_sections import Section
from synthview.study.schedule_balance import Sides, incomplete_blocks, positions, spread
from synthview.study.schedule_draws import Draws
from synthview.study.schedule_items import Item, attention_items, practice_items, section_items, shuffled_arms
from synthview.study.trial import Material, Role, StimulusId, Trial, Truth
from synthview.volume.slicing import Plane


@dataclass(frozen=True)
class Schedule:
    """Every reader's trials, in order.  Nothing of it says what is true."""

    trials: Mapping[str, tuple[Trial, ...]]

    def digest(self) -> str:
        """SHA-256 of the whole, as hexadecimal digits."""
        content = {reader: [trial.to_dict() for trial in trials] for reader, trials in self.trials.items()}
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()


Truths = dict[str, tuple[Truth, ...]]


@dataclass(frozen=True)
class _Asked:
    """An item at its place in a reader's session."""

    item: Item
    section: int
    first_left: bool
    plane: Plane
    position: float
    role: Role
    repeats: str = ""


def draw_schedule(protocol: Protocol, materials: Sequence[Material], seed: int) -> tuple[Schedule, Truths]:
    """The trials of every reader, and what is true of them.

    Args:
        protocol: what is asked.
        materials: at least ``protocol.volumes_needed()`` of each arm.
        seed: of all draws.

    Raises:
        StudyError: an arm has too few volumes.
    """
    _check_enough(protocol, materials)
    arms = shuffled_arms(materials, seed)
    real = {name for name, arm in protocol.arms.items() if arm.real}
    sessions: list[list[list[_Asked]]] = [[] for _ in protocol.readers]
    allocations = allocate(protocol.sections, protocol.arms)
    for index, (section, allocation) in enumerate(zip(protocol.sections, allocations, strict=True)):
        items = section_items(section, allocation, arms, index + 1)
        practice = practice_items(section, allocation, arms, index + 1)
        checks = attention_items(section, allocation, arms, index + 1)
        for reader, asked in enumerate(_section(section, index, (items, practice, checks), len(sessions), seed)):
            sessions[reader].append(asked)
    trials: dict[str, tuple[Trial, ...]] = {}
    truths: Truths = {}
    for number, (reader_name, parts) in enumerate(zip(protocol.readers, sessions, strict=True)):
        turn = number % len(parts) if protocol.section_order is SectionOrder.ROTATED else 0
        asked = [one for part in parts[turn:] + parts[:turn] for one in part]
        trials[reader_name] = tuple(_trial(one, k) for k, one in enumerate(asked, 1))
        truths[reader_name] = _truths(asked, protocol, real)
    return Schedule(trials), truths


def _check_enough(protocol: Protocol, materials: Sequence[Material]) -> None:
    for name, needed in protocol.volumes_needed().items():
        there = sum(material.arm == name for material in materials)
        if there < needed:
            raise StudyError(
                f"arm {name} has {there} volumes and the protocol needs {needed}; add volumes, ask fewer trials, or "
                "set reuse: true in a later section"
            )


def _section(
    section: Section, index: int, items: tuple[list[Item], list[Item], list[Item]], readers: int, seed: int
) -> list[list[_Asked]]:
    """A section's trials for each reader."""
    tests, practice, checks = items
    common = Draws(seed, "section", index)
    blocks = incomplete_blocks(tests, readers, section.per_reader, common)
    sides = Sides(common)
    base = common.shuffled(range(len(blocks[0])))
    asked = []
    for reader, block in enumerate(blocks):
        draws = Draws(seed, "section", index, "reader", reader)
        first_left = {item.name: bool(draws.below(2)) for item in (*practice, *checks)}
        if section.compare:
            first_left |= sides.draw(block)
        where = _places(section, block, reader, draws, base) | _extra_places(section, (*practice, *checks), draws)
        order = practice + spread(draws.shuffled(block), checks, draws)
        shown = [
            _Asked(item, index, first_left.get(item.name, True), *where[item.name], role=item.role) for item in order
        ]
        asked.append(_with_repeats(shown, section.repeats, draws))
    return asked


def _places(
    section: Section, block: list[Item], reader: int, draws: Draws, base: Sequence[int]
) -> dict[str, tuple[Plane, float]]:
    """Plane and slice position of each item of one reader."""
    shown = section.screen.presentation
    planes = draws.shuffled([shown.planes[k % len(shown.planes)] for k in range(len(block))])
    if shown.shown_as is ShownAs.RANDOM_SLICE:
        at = positions((shown.from_position, shown.to_position), reader, base, draws)
    else:
        at = [shown.position] * len(block)
    return {item.name: (plane, position) for item, plane, position in zip(block, planes, at, strict=True)}


def _extra_places(section: Section, items: Sequence[Item], draws: Draws) -> dict[str, tuple[Plane, float]]:
    shown = section.screen.presentation
    found = {}
    for k, item in enumerate(items):
        position = shown.position
        if shown.shown_as is ShownAs.RANDOM_SLICE:
            position = round(shown.from_position + draws.fraction() * (shown.to_position - shown.from_position), 4)
        found[item.name] = (shown.planes[k % len(shown.planes)], position)
    return found


def _with_repeats(asked: list[_Asked], count: int, draws: Draws) -> list[_Asked]:
    """Some trials once more: the first ones again near the end, on the other side, at the same slice.

    The repeated trials are drawn from the first half, and come after the last trial of the section, mixed into its last
    quarter, so that at least about a quarter of the section lies between.
    """
    if count == 0:
        return asked
    tests = [one for one in asked if one.role is Role.TEST]
    early = tests[: max(count, len(tests) // 2)]
    again = [
        _Asked(one.item, one.section, not one.first_left, one.plane, one.position, Role.REPEAT, repeats=one.item.name)
        for one in draws.shuffled(early)[:count]
    ]
    head = len(asked) - len(asked) // 4
    tail = draws.shuffled(asked[head:] + again)
    return asked[:head] + _after_their_first(tail)


def _after_their_first(tail: list[_Asked]) -> list[_Asked]:
    """Where both a trial and its repeat are in the tail, the trial comes first."""
    places: dict[str, list[int]] = {}
    for k, one in enumerate(tail):
        places.setdefault(one.item.name, []).append(k)
    for ks in places.values():
        if len(ks) == 2 and tail[ks[0]].role is Role.REPEAT:
            tail[ks[0]], tail[ks[1]] = tail[ks[1]], tail[ks[0]]
    return tail


def _trial(asked: _Asked, number: int) -> Trial:
    stimuli = tuple(StimulusId(material.stimulus) for material in _as_shown(asked))
    return Trial(number, asked.section, stimuli, asked.plane, asked.position, practice=asked.role is Role.PRACTICE)


def _as_shown(asked: _Asked) -> tuple[Material, ...]:
    return asked.item.materials if asked.first_left else asked.item.materials[::-1]


def _truths(asked: Sequence[_Asked], protocol: Protocol, real: set[str]) -> tuple[Truth, ...]:
    first = {one.item.name: number for number, one in enumerate(asked, 1) if one.role is not Role.REPEAT}
    return tuple(
        Truth(
            one.item.name,
            one.role,
            tuple(material.arm for material in _as_shown(one)),
            _correct(one, protocol.sections[one.section].screen.kind, real),
            first[one.item.name] if one.role is Role.REPEAT else None,
        )
        for one in asked
    )


def _correct(asked: _Asked, kind: SectionKind, real: set[str]) -> str:
    if kind is SectionKind.TURING:
        return "real" if asked.item.materials[0].arm in real else "synthetic"
    if asked.item.correct is None:
        return ""
    return "left" if (asked.item.correct == 0) == asked.first_left else "right"
