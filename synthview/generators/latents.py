"""Latents and other noise, drawn on the CPU so that a seed means the same on every device."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from synthview.errors import WrongRequestError

_LARGEST_SEED = 2**63 - 1
_NOISE_STREAM = 0x9E3779B97F4A7C15  # keeps a sampler's noise apart from the latent of the same seed


def sample_latents(
    shape: tuple[int, ...], seed: int, count: int = 1, truncation: float = 1.0
) -> npt.NDArray[np.float32]:
    """Draw latents from N(0, 1) and shrink them by the truncation.

    Row ``i`` is the latent of seed ``seed + i``, whatever the count: a batch of seeds 5, 6, 7 holds the same latents
    as three single draws.

    Args:
        shape: of one latent.
        seed: 0 to 2**63 - 1.
        count: number of latents, at least 1.
        truncation: factor ψ on the latents; 1 is the trained distribution, 0 the mean.

    Returns:
        float32 array (count, *shape).

    Raises:
        WrongRequestError: a seed, count or truncation outside its range.
    """
    if count < 1:
        raise WrongRequestError(f"the number of latents must be 1 or more, got {count}")
    if not (math.isfinite(truncation) and truncation >= 0):
        raise WrongRequestError(f"truncation must be 0 or more (1 is the trained distribution), got {truncation}")
    rows = [torch.randn(shape, generator=_generator(seed + i), dtype=torch.float32).numpy() for i in range(count)]
    return np.stack(rows) * np.float32(truncation)


def noise_source(seed: int | None) -> torch.Generator:
    """Where an iterative sampler draws its noise after the latent; without a seed, that of seed 0."""
    seed = seed or 0
    _check(seed)
    return torch.Generator().manual_seed((seed + _NOISE_STREAM) % 2**64)


def _generator(seed: int) -> torch.Generator:
    _check(seed)
    return torch.Generator().manual_seed(seed)


def _check(seed: int) -> None:
    if not 0 <= seed <= _LARGEST_SEED:
        raise WrongRequestError(f"a seed must be between 0 and {_LARGEST_SEED}, got {seed}")
