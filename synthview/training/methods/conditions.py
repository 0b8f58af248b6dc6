"""Features in adversarial trainings: what the networks are told, and losses that make them listen (CSegSynth)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.training.networks.critics import Downward
from synthview.training.samples import Batch


@dataclass(frozen=True)
class Conditions:
    """What is known of a batch besides its volumes.

    Attributes:
        features: (N, F) as the networks take them; None without features.
    """

    features: torch.Tensor | None

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Conditions:
        """A batch's."""
        return cls(None if batch.features is None else batch.features.to(device))


def feature_terms(
    critic: nn.Module, real: torch.Tensor, again: torch.Tensor, new: torch.Tensor, given: Conditions
) -> dict[str, torch.Tensor]:
    """How far generated volumes are from real ones of the same features.

    Args:
        critic: whose hidden layer compares pictures.
        real: (N, C, I, J, K).
        again: reconstructed from the real ones' codes.
        new: made of noise and the same features.
        given: the features.

    Returns:
        "volume": relative difference of each channel's volume (tissue maps: the tissues'), squared.
        "feature": L1 between the critic's hidden layers, of the reconstructed and the real.
    """
    volume = volume_term(real, again) + volume_term(real, new)
    judge = cast(Downward, critic)
    return {"volume": volume, "feature": F.l1_loss(judge.hidden(again), judge.hidden(real).detach())}


def volume_term(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Relative difference of each channel's volume (tissue maps: the tissues'), squared, mean over a batch."""
    wanted = _volumes(real)
    scale = wanted.abs() + 1e-3
    return F.mse_loss(_volumes(made) / scale, wanted / scale)


def _volumes(x: torch.Tensor) -> torch.Tensor:
    """Mean of each channel, but for the background's."""
    kept = x[:, :-1] if x.shape[1] > 1 else x
    return kept.float().mean((2, 3, 4))
