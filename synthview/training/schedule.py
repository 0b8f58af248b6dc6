"""How learning rates fall."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch


def set_learning_rates(optimisers: Mapping[str, torch.optim.Optimizer], done: float, end: float) -> None:
    """Set each rate to its first value times a factor that falls from 1 to ``end`` along half a cosine.

    Args:
        optimisers: the first call notes their rates.
        done: fraction of the steps, 0-1.
        end: factor at the end; 1: rates stay.
    """
    factor = end + (1 - end) * (1 + math.cos(math.pi * done)) / 2
    for optimiser in optimisers.values():
        for group in optimiser.param_groups:
            group.setdefault("initial_lr", group["lr"])
            group["lr"] = group["initial_lr"] * factor
