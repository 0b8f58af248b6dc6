"""The items of a section: pairs or single stimuli, grouped in strata (a pair of arms; an arm)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthview.study.protocol_allocation import Allocation
from synthview.study.protocol_sections import Section
from synthview.study.schedule_draws import Draws
from synthview.study.trial import Material, Role


@dataclass(frozen=True)
class Item:
    """What is asked once of a reader.

    Attributes:
        name: the same for every reader who sees it.
        role: test, practice or attention.
        materials: one, or two in the order of the arms; which side each is shown on is drawn for each reader.
        correct: of ``materials``, the index of the right choice (2AFC with a truth); None where there is none.
    """

    name: str
    role: Role
    materials: tuple[Material, ...]
    correct: int | None = None

    @property
    def stratum(self) -> tuple[str, ...]:
        """The arms it is made of."""
        return tuple(material.arm for material in self.materials)


Arms = Mapping[str, Sequence[Material]]
"""The materials of each arm, in the order in which sections take them."""


def shuffled_arms(materials: Sequence[Material], seed: int) -> dict[str, list[Material]]:
    """Each arm's materials in a drawn order, so that which volume meets which is no matter of file names."""
    arms: dict[str, list[Material]] = {}
    for material in materials:
        arms.setdefault(material.arm, []).append(material)
    return {name: Draws(seed, "arm", name).shuffled(found) for name, found in arms.items()}


def section_items(section: Section, allocation: Allocation, arms: Arms, number: int) -> list[Item]:
    """Every item of the section's trials, stratum by stratum; ``number`` is the section's, from 1."""
    if section.compare:
        return _pairs(section, allocation, arms, number)
    return [
        Item(f"S{number}-{arm}-{k + 1:03d}", Role.TEST, (arms[arm][i],))
        for arm, span in allocation.test.items()
        for k, i in enumerate(span)
    ]


def _pairs(section: Section, allocation: Allocation, arms: Arms, number: int) -> list[Item]:
    taken = dict.fromkeys(allocation.test, 0)
    items = []
    for first, second in section.compare:
        for k in range(section.pairs):
            materials = tuple(arms[arm][allocation.test[arm][taken[arm] + k]] for arm in (first, second))
            items.append(_pair(f"S{number}-{first}-{second}-{k + 1:03d}", Role.TEST, materials, section))
        if section.shows_once:
            taken[first] += section.pairs
            taken[second] += section.pairs
    return items


def practice_items(section: Section, allocation: Allocation, arms: Arms, number: int) -> list[Item]:
    """The practice trials, strata in turn."""
    left = {name: list(span) for name, span in allocation.practice.items()}
    strata: list[tuple[str, ...]] = list(section.compare) or [(arm,) for arm, count in section.volumes.items() if count]
    items = []
    for k in range(section.practice):
        materials = tuple(arms[arm][left[arm].pop(0)] for arm in strata[k % len(strata)])
        items.append(_item(f"S{number}-practice-{k + 1:03d}", Role.PRACTICE, materials, section))
    return items


def attention_items(section: Section, allocation: Allocation, arms: Arms, number: int) -> list[Item]:
    """The attention checks: something obvious, in 2AFC beside a usual stimulus."""
    if section.attention is None:
        return []
    obvious = allocation.attention[section.attention.arm]
    items = []
    for k in range(section.attention.count):
        materials: tuple[Material, ...] = (arms[section.attention.arm][obvious[k]],)
        if section.compare:
            usual = section.compare[0][0]
            materials = (arms[usual][allocation.attention[usual][k]], *materials)
        name = f"S{number}-check-{k + 1:03d}"
        items.append(Item(name, Role.ATTENTION, materials, 0 if section.compare else None))
    return items


def _item(name: str, role: Role, materials: tuple[Material, ...], section: Section) -> Item:
    return _pair(name, role, materials, section) if section.compare else Item(name, role, materials)


def _pair(name: str, role: Role, materials: tuple[Material, ...], section: Section) -> Item:
    """Of real and synthetic, the real one (first in ``compare``) is the right choice; of two synthetic ones, none."""
    return Item(name, role, materials, 0 if section.screen.kind == "2afc-real" else None)
