"""What differs between two scans of the same anatomy: contrast, coil sensitivity, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthview.training.data.fields import Floats

_BIAS_WAVES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1))  # half waves along each axis
NUMBERS = ("gamma", *(f"bias {number}" for number in range(1, len(_BIAS_WAVES) + 1)))
_TRUNCATION = 2.0  # standard deviations


@dataclass(frozen=True)
class Appearance:
    """How much the appearance varies; the defaults are mild, as the scans bring their own.

    Attributes:
        gamma: standard deviation of the logarithm of the gamma.
        bias: standard deviation of the logarithm of the coil sensitivity left over.
        noise: largest standard deviation of Rician noise, as a share of ``reference``.
        reference: the value that noise and gamma refer to (white matter).
    """

    gamma: float = 0.06
    bias: float = 0.03
    noise: float = 0.015
    reference: float = 170.0


def change_appearance(
    image: Floats, mask: Floats, how: Appearance, rng: np.random.Generator, numbers: Floats | None = None
) -> Floats:
    """An image as another scanner might have shown it.

    Args:
        image: (I, J, K), at least 0.
        mask: (I, J, K), 0-1: what is not background; background stays 0.
        how: how much.
        rng: where the noise is drawn from, and all of it without ``numbers``.
        numbers: from N(0, 1), as ``NUMBERS`` says: they decide contrast and coil sensitivity.
    """
    drawn = rng.standard_normal(len(NUMBERS)) if numbers is None else numbers
    contrast, *bias = np.clip(drawn, -_TRUNCATION, _TRUNCATION)
    gamma = float(np.exp(contrast * how.gamma))
    changed = how.reference * (np.maximum(image, 0) / how.reference) ** np.float32(gamma)
    changed = changed * np.exp(np.float32(how.bias) * _sensitivity(image.shape, bias))
    level = rng.uniform(0.2, 1.0) * how.noise * how.reference
    real, imaginary = (rng.standard_normal((2, *image.shape)) * level).astype(np.float32)
    noisy = np.hypot(changed + real, imaginary)  # magnitude of a complex signal: Rician
    return np.where(mask > 0.05, noisy, 0).astype(np.float32)


def _sensitivity(shape: Sequence[int], numbers: Sequence[float]) -> Floats:
    """A smooth field of standard deviation near 1: cosines of half a wave along an axis, and products of two."""
    along = [np.cos(np.pi * (np.arange(n, dtype=np.float32) + 0.5) / n) * np.sqrt(2) for n in shape]
    field = np.zeros(tuple(shape), dtype=np.float32)
    for number, waves in zip(numbers, _BIAS_WAVES, strict=True):
        parts = [wave if count else np.ones_like(wave) for wave, count in zip(along, waves, strict=True)]
        field += np.float32(number / np.sqrt(len(_BIAS_WAVES))) * np.einsum("i,j,k->ijk", *parts)
    return field
