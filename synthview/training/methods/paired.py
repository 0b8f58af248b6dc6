"""A generator trained to make each sample of its own code: no encoder, no adversary, and so it learns within an hour.

    code of a sample (``codes.py``) ─ generator ─ volume  ~  the sample:  L1 + gradient difference
                                                             tissue maps: cross-entropy + L1

After Bojanowski et al., "Optimizing the Latent Space of Generative Networks", ICML 2018.  It is for training sets whose
samples differ smoothly: warps of one individual, or people without texture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from synthview.generators.networks.hagan import HaGanNetwork
from synthview.training.codes import Codes, component_codes, random_codes
from synthview.training.losses import gradient_difference, soft_cross_entropy
from synthview.training.methods.base import Losses, Setting
from synthview.training.methods.families import Sizes, build_trainable
from synthview.training.methods.one_pass import OnePass
from synthview.training.networks import forwards
from synthview.training.recipe import Recipe
from synthview.training.samples import Batch, Samples

_BACKGROUND = -0.96  # what is darker counts as background


@dataclass(frozen=True)
class PairedLoss:
    """Weights.

    Attributes:
        learning_rate: of Adam.
        gradient: weight of the gradient difference beside L1 (scans).
        foreground: how much more voxels count that are not background; most of a scan is black, and black is easy.
        absolute: weight of L1 beside the cross-entropy (tissue maps).
        coarse: weight of HA-GAN's low-resolution branch.
        jitter: standard deviation of noise on the codes, so that neighbours of a code look like it.
        code_rate: of Adam, for the codes; 0: they stay.
    """

    learning_rate: float = 2e-3
    gradient: float = 1.0
    foreground: float = 0.0
    absolute: float = 1.0
    coarse: float = 0.2
    jitter: float = 0.0
    code_rate: float = 0.0


class Paired(OnePass):
    """See the module."""

    Network = Sizes
    Loss = PairedLoss

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        made = build_trainable(self.recipe.family, self.recipe.data.shape, self.network, len(self.recipe.data.features))
        self.made = made
        self.networks["generator"] = made.network.to(self.device)
        self.optimisers["generator"] = torch.optim.Adam(
            made.network.parameters(), lr=self.loss.learning_rate, betas=(0.9, 0.99)
        )
        self._codes = Codes(setting.cached["codes"], self.samples.features)
        self.networks["codes"] = self._codes
        if self.loss.code_rate:  # without momentum, so that only codes of this step's samples move
            self.optimisers["codes"] = torch.optim.Adam(
                self._codes.parameters(), lr=self.loss.code_rate, betas=(0.0, 0.99)
            )

    @classmethod
    def prepare(cls, recipe: Recipe, samples: Samples) -> dict[str, Any]:
        """The codes.  Where latents are longer than codes, the rest is noise, which the network learns to ignore."""
        length = int(recipe.network.get("latent_dim", Sizes.latent_dim))
        return {"codes": component_codes(samples, length)}

    def step(self, batch: Batch, step: int) -> Losses:
        """One step of Adam."""
        random = self.random("paired", step)
        z = self._codes(batch.indices)
        z = z + self.loss.jitter * torch.randn(z.shape, generator=random)
        if rest := self.made.latent_dim - z.shape[1]:
            z = torch.cat([z, random_codes(random, len(z), rest)], dim=1)
        wanted = batch.volumes.to(self.device)
        features = None if batch.features is None else batch.features.to(self.device)
        with self.precision():
            losses = self._losses(z.to(self.device), features, wanted)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        for optimiser in self.optimisers.values():
            optimiser.step()
        if self.loss.code_rate:
            self._codes.settle()
        return losses

    def _losses(self, z: torch.Tensor, features: torch.Tensor | None, wanted: torch.Tensor) -> Losses:
        network, loss = self.networks["generator"], self.loss
        if self.made.tissues:
            logits = self.made.forward(network, z, features).float()
            entropy = soft_cross_entropy(logits, wanted)
            absolute = (F.softmax(logits, dim=1) - wanted).abs().mean()
            return {"loss": entropy + loss.absolute * absolute, "cross-entropy": entropy, "L1": absolute}
        losses: Losses = {}
        if isinstance(network, HaGanNetwork) and network.sub_G is not None:
            shared = forwards.hagan_coarse(network, z)
            made, small = forwards.hagan_fine(network, shared).float(), network.sub_G(shared).float()
            losses["coarse"] = self._distance(small, F.avg_pool3d(wanted, 4))
        else:
            made = self.made.forward(network, z, features).float()
        losses["L1"] = self._distance(made, wanted)
        losses["gradient"] = gradient_difference(made, wanted)
        total = losses["L1"] + loss.gradient * losses["gradient"]
        if "coarse" in losses:
            total = total + loss.coarse * losses["coarse"]
        return {"loss": total, **losses}

    def _distance(self, made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """L1, weighted."""
        weight = 1 + self.loss.foreground * (wanted > _BACKGROUND)
        mean: torch.Tensor = ((made - wanted).abs() * weight).sum() / weight.sum()
        return mean

    def latents(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """N(0, 1)."""
        return random_codes(generator, count, self.made.latent_dim)
