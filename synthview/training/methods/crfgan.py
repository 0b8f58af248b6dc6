"""CRF-GAN: HA-GAN's sub-volumes, with a conditional random field in place of the low-resolution branch.

Mahmoudi Shahid et al., "Memory-Efficient 3D High-Resolution Medical Image Synthesis Using CRF-Guided GANs" (ICPR 2024
workshops, github.com/mahshid1998/CRF-GAN).  The field's nodes are the slices of the generator's coarse features; slices
that are alike should be judged alike, so that the whole volume hangs together though the critic sees one slab of it.

    generator   cross-entropy of (critic + field) / 2
    field       cross-entropy: coarse features of the generator, and those that the encoder makes of real scans
    encoder     L1 of the fine half's picture of a slab
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.generators.networks.hagan import HaGanNetwork
from synthview.training.losses import says
from synthview.training.methods.base import Losses, Setting, adam, frozen
from synthview.training.methods.families import build_trainable
from synthview.training.methods.hagan import QUARTER, HaGanLoss, HaGanSizes, SlabEncoder
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks import forwards
from synthview.training.networks.critics import Downward
from synthview.training.samples import Batch


class Field(nn.Module):
    """A fully connected conditional random field over slices, solved by mean-field iterations (Li & Ping 2018).

    Args:
        nodes: slices.
        iterations: of the mean field.
    """

    def __init__(self, nodes: int, iterations: int = 10) -> None:
        super().__init__()
        self.iterations = iterations
        self.weight = nn.Parameter(torch.zeros(1, nodes, nodes))

    def forward(self, coarse: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Coarse features (N, C, nodes, J, K) and the critic's scores (N, 1) to scores (N, 1)."""
        slices = F.normalize(coarse.float().transpose(1, 2).flatten(2), dim=2)
        pairwise = slices @ slices.transpose(1, 2) * (self.weight + self.weight.transpose(1, 2)) / 2
        unary = scores.float().expand(-1, pairwise.shape[1])
        logits = unary
        for _ in range(self.iterations):
            expected = (pairwise * (2 * torch.sigmoid(logits) - 1)[:, None]).sum(2)
            logits = unary + expected
        return logits.mean(1, keepdim=True)


@dataclass(frozen=True)
class CrfGanLoss(HaGanLoss):
    """[loss]: as HA-GAN's; the field learns at the critic's rate."""


class CrfGanMethod(OnePass):
    """See the module."""

    Network = HaGanSizes
    Loss = CrfGanLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        shape, size = self.recipe.data.shape, self.network
        self.made = build_trainable(self.recipe.family, shape, size)
        generator = self.made.network
        if not isinstance(generator, HaGanNetwork) or generator.sub_G is not None:
            raise WrongRequestError(f"{self.recipe.name}: method crf-gan trains the family crf-gan only")
        self.slices = shape[0] // QUARTER
        if not 1 <= size.slab <= self.slices:
            raise WrongRequestError(f"{self.recipe.name}: network.slab must be from 1 to {self.slices}")
        self.networks = {
            "generator": generator,
            "encoder": SlabEncoder(size.encoder_width, generator.channels[5]),
            "critic": Downward(
                1, (size.slab * QUARTER, shape[1], shape[2]), size.critic_width, spectral=True, features=1
            ),
            "field": Field(self.slices),
        }
        rates = {"generator": self.loss.learning_rate, "encoder": self.loss.learning_rate}
        for name, network in self.networks.items():
            rate = rates.get(name, self.loss.critic_rate)
            self.optimisers[name] = adam(network.to(self.device), rate, (0.0, 0.999))

    def step(self, batch: Batch, step: int) -> Losses:
        """Critic, generator, field, encoder."""
        random = self.random("crf-gan", step)
        real = batch.volumes.to(self.device)
        first = int(torch.randint(self.slices - self.network.slab + 1, (), generator=random))
        slab = real[:, :, first * QUARTER : (first + self.network.slab) * QUARTER]
        draws = [self.normal(random, len(real), self.made.latent_dim) for _ in range(3)]
        losses: Losses = {}
        with torch.no_grad(), self.precision():
            fake, _ = self._make(draws[0], first)
        with self.precision():
            losses["critic"] = says(self._judge(slab, first), real=True) + says(self._judge(fake, first), real=False)
        self.update("critic", losses["critic"])
        with frozen(self.networks["critic"], self.networks["field"]), self.precision():
            made, coarse = self._make(draws[1], first)
            scores = self._judge(made, first)
            losses["generator"] = says((self.networks["field"](coarse, scores) + scores) / 2, real=True)
        self.update("generator", losses["generator"])
        losses["field"] = self._field_step(real, slab, draws[2], first)
        with frozen(self._generator), self.precision():
            again = forwards.hagan_fine(self._generator, self.networks["encoder"](slab)).float()
            losses["encoder"] = F.l1_loss(again, slab)
        self.update("encoder", losses["encoder"])
        return losses

    @property
    def _generator(self) -> HaGanNetwork:
        return cast(HaGanNetwork, self.networks["generator"])

    def _make(self, z: torch.Tensor, first: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A slab of the volume of a latent, and the coarse features of the whole."""
        coarse = forwards.hagan_coarse(self._generator, z)
        fine = forwards.hagan_fine(self._generator, coarse[:, :, first : first + self.network.slab])
        return fine.float(), coarse

    def _judge(self, slab: torch.Tensor, first: int) -> torch.Tensor:
        place = slab.new_full((len(slab), 1), first / self.slices)
        return cast(torch.Tensor, self.networks["critic"](slab, place))

    def _field_step(self, real: torch.Tensor, slab: torch.Tensor, z: torch.Tensor, first: int) -> torch.Tensor:
        field = self.networks["field"]
        with torch.no_grad(), self.precision():
            made, coarse = self._make(z, first)
            seen = self.networks["encoder"](real)
            scores = [self._judge(slab, first), self._judge(made, first)]
        loss = says(field(seen, scores[0]), real=True) + says(field(coarse, scores[1]), real=False)
        self.update("field", loss)
        return loss
