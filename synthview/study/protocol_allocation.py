"""Which volumes of each arm a section uses: test volumes first, then those for practice and attention checks.

    an arm:  │ section 1 │ section 2 │ … │ practice 1 │ checks 1 │ practice 2 │ …

What practice gives away is used nowhere else, so it stands apart, where a section with ``reuse`` (which begins again
with the arm's first volume) doesn't reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from synthview.study.protocol_sections import Section

Spans = Mapping[str, range]
"""By arm, which of its volumes."""


@dataclass(frozen=True)
class Allocation:
    """The volumes of a section, by arm.

    Attributes:
        test: for its trials.
        practice: for its practice trials.
        attention: for its attention checks: the obvious arm, and in 2AFC what stands beside it.
    """

    test: Spans
    practice: Spans
    attention: Spans


def allocate(sections: Sequence[Section], arms: Iterable[str]) -> list[Allocation]:
    """The volumes of each section."""
    used = dict.fromkeys(arms, 0)
    tests = [_take(used, section.test_volumes(), again=section.reuse) for section in sections]
    return [
        Allocation(test, _take(used, section.practice_volumes()), _take(used, attention_volumes(section)))
        for test, section in zip(tests, sections, strict=True)
    ]


def attention_volumes(section: Section) -> dict[str, int]:
    """How many volumes of each arm a section's attention checks use."""
    if section.attention is None:
        return {}
    needed = {section.attention.arm: section.attention.count}
    if section.compare:
        needed[section.compare[0][0]] = section.attention.count
    return needed


def volumes_needed(sections: Sequence[Section], arms: Iterable[str]) -> dict[str, int]:
    """How many volumes each arm must have."""
    arms = tuple(arms)
    needed = dict.fromkeys(arms, 0)
    for allocation in allocate(sections, arms):
        for spans in (allocation.test, allocation.practice, allocation.attention):
            for name, span in spans.items():
                needed[name] = max(needed[name], span.stop)
    return needed


def _take(used: dict[str, int], wanted: Mapping[str, int], *, again: bool = False) -> dict[str, range]:
    spans = {}
    for name, count in wanted.items():
        start = 0 if again else used[name]
        spans[name] = range(start, start + count)
        used[name] = max(used[name], start + count)
    return spans
