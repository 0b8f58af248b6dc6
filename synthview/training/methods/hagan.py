"""HA-GAN: sub-volumes at full resolution beside the whole volume at a quarter of it.

Sun et al., IEEE JBHI 2022.  Memory and time go into a slab an eighth of the volume thick, at a random place; what it
can't see, the low-resolution branch does.

    z ─ coarse half ─┬─ slab ─ fine half ─ slab of the volume ┐
                     └─ low-resolution branch ─ quarter ──────┴─ critic of slabs and critic of quarters, cross-entropy
    slab of a scan ─ encoder ─ coarse features of that slab ─ fine half ─ L1 to the slab          (weight 5)
    all slabs ─ encoder ─ joined ─ code encoder ─ z ─ both branches ─ L1 to slab and quarter      (weight 5)
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
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks import forwards
from synthview.training.networks.critics import Downward
from synthview.training.samples import Batch

QUARTER = 4


@dataclass(frozen=True)
class HaGanSizes(Sizes):
    """[network].

    Attributes:
        critic_width: channels after each critic's first convolution.
        encoder_width: channels of the slab encoder.
        slab: thickness of a slab in voxels of the quarter grid.
    """

    critic_width: int = 32
    encoder_width: int = 32
    slab: int = 4


@dataclass(frozen=True)
class HaGanLoss:
    """[loss].

    Attributes:
        learning_rate: of generator and encoders (1e-4 as published).
        critic_rate: of the critics (4e-4 as published).
        reconstruction: weight of L1 (5 as published).
        critic_steps: updates of the critic in each step.
    """

    learning_rate: float = 1e-4
    critic_rate: float = 4e-4
    reconstruction: float = 5.0
    critic_steps: int = 1


class SlabEncoder(nn.Module):
    """A slab of the volume to the generator's coarse features of that slab: two convolutions of stride 2.

    Args:
        width: channels between.
        outputs: channels of the coarse features, 2c.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(1, width, 4, stride=2, padding=1),
            nn.GroupNorm(1, width),
            nn.ReLU(),
            nn.Conv3d(width, width, 3, padding=1),
            nn.GroupNorm(1, width),
            nn.ReLU(),
            nn.Conv3d(width, outputs, 4, stride=2, padding=1),
            nn.GroupNorm(1, outputs),
            nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, I, J, K) to (N, outputs, I/4, J/4, K/4)."""
        return cast(torch.Tensor, self.layers(x))


class HaGanMethod(OnePass):
    """See the module."""

    Network = HaGanSizes
    Loss = HaGanLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        shape, size = self.recipe.data.shape, self.network
        self.made = build_trainable(self.recipe.family, shape, size)
        generator = self.made.network
        if not isinstance(generator, HaGanNetwork) or generator.sub_G is None:
            raise WrongRequestError(f"{self.recipe.name}: method ha-gan trains the family ha-gan only")
        self.quarter = (shape[0] // QUARTER, shape[1] // QUARTER, shape[2] // QUARTER)
        if not 1 <= size.slab <= self.quarter[0]:
            raise WrongRequestError(f"{self.recipe.name}: network.slab must be from 1 to {self.quarter[0]}")
        coarse = generator.channels[5]
        slab = (size.slab * QUARTER, shape[1], shape[2])
        self.networks = {
            "generator": generator,
            "encoder": SlabEncoder(size.encoder_width, coarse),
            "code encoder": Downward(coarse, self.quarter, size.encoder_width, self.made.latent_dim, norm="instance"),
            "critic": Downward(1, slab, size.critic_width, spectral=True, features=1),  # and where the slab is
            "coarse critic": Downward(1, self.quarter, size.critic_width, spectral=True),
        }
        rate, betas = self.loss.learning_rate, (0.0, 0.999)
        for network in self.networks.values():
            network.to(self.device)
        self.optimisers = {
            "generator": adam(generator, rate, betas),
            "encoder": adam(self.networks["encoder"], rate, betas),
            "code encoder": adam(self.networks["code encoder"], rate, betas),
            "critic": adam(
                nn.ModuleList([self.networks["critic"], self.networks["coarse critic"]]), self.loss.critic_rate, betas
            ),
        }

    def step(self, batch: Batch, step: int) -> Losses:
        """Critics, generator, encoder, code encoder."""
        random = self.random("ha-gan", step)
        real = batch.volumes.to(self.device)
        small = F.avg_pool3d(real, QUARTER)
        first = int(torch.randint(self.quarter[0] - self.network.slab + 1, (), generator=random))
        slab = real[:, :, first * QUARTER : (first + self.network.slab) * QUARTER]
        losses: Losses = {}
        for _ in range(self.loss.critic_steps):
            z = self.normal(random, len(real), self.made.latent_dim)
            losses["critic"] = self._critic_step(slab, small, z, first)
        losses["generator"] = self._generator_step(self.normal(random, len(real), self.made.latent_dim), first)
        losses["encoder"] = self._encoder_step(slab)
        losses["code encoder"] = self._code_step(real, slab, small, first)
        return losses

    @property
    def _generator(self) -> HaGanNetwork:
        return cast(HaGanNetwork, self.networks["generator"])

    def _both(self, z: torch.Tensor, first: int) -> tuple[torch.Tensor, torch.Tensor]:
        """A slab of the volume of a latent, and the whole at a quarter."""
        generator = self._generator
        coarse = forwards.hagan_coarse(generator, z)
        fine = forwards.hagan_fine(generator, coarse[:, :, first : first + self.network.slab])
        return fine.float(), cast(nn.Module, generator.sub_G)(coarse).float()

    def _judge(self, slab: torch.Tensor, small: torch.Tensor, first: int, *, real: bool) -> torch.Tensor:
        """Mean cross-entropy of both critics' scores."""
        place = slab.new_full((len(slab), 1), first / self.quarter[0])
        scores = (self.networks["critic"](slab, place), self.networks["coarse critic"](small))
        return (says(scores[0], real=real) + says(scores[1], real=real)) / 2

    def _critic_step(self, slab: torch.Tensor, small: torch.Tensor, z: torch.Tensor, first: int) -> torch.Tensor:
        with torch.no_grad(), self.precision():
            made = self._both(z, first)
        with self.precision():
            loss = self._judge(slab, small, first, real=True) + self._judge(*made, first, real=False)
        self.update("critic", loss)
        return loss

    def _generator_step(self, z: torch.Tensor, first: int) -> torch.Tensor:
        with frozen(self.networks["critic"], self.networks["coarse critic"]), self.precision():
            loss = self._judge(*self._both(z, first), first, real=True)
        self.update("generator", loss)
        return loss

    def _encoder_step(self, slab: torch.Tensor) -> torch.Tensor:
        """The encoder learns what the generator's fine half makes into the slab again."""
        with frozen(self._generator), self.precision():
            again = forwards.hagan_fine(self._generator, self.networks["encoder"](slab)).float()
            loss = float(self.loss.reconstruction) * F.l1_loss(again, slab)
        self.update("encoder", loss)
        return loss

    def _code_step(self, real: torch.Tensor, slab: torch.Tensor, small: torch.Tensor, first: int) -> torch.Tensor:
        """The code encoder learns the latent that makes the whole scan again; the encoder only reads."""
        with torch.no_grad(), self.precision():
            coarse = self.networks["encoder"](real)
        with frozen(self._generator), self.precision():
            again, again_small = self._both(self.networks["code encoder"](coarse), first)
            loss = float(self.loss.reconstruction) * (F.l1_loss(again, slab) + F.l1_loss(again_small, small)) / 2
        self.update("code encoder", loss)
        return loss
