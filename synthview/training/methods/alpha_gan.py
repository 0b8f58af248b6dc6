"""α-GAN and its Wasserstein forms: a generator, an encoder, a critic of volumes and a critic of codes.

Kwon et al., MICCAI 2019 (α-WGAN: λ1 = λ2 = 10, L1; α-GAN: cross-entropies in place of Wasserstein distances); Ferreira
et al., Applied Sciences 2022 (SigmaRat 1: spectral normalisation, L1 + MSE; SigmaRat 2: λ1 = λ2 = 100, λ3 = 0.01 of the
gradient difference, MSE, AdamW); Wang et al., CSegSynth (tissue maps, and features in the second stage).

    encoder, generator   − D(G(E(x))) − D(G(z)) − C(E(x)) + λ2 · reconstruction + λ3 · gradient difference
    critic D             D(G(E(x))) + D(G(z)) − 2 D(x) + λ1 · gradient penalty
    code critic C        C(E(x)) − C(z) + λ1 · gradient penalty
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.training.losses import gradient_difference, gradient_penalty, says
from synthview.training.methods.base import Losses, Setting, frozen
from synthview.training.methods.conditions import Conditions, feature_terms
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks.critics import CodeCritic, Downward
from synthview.training.samples import Batch

RECONSTRUCTIONS = ("l1", "mse", "l1+mse")
ADVERSARIES = ("wasserstein", "cross-entropy")


@dataclass(frozen=True)
class AlphaNetwork(Sizes):
    """[network]: the generator's sizes and the others' widths.

    Attributes:
        critic_width: channels after the critic's first convolution.
        encoder_width: the encoder's.
        code_width: of the code critic's hidden layers.
        critic_spectral: spectral normalisation of the critics.
    """

    critic_width: int = 64
    encoder_width: int = 64
    code_width: int = 4096
    critic_spectral: bool = False


@dataclass(frozen=True)
class AlphaLoss:
    """[loss].

    Attributes:
        adversary: "wasserstein" with gradient penalty, or "cross-entropy".
        penalty: λ1.
        reconstruction: λ2.
        norm: of the reconstruction: "l1", "mse" or "l1+mse".
        gradient: λ3, of the gradient difference.
        optimiser: "adam" or "adamw".
        learning_rate: of all networks.
        weight_decay: AdamW's.
        generator_steps: updates of encoder and generator in each step.
        volume: weight of the tissues' volumes (tissue maps with features).
        feature: weight of the features told by an image (the critic's hidden layer must agree).
    """

    adversary: str = "wasserstein"
    penalty: float = 10.0
    reconstruction: float = 10.0
    norm: str = "l1"
    gradient: float = 0.0
    optimiser: str = "adam"
    learning_rate: float = 2e-4
    weight_decay: float = 0.01
    generator_steps: int = 1
    volume: float = 0.0
    feature: float = 0.0


class AlphaGan(OnePass):
    """See the module."""

    Network = AlphaNetwork
    Loss = AlphaLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._check()
        size, data, channels = self.network, self.recipe.data, self.samples.channels
        self.made = build_trainable(self.recipe.family, data.shape, size, len(data.features))
        length, spectral, told = self.made.latent_dim, size.critic_spectral, len(data.features)
        norm = "none" if self.loss.adversary == "wasserstein" else "instance"
        self.networks = {
            "generator": self.made.network,
            "encoder": Downward(channels, data.shape, size.encoder_width, length, norm="instance"),
            "critic": Downward(channels, data.shape, size.critic_width, norm=norm, spectral=spectral, features=told),
            "code critic": CodeCritic(length, size.code_width, spectral=spectral),
        }
        for network in self.networks.values():
            network.to(self.device)
        both = [*self.networks["generator"].parameters(), *self.networks["encoder"].parameters()]
        self.optimisers["generator"] = self._optimiser(both)
        for name in ("critic", "code critic"):
            self.optimisers[name] = self._optimiser(self.networks[name].parameters())

    def step(self, batch: Batch, step: int) -> Losses:
        """Encoder and generator, then the critic, then the code critic."""
        random = self.random("alpha-gan", step)
        given = Conditions.of(batch, self.device)
        real = batch.volumes.to(self.device)
        losses: Losses = {}
        for _ in range(self.loss.generator_steps):
            z = self.normal(random, len(real), self.made.latent_dim)
            with frozen(self.networks["critic"], self.networks["code critic"]), self.precision():
                found = self._generator_losses(real, z, given)
            self.update("generator", found["generator"])
            losses |= found
        with torch.no_grad(), self.precision():
            code = self.networks["encoder"](real)
            fakes = [self._make(code, given).float(), self._make(z, given).float()]
        losses["critic"] = self._critic_loss(real, fakes, given, random)
        self.update("critic", losses["critic"])
        losses["code critic"] = self._code_loss(code.float(), z, random)
        self.update("code critic", losses["code critic"])
        return losses

    def _make(self, z: torch.Tensor, given: Conditions) -> torch.Tensor:
        return self.volumes(self.networks["generator"], z, given.features)

    def _generator_losses(self, real: torch.Tensor, z: torch.Tensor, given: Conditions) -> Losses:
        critic, loss = self.networks["critic"], self.loss
        code = self.networks["encoder"](real)
        again, new = self._make(code, given), self._make(z, given)
        judged = self._fools(critic(again, given.features)) + self._fools(critic(new, given.features))
        losses: Losses = {"reconstruction": self._distance(again.float(), real)}
        total = (
            judged + self._fools(self.networks["code critic"](code)) + loss.reconstruction * losses["reconstruction"]
        )
        if loss.gradient:
            losses["gradient"] = gradient_difference(again.float(), real)
            total = total + loss.gradient * losses["gradient"]
        if loss.volume or loss.feature:
            terms = feature_terms(critic, real, again, new, given)
            losses |= terms
            total = total + loss.volume * terms["volume"] + loss.feature * terms["feature"]
        return {"generator": total, **losses}

    def _critic_loss(
        self, real: torch.Tensor, fakes: list[torch.Tensor], given: Conditions, random: torch.Generator
    ) -> torch.Tensor:
        critic, told = self.networks["critic"], given.features
        if self.loss.adversary == "cross-entropy":
            judged = sum((says(critic(fake, told), real=False) for fake in fakes), torch.zeros((), device=self.device))
            return judged + 2 * says(critic(real, told), real=True)
        total: torch.Tensor = -2 * critic(real, told).mean()
        for fake in fakes:
            mix = torch.rand(len(real), generator=random)
            penalty = gradient_penalty(lambda x: critic(x, told), real, fake, mix)
            total = total + critic(fake, told).mean() + self.loss.penalty * penalty
        return total

    def _code_loss(self, code: torch.Tensor, z: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        critic = self.networks["code critic"]
        if self.loss.adversary == "cross-entropy":
            return says(critic(z), real=True) + says(critic(code), real=False)
        mix = torch.rand(len(z), generator=random)
        distance: torch.Tensor = critic(code).mean() - critic(z).mean()
        penalty = gradient_penalty(critic, z, code, mix)
        return distance + float(self.loss.penalty) * penalty

    def _fools(self, scores: torch.Tensor) -> torch.Tensor:
        return says(scores, real=True) if self.loss.adversary == "cross-entropy" else -scores.mean()

    def _distance(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        absolute, squared = F.l1_loss(made, real), F.mse_loss(made, real)
        return {"l1": absolute, "mse": squared, "l1+mse": absolute + squared}[self.loss.norm]

    def _optimiser(self, parameters: Any) -> torch.optim.Optimizer:
        loss, betas = self.loss, (0.5, 0.999)
        if loss.optimiser == "adamw":
            return torch.optim.AdamW(parameters, loss.learning_rate, betas=betas, weight_decay=loss.weight_decay)
        return torch.optim.Adam(parameters, loss.learning_rate, betas=betas)

    def _check(self) -> None:
        for name, choices in (
            ("adversary", ADVERSARIES),
            ("norm", RECONSTRUCTIONS),
            ("optimiser", ("adam", "adamw")),
        ):
            if (value := getattr(self.loss, name)) not in choices:
                raise WrongRequestError(
                    f"{self.recipe.name}: loss.{name} must be one of {', '.join(choices)}, got {value!r}"
                )
