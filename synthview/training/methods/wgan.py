"""WGAN with gradient penalty, and C-GAN: a generator and a critic, both told the features where there are some.

Gulrajani et al., NeurIPS 2017; 3dbraingen's and MRIAnatEval's WGAN; CSegSynth's GAN and C-GAN.

    critic     D(G(z)) − D(x) + penalty · (‖∇D‖ − 1)²
    generator  − D(G(z)) (+ the tissues' volumes)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthview.training.losses import gradient_penalty
from synthview.training.methods.base import Losses, Setting, adam, frozen
from synthview.training.methods.conditions import Conditions, volume_term
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks.critics import Downward
from synthview.training.samples import Batch


@dataclass(frozen=True)
class WganSizes(Sizes):
    """[network]: the generator's sizes and the critic's width."""

    critic_width: int = 64


@dataclass(frozen=True)
class WganLoss:
    """[loss].

    Attributes:
        learning_rate: of both networks.
        penalty: weight of the gradient penalty.
        critic_steps: updates of the critic in each step.
        volume: weight of the volumes of tissues of the same features.
    """

    learning_rate: float = 1e-4
    penalty: float = 10.0
    critic_steps: int = 1
    volume: float = 0.0


class Wgan(OnePass):
    """See the module."""

    Network = WganSizes
    Loss = WganLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        size, data = self.network, self.recipe.data
        told = len(data.features)
        self.made = build_trainable(self.recipe.family, data.shape, size, told)
        self.networks = {
            "generator": self.made.network,
            "critic": Downward(self.samples.channels, data.shape, size.critic_width, features=told),
        }
        for name, network in self.networks.items():
            self.optimisers[name] = adam(network.to(self.device), self.loss.learning_rate, (0.0, 0.9))

    def step(self, batch: Batch, step: int) -> Losses:
        """The critic some times, then the generator."""
        random = self.random("wgan", step)
        real, given = batch.volumes.to(self.device), Conditions.of(batch, self.device)
        critic, told = self.networks["critic"], given.features
        losses: Losses = {}
        for _ in range(self.loss.critic_steps):
            z = self.normal(random, len(real), self.made.latent_dim)
            with torch.no_grad(), self.precision():
                fake = self._make(z, told).float()
            mix = torch.rand(len(real), generator=random)
            penalty = gradient_penalty(lambda x: critic(x, told), real, fake, mix)
            distance = critic(real, told).mean() - critic(fake, told).mean()
            self.update("critic", self.loss.penalty * penalty - distance)
            losses |= {"distance": distance, "penalty": penalty}
        z = self.normal(random, len(real), self.made.latent_dim)
        with frozen(critic), self.precision():
            made = self._make(z, told)
            losses["generator"] = -critic(made, told).float().mean()
            if self.loss.volume:
                losses["volume"] = volume_term(real, made)
                losses["generator"] = losses["generator"] + self.loss.volume * losses["volume"]
        self.update("generator", losses["generator"])
        return losses

    def _make(self, z: torch.Tensor, told: torch.Tensor | None) -> torch.Tensor:
        return self.volumes(self.networks["generator"], z, told)
