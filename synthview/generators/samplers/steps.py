"""Slow work told step by step: a generator that yields the fraction done and returns its result.

Progress, stopping and pictures on the way belong to the caller and cost the work nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import torch

Result = TypeVar("Result")
Steps = Generator[float, None, Result]
"""Yields the fraction done (0-1), returns the result."""
Predict = Callable[[torch.Tensor, float], Steps[torch.Tensor]]
"""The network: the noisy image and the time in, what it predicts of it out."""


def part_of(work: Steps[Result], start: float, share: float) -> Steps[Result]:
    """The same work as a part of something longer: its fractions become ``start`` to ``start + share``."""
    while True:
        try:
            fraction = next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield start + share * fraction


def finish(work: Steps[Result]) -> Result:
    """Run to the end and take the result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: Result = end.value
            return result
