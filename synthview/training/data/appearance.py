"""What differs between two scans of the same anatomy: contrast, coil sensitivity, noise, side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthview.training.data.fields import Floats, random_field

_BIAS_SIGMA_SHARE = 0.35  # of the volume's longest axis


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


def change_appearance(image: Floats, mask: Floats, how: Appearance, rng: np.random.Generator) -> Floats:
    """An image as another scanner might have shown it.

    Args:
        image: (I, J, K), at least 0.
        mask: (I, J, K), 0-1: what is not background; background stays 0.
        how: how much.
        rng: where it is drawn from.
    """
    gamma = float(np.exp(np.clip(rng.standard_normal(), -2, 2) * how.gamma))
    changed = how.reference * (np.maximum(image, 0) / how.reference) ** np.float32(gamma)
    sigma = _BIAS_SIGMA_SHARE * max(image.shape)
    changed = changed * np.exp(random_field(image.shape, sigma, how.bias, rng)[0])
    level = rng.uniform(0.2, 1.0) * how.noise * how.reference
    real, imaginary = (rng.standard_normal((2, *image.shape)) * level).astype(np.float32)
    noisy = np.hypot(changed + real, imaginary)  # magnitude of a complex signal: Rician
    return np.where(mask > 0.05, noisy, 0).astype(np.float32)
