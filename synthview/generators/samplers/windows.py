"""In which order a long stack of slices is made, when a network sees only a window of a few slices at once.

Each stage observes slices that are done and makes others.  The schemes are those of flexible video diffusion (Harvey et
al., NeurIPS 2022), as MRIAnatEval's cDPM uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Stage(NamedTuple):
    """One window: the slices that the network is shown, and those that it makes."""

    observed: list[int]
    made: list[int]


class Stack:
    """What is known when the next stage is chosen.

    Attributes:
        slices: in the whole stack.
        window: slices that the network sees at once.
        stride: slices made in a stage after the first.
        given: slices known from the start.
        done: slices known now.
    """

    def __init__(self, slices: int, window: int, stride: int, given: int) -> None:
        self.slices, self.window, self.stride = slices, min(window, slices), stride
        self.given = list(range(given))
        self.done = set(self.given)

    @property
    def observable(self) -> int:
        """How many slices a stage may observe."""
        return self.window - self.stride

    def next_undone(self) -> list[int]:
        """The next slices after the furthest that is done."""
        first = max(self.done) + 1
        return list(range(first, min(first + self.stride, self.slices)))


Scheme = Callable[[Stack], list[Stage]]


def autoregressive(stack: Stack) -> list[Stage]:
    """From the first slice to the last, seeing those just before."""
    stages = _first_window(stack)
    while len(stack.done) < stack.slices:
        _add(stages, stack, sorted(stack.done)[-stack.observable :], stack.next_undone())
    return stages


def long_range(stack: Stack) -> list[Stage]:
    """From the first slice to the last; half of what is seen lies just before, half is of the first window."""
    stages = _first_window(stack)
    reference = stack.given or list(stages[0].made)
    while len(stack.done) < stack.slices:
        near = sorted(stack.done)[-(stack.observable // 2) :]
        far = [i for i in reference if i not in near][-(stack.observable - len(near)) :]
        _add(stages, stack, sorted(far + near), stack.next_undone())
    return stages


def hierarchy(levels: int) -> Scheme:
    """First a few slices over the whole stack, then between them, ever more densely."""

    def scheme(stack: Stack) -> list[Stage]:
        stages = _spread(stack)
        density = (stack.slices - len(stack.given)) / max(stack.stride - 1, 1)
        for level in range(2, levels + 1):
            every = max(int(density ** ((levels - level) / (levels - 1))), 1)
            last = 0
            while made := _between(stack, last, every):
                _add(stages, stack, _around(stack, made), made)
                last = made[-1]
        return stages

    return scheme


SCHEMES: dict[str, Scheme] = {
    "autoreg": autoregressive,
    "long-range": long_range,
    "hierarchy-2": hierarchy(2),
    "hierarchy-3": hierarchy(3),
}


def stages(scheme: str, slices: int, window: int, stride: int, given: int = 0) -> list[Stage]:
    """Every stage of a scheme, in order; together they make each slice that isn't given once.

    Args:
        scheme: a key of ``SCHEMES``.
        slices: in the whole stack.
        window: slices that the network sees at once.
        stride: slices made in each stage after the first, 1 to ``window - 1``.
        given: slices known from the start.
    """
    return SCHEMES[scheme](Stack(slices, window, stride, given))


def _first_window(stack: Stack) -> list[Stage]:
    found: list[Stage] = []
    if not stack.given:
        _add(found, stack, [], list(range(stack.window)))
    return found


def _spread(stack: Stack) -> list[Stage]:
    """The first stage of a hierarchy: slices over the whole stack; if some are given, all of the window sees those."""
    found: list[Stage] = []
    if not stack.given:
        _add(found, stack, [], [int(i) for i in np.linspace(0, stack.slices - 1, stack.window)])
        return found
    last = stack.given[-1]
    made = sorted({max(int(np.ceil(i)), last + 1) for i in np.linspace(last, stack.slices - 1, stack.stride)})
    observed = [stack.given[int(i)] for i in np.linspace(0, len(stack.given) - 1, stack.observable)]
    _add(found, stack, observed, [i for i in made if i < stack.slices])
    return found


def _between(stack: Stack, last: int, every: int) -> list[int]:
    """The next slices to make on a level: each ``every`` after the one before, or the next that isn't done."""
    made: list[int] = []
    while len(made) < stack.stride:
        last += every
        while last in stack.done:
            last += 1
        if last >= stack.slices:
            break
        made.append(last)
    return made


def _around(stack: Stack, made: list[int]) -> list[int]:
    """Done slices between those to make, then half of the rest from after them, the others from before."""
    done = sorted(stack.done)
    inside = [i for i in done if made[0] < i < made[-1]][: stack.observable]
    after = [i for i in done if i > made[-1]][: (stack.observable - len(inside)) // 2]
    before = [i for i in reversed(done) if i < made[0]][: stack.observable - len(inside) - len(after)]
    return inside + after + before


def _add(stages: list[Stage], stack: Stack, observed: list[int], made: list[int]) -> None:
    stages.append(Stage(observed, made))
    stack.done.update(made)
