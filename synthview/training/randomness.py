"""Randomness that depends on the seed and the step only: a training that was cut off goes on as if it had not been."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def seed_of(seed: int, purpose: str, number: int = 0) -> int:
    """A number of 63 bits for a purpose ("step", "epoch", …) and its number, the same everywhere."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def torch_generator(seed: int, purpose: str, number: int = 0) -> torch.Generator:
    """A source of random numbers on the CPU, so that devices agree."""
    return torch.Generator().manual_seed(seed_of(seed, purpose, number))


def indices_of_step(seed: int, step: int, batch: int, count: int) -> list[int]:
    """Which of ``count`` samples make up a step: every one once an epoch, in an order of that epoch's own."""
    return [_at(seed, step * batch + i, count) for i in range(batch)]


def _at(seed: int, position: int, count: int) -> int:
    epoch, place = divmod(position, count)
    order = np.random.default_rng(seed_of(seed, "epoch", epoch)).permutation(count)
    return int(order[place])
