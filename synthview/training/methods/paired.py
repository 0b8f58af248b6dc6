"""A generator trained to make each sample of its own code, which nothing has to find; so it learns within an hour.

    code of a sample (``codes.py``) ─ generator ─ volume  ~  the sample:  L1 + gradient difference
                                                  │          tissue maps: cross-entropy + L1
                                                  └ patch discriminator, later and if at all: texture
    HA-GAN, with an encoder:
    the sample ─ encoder ─ coarse features ─ the generator's fine half ─ volume  ~  the sample
    code ─ the generator's coarse half ─ coarse features  ~  the encoder's

After Bojanowski et al., "Optimizing the Latent Space of Generative Networks", ICML 2018.  What the code doesn't say, or
the network hasn't learnt yet, comes out as an average.  A discriminator of small patches, as in pix2pix (Isola et al.,
CVPR 2017), then puts texture where there would be a blur.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.generators.networks.csegsynth import CSegSynthNetwork
from synthview.generators.networks.hagan import HaGanNetwork
from synthview.training.codes import Codes, component_codes, known_codes, random_codes
from synthview.training.losses import edge_difference, gradient_difference, says, soft_cross_entropy
from synthview.training.methods.base import Losses, Setting, adam, frozen
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.hagan import SlabEncoder
from synthview.training.methods.one_pass import OnePass
from synthview.training.muon import Muon, split_matrices
from synthview.training.networks import forwards
from synthview.training.networks.critics import BACKGROUND, FineCritic, PatchCritic, patches_with_anatomy
from synthview.training.recipe import Recipe
from synthview.training.samples import Batch, Samples

_CRITIC_AHEAD = 100  # steps that the discriminator learns before anybody hears it
_SILENT = -8.0  # logarithm of the variance of noise that a network should not hear
_LOUD = 2.2  # of codes that it should hear from the beginning: three times as loud as its constants


@dataclass(frozen=True)
class PairedLoss:
    """Weights.

    Attributes:
        learning_rate: of Adam.
        matrix_rate: of Muon, for the weights of convolutions and linear layers between the first and the last; 0: Adam
            for these too.
        gradient: weight of the gradient difference beside L1 (scans).
        edges: weight of the absolute difference of neighbours' differences (scans), for which faint edges count too.
        foreground: how much more voxels count that are not background; most of a scan is black, and black is easy.
        absolute: weight of L1 beside the cross-entropy (tissue maps).
        coarse: weight of HA-GAN's low-resolution branch.
        encoder: weight of what an encoder learns along with HA-GAN's generator: coarse features of which the fine half
            makes the sample, and which the coarse half has to make of the code.  Fine detail is learnt sooner, as the
            encoder sees where it is.  0: without.
        jitter: standard deviation of noise on the codes, so that neighbours of a code look like it.
        code_rate: of Adam, for the codes; 0: they stay.
        adversary: weight of fooling the patch discriminator; 0: there is none.
        adversary_from: first step at which that counts; the discriminator learns from a hundred steps earlier.
        critic_rate: of Adam, for the discriminator.
    """

    learning_rate: float = 2e-3
    matrix_rate: float = 0.0
    gradient: float = 1.0
    edges: float = 0.0
    foreground: float = 0.0
    absolute: float = 1.0
    coarse: float = 0.2
    encoder: float = 0.0
    jitter: float = 0.0
    code_rate: float = 0.0
    adversary: float = 0.0
    adversary_from: int = 0
    critic_rate: float = 4e-4


@dataclass(frozen=True)
class PairedSizes(Sizes):
    """[network]: the generator's sizes, and those of the networks that teach it.

    Attributes:
        critic_width: first channels of the discriminator.
        critic_spectral: whether it is normalised spectrally: too weak for a scan's texture.
        critic_fine: whether it is shown fine detail by itself, louder (scans).
        encoder_width: channels of the encoder.
    """

    critic_width: int = 16
    critic_spectral: bool = True
    critic_fine: bool = False
    encoder_width: int = 16


class Paired(OnePass):
    """See the module."""

    Network = PairedSizes
    Loss = PairedLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._codes = Codes(setting.cached["codes"], self.samples.features)
        made = build_trainable(self.recipe.family, self.recipe.data.shape, self.network, len(self.recipe.data.features))
        self.made = made
        if self._codes.length > made.latent_dim:
            raise WrongRequestError(
                f"{self.samples.data.folder}: {self._codes.length} numbers decide a sample, more than the "
                f"{made.latent_dim} of a latent; {self.recipe.name} needs a larger network.latent_dim"
            )
        if isinstance(made.network, CSegSynthNetwork):
            _let_codes_be_heard(made.network, self._codes.length)
        self.networks["generator"] = made.network.to(self.device)
        everything: list[nn.Parameter] = list(made.network.parameters())
        matrices, rest = split_matrices(made.network) if self.loss.matrix_rate else ([], everything)
        self.optimisers["generator"] = torch.optim.Adam(rest, lr=self.loss.learning_rate, betas=(0.9, 0.99))
        if matrices:
            self.optimisers["matrices"] = Muon(matrices, lr=self.loss.matrix_rate)
        self.networks["codes"] = self._codes
        if self.loss.code_rate and self.samples.data.codes is None:
            # without momentum, so that only codes of this step's samples move
            self.optimisers["codes"] = torch.optim.Adam(
                self._codes.parameters(), lr=self.loss.code_rate, betas=(0.0, 0.99)
            )

        if self.loss.encoder:
            self._add_encoder(made.network)
        if self.loss.adversary:
            self.networks["critic"] = self._make_critic().to(self.device)
            self.optimisers["critic"] = adam(self.networks["critic"], self.loss.critic_rate)

    def _make_critic(self) -> PatchCritic:
        sizes: PairedSizes = self.network
        if not sizes.critic_fine:
            return PatchCritic(self.samples.channels, sizes.critic_width, spectral=sizes.critic_spectral)
        if self.made.tissues:
            raise WrongRequestError(f"{self.recipe.name}: network.critic_fine is for scans; leave it out")
        return FineCritic(sizes.critic_width)

    def _add_encoder(self, generator: nn.Module) -> None:
        if not isinstance(generator, HaGanNetwork):
            raise WrongRequestError(f"{self.recipe.name}: loss.encoder is for HA-GAN and CRF-GAN; leave it out")
        encoder = SlabEncoder(self.network.encoder_width, generator.channels[5]).to(self.device)
        self.networks["encoder"] = encoder
        self.optimisers["encoder"] = torch.optim.Adam(encoder.parameters(), self.loss.learning_rate, betas=(0.9, 0.99))

    @classmethod
    def prepare(cls, recipe: Recipe, samples: Samples) -> dict[str, Any]:
        """The codes: those that decided the samples, where the training set knows them, or main components.

        Where latents are longer than codes, the rest is noise, which the network learns to ignore.
        """
        codes = known_codes(samples)
        if codes is None:
            codes = component_codes(samples, int(recipe.network.get("latent_dim", Sizes.latent_dim)))
        return {"codes": codes}

    def step(self, batch: Batch, step: int) -> Losses:
        """Generator (and codes), then the discriminator."""
        random = self.random("paired", step)
        z = self._codes(batch.indices)
        z = z + self.loss.jitter * torch.randn(z.shape, generator=random)
        if rest := self.made.latent_dim - z.shape[1]:
            z = torch.cat([z, random_codes(random, len(z), rest)], dim=1)
        wanted = batch.volumes.to(self.device)
        features = None if batch.features is None else batch.features.to(self.device)
        with self.precision():
            losses, made = self._compare(z.to(self.device), features, wanted)
        critic = self.networks.get("critic") if step >= self.loss.adversary_from - _CRITIC_AHEAD else None
        counts = None if critic is None else patches_with_anatomy(wanted)
        if critic is not None and step >= self.loss.adversary_from:
            with frozen(critic), self.precision():
                losses["fooled"] = says(critic(made), real=True, counts=counts)
            losses["loss"] = losses["loss"] + self.loss.adversary * losses["fooled"]
        self._descend(losses["loss"])
        if critic is not None:
            with self.precision():
                losses["critic"] = says(critic(wanted), real=True, counts=counts)
                losses["critic"] = losses["critic"] + says(critic(made.detach()), real=False, counts=counts)
            self.update("critic", losses["critic"])
        return losses

    def _descend(self, loss: torch.Tensor) -> None:
        """A step of all optimisers but the discriminator's."""
        optimisers = [optimiser for name, optimiser in self.optimisers.items() if name != "critic"]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimiser in optimisers:
            optimiser.step()
        if "codes" in self.optimisers:
            self._codes.settle()

    def _compare(
        self, z: torch.Tensor, features: torch.Tensor | None, wanted: torch.Tensor
    ) -> tuple[Losses, torch.Tensor]:
        """The losses against the samples, and what was made: volumes, or probabilities of tissues."""
        network, loss = self.networks["generator"], self.loss
        if self.made.tissues:
            logits = self.made.forward(network, z, features).float()
            entropy = soft_cross_entropy(logits, wanted)
            probabilities = F.softmax(logits, dim=1)
            absolute = (probabilities - wanted).abs().mean()
            total = entropy + loss.absolute * absolute
            return {"loss": total, "cross-entropy": entropy, "L1": absolute}, probabilities
        if not isinstance(network, HaGanNetwork):
            made = self.made.forward(network, z, features).float()
            return self._image_losses(made, wanted), made
        shared = forwards.hagan_coarse(network, z)
        made = forwards.hagan_fine(network, shared).float()
        losses = self._image_losses(made, wanted)
        if network.sub_G is not None:
            losses["coarse"] = self._distance(network.sub_G(shared).float(), F.avg_pool3d(wanted, 4))
            losses["loss"] = losses["loss"] + loss.coarse * losses["coarse"]
        if loss.encoder:
            seen = self.networks["encoder"](wanted)
            again = self._image_losses(forwards.hagan_fine(network, seen).float(), wanted)["loss"]
            losses |= {"again": again, "features": F.mse_loss(shared.float(), seen.detach().float())}
            losses["loss"] = losses["loss"] + loss.encoder * (again + losses["features"])
        return losses, made

    def _image_losses(self, made: torch.Tensor, wanted: torch.Tensor) -> Losses:
        losses = {"L1": self._distance(made, wanted), "gradient": gradient_difference(made, wanted)}
        total = losses["L1"] + self.loss.gradient * losses["gradient"]
        if self.loss.edges:
            losses["edges"] = edge_difference(made, wanted)
            total = total + self.loss.edges * losses["edges"]
        return {"loss": total, **losses}

    def _distance(self, made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """L1, weighted."""
        weight = 1 + self.loss.foreground * (wanted > BACKGROUND)
        mean: torch.Tensor = ((made - wanted).abs() * weight).sum() / weight.sum()
        return mean

    def latents(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """N(0, 1)."""
        return random_codes(generator, count, self.made.latent_dim)


@torch.no_grad()
def _let_codes_be_heard(network: CSegSynthNetwork, used: int) -> None:
    """Where CSegSynth's latent is longer than the codes, begin with loud codes and without noise in the rest.

    Each number of a latent has a pattern of its own on the first grid, and the layers after it see no place.  So the
    rest of the numbers begin as constants, whose patterns tell a place from another: without them a code's effect
    cannot differ from place to place, and none was learnt in two hundred steps.
    """
    prior, condition = network.prior, network.condition
    if prior is None or condition is None:
        return
    spread, constant = cast(nn.Linear, prior.head_log_var[-1]), cast(nn.Linear, condition.nets[-1])
    spread.bias[:used] = _LOUD
    spread.weight[used:] = 0.0
    spread.bias[used:] = _SILENT
    constant.bias.normal_()
    for name, parameter in network.named_parameters():
        if name.endswith("gamma"):
            parameter.fill_(1.0)
