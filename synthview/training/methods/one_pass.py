"""What the methods share whose generator makes a volume in one pass from a latent drawn from N(0, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  (torch's own short name)

from synthview.training.methods.base import Method
from synthview.training.methods.families import Trainable


class OnePass(Method):
    """A method for a generator that makes a volume in one pass.

    Attributes:
        made: the generator in training; subclasses set it in ``__init__``.
    """

    made: Trainable

    def latents(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """N(0, 1): (count, latent_dim), on the CPU."""
        return torch.randn(count, self.made.latent_dim, generator=generator)

    def sample(self, averages: Mapping[str, nn.Module], z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
        """Volumes (N, C, I, J, K) of latents (N, latent_dim), in [-1, 1], or probabilities of tissues."""
        return self.volumes(averages["generator"], z.to(self.device), features)

    def arguments(self) -> dict[str, Any]:
        """What the family can't read from the weights."""
        return self.made.stated(self.samples.data.about)

    def volumes(self, generator: nn.Module, z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
        """The generator's output, (N, C, I, J, K); tissues as probabilities."""
        made = self.made.forward(generator, z, features)
        return F.softmax(made, dim=1) if self.made.tissues else made
