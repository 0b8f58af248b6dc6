"""VAE-GAN: a variational autoencoder whose decoder also has to fool a discriminator; VAE and C-VAE without that.

Larsen et al., ICML 2016; at 64³ for brain MRI: Kwon et al., MICCAI 2019 (3dbraingen, which compares with it); C-VAE of
tissue maps, whose prior depends on the features: CSegSynth.

    encoder       KL(q(z | x) ‖ N(0, 1), or the prior p(z | features)) + reconstruction
    generator     reconstruction − adversary: D(G(q)) and D(G(z))
    discriminator cross-entropy: real, reconstructed and new
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F  # noqa: N812

from synthview.generators.networks.csegsynth import CSegSynthNetwork
from synthview.training.losses import kl_between, kl_to_normal, says
from synthview.training.methods.base import Losses, Setting, adam, frozen
from synthview.training.methods.conditions import Conditions
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks.critics import Downward
from synthview.training.networks.forwards import csegsynth_posterior
from synthview.training.samples import Batch


@dataclass(frozen=True)
class VaeGanSizes(Sizes):
    """[network]: the generator's sizes and the others' widths."""

    critic_width: int = 64
    encoder_width: int = 64


@dataclass(frozen=True)
class VaeGanLoss:
    """[loss].

    Attributes:
        learning_rate: of all networks.
        kl: weight of the divergence; KL and reconstruction are means, not sums.
        reconstruction: weight of L1.
        hidden: weight of the difference of the discriminator's hidden layers.
        adversary: weight of fooling the discriminator; 0 makes it a plain VAE.
    """

    learning_rate: float = 1e-4
    kl: float = 0.01
    reconstruction: float = 10.0
    hidden: float = 1.0
    adversary: float = 0.1


class VaeGan(OnePass):
    """See the module; with features also C-VAE-GAN, whose encoder and discriminator are told them."""

    Network = VaeGanSizes
    Loss = VaeGanLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        size, data, channels = self.network, self.recipe.data, self.samples.channels
        told = len(data.features)
        self.made = build_trainable(self.recipe.family, data.shape, size, told)
        length = 2 * self.made.latent_dim
        self.networks = {
            "generator": self.made.network,
            "encoder": Downward(channels, data.shape, size.encoder_width, length, norm="instance", features=told),
            "critic": Downward(channels, data.shape, size.critic_width, norm="instance", features=told),
        }
        for name, network in self.networks.items():
            self.optimisers[name] = adam(network.to(self.device), self.loss.learning_rate)

    def step(self, batch: Batch, step: int) -> Losses:
        """Encoder and generator, then the discriminator."""
        random = self.random("vae-gan", step)
        real, given = batch.volumes.to(self.device), Conditions.of(batch, self.device)
        noise = self.normal(random, len(real), self.made.latent_dim)
        z = self.normal(random, len(real), self.made.latent_dim)
        critic = self.networks["critic"]
        with frozen(critic), self.precision():
            losses, again, new = self._made(real, given, noise, z)
        for name in ("encoder", "generator"):
            self.optimisers[name].zero_grad(set_to_none=True)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        for name in ("encoder", "generator"):
            self.optimisers[name].step()
        if self.loss.adversary:
            told = given.features
            judged = says(critic(real, told), real=True)
            for fake in (again, new):
                judged = judged + says(critic(fake.detach().float(), told), real=False) / 2
            self.update("critic", judged)
            losses["critic"] = judged
        return losses

    def _made(
        self, real: torch.Tensor, given: Conditions, noise: torch.Tensor, z: torch.Tensor
    ) -> tuple[Losses, torch.Tensor, torch.Tensor]:
        critic, loss, told = self.networks["critic"], self.loss, given.features
        mean, log_variance = self.networks["encoder"](real, told).float().chunk(2, dim=1)
        code = mean + noise * torch.exp(0.5 * log_variance)
        again, new = self._decode(code, told, encoded=True), self._decode(z, told)
        losses: Losses = {"kl": self._divergence(mean, log_variance, told), "L1": F.l1_loss(again.float(), real)}
        total = loss.kl * losses["kl"] + loss.reconstruction * losses["L1"]
        if loss.hidden and loss.adversary:
            losses["hidden"] = F.mse_loss(critic.hidden(again), critic.hidden(real).detach())  # type: ignore[operator]
            total = total + loss.hidden * losses["hidden"]
        if loss.adversary:
            fooled = says(critic(again, told), real=True) + says(critic(new, told), real=True)
            total = total + loss.adversary * fooled
        return {"loss": total, **losses}, again, new

    def _divergence(self, mean: torch.Tensor, log_variance: torch.Tensor, told: torch.Tensor | None) -> torch.Tensor:
        generator = self.networks["generator"]
        if told is None or not isinstance(generator, CSegSynthNetwork) or generator.prior is None:
            return kl_to_normal(mean, log_variance)
        prior = generator.prior
        return kl_between(mean, log_variance, prior.head_mean(told).float(), prior.head_log_var(told).float())

    def _decode(self, z: torch.Tensor, told: torch.Tensor | None, *, encoded: bool = False) -> torch.Tensor:
        generator = self.networks["generator"]
        if encoded and isinstance(generator, CSegSynthNetwork):
            made = csegsynth_posterior(generator, z, told)
        else:
            made = self.made.forward(generator, z, told)
        return F.softmax(made, dim=1) if self.made.tissues else made
