"""Losses of the published trainings."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F  # noqa: N812


def gradient_difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of neighbouring voxels' differences, over the three axes (Mathieu et al. 2016).

    Args:
        a: (N, C, I, J, K).
        b: the same.
    """
    return _between_neighbours(F.mse_loss, a, b)


def edge_difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbouring voxels' differences: faint edges count as much as strong ones.

    Args:
        a: (N, C, I, J, K).
        b: the same.
    """
    return _between_neighbours(F.l1_loss, a, b)


def _between_neighbours(distance: Callable[..., torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean over the axes of a distance of neighbouring voxels' differences."""
    return torch.stack([distance(a.diff(dim=axis), b.diff(dim=axis)) for axis in (2, 3, 4)]).mean()


def gradient_penalty(
    critic: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor
) -> torch.Tensor:
    """Mean of (‖∇critic‖ - 1)² between real and generated (Gulrajani et al. 2017).

    Args:
        critic: gives (N, …) scores.
        real: (N, …).
        fake: the same.
        mix: (N,) shares of real, 0-1.
    """
    share = mix.view(-1, *[1] * (real.ndim - 1)).to(real)
    between = (share * real.detach() + (1 - share) * fake.detach()).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norms: torch.Tensor = slope.flatten(1).norm(dim=1)
    return ((norms - 1) ** 2).mean()


def kl_to_normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL divergence of N(mean, exp(log_variance)) from N(0, 1), mean over all numbers."""
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).mean()


def kl_between(
    mean: torch.Tensor, log_variance: torch.Tensor, prior_mean: torch.Tensor, prior_log_variance: torch.Tensor
) -> torch.Tensor:
    """KL divergence of one diagonal normal distribution from another, mean over all numbers."""
    ratio = ((mean - prior_mean) ** 2 + log_variance.exp()) / prior_log_variance.exp()
    return 0.5 * (prior_log_variance - log_variance + ratio - 1).mean()


def says(scores: torch.Tensor, *, real: bool, counts: torch.Tensor | None = None) -> torch.Tensor:
    """Binary cross-entropy of a discriminator's scores (logits) against "all real" or "all generated".

    Args:
        scores: of any shape.
        real: which of the two.
        counts: how much each score counts, of the same shape; alike if not given.
    """
    target = torch.ones_like(scores) if real else torch.zeros_like(scores)
    if counts is None:
        return F.binary_cross_entropy_with_logits(scores, target)
    return F.binary_cross_entropy_with_logits(scores, target, counts, reduction="sum") / counts.sum().clamp_min(1)


def least_squares(scores: torch.Tensor, *, real: bool, counts: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of a discriminator's scores from 1, "real", or 0, "generated" (LSGAN, Mao et al. 2017).

    Unlike cross-entropy it doesn't grow without bounds under a discriminator that is far ahead.

    Args:
        scores: of any shape.
        real: which of the two.
        counts: how much each score counts, of the same shape.
    """
    return ((scores - float(real)) ** 2 * counts).sum() / counts.sum().clamp_min(1)


def soft_cross_entropy(logits: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (N, C, I, J, K) logits against probabilities, less the probabilities' own entropy.

    It is 0 where they agree, so that it can be read like a distance.
    """
    entropy = torch.special.entr(probabilities).sum(1).mean()
    cross: torch.Tensor = -(probabilities * F.log_softmax(logits, dim=1)).sum(1).mean()
    return cross - torch.as_tensor(entropy)
