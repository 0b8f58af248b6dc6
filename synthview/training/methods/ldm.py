"""Latent diffusion in phases of one run: an autoencoder, a UNet that takes the noise out of its latents, the decoder.

Pinaya et al., "Brain Imaging Generation with Latent Diffusion Models", DGM4MICCAI 2022: AutoencoderKL trained with L1,
a small KL term, a perceptual and a patch-adversarial loss; then a UNet that is told the features twice, as constant
channels and as a token to attend to.  There is no pretrained network for a perceptual loss here; the discriminator's
hidden layers take its place (Larsen et al. 2016).

    autoencoder_steps   L1 + edges + kl · KL + hidden · difference of hidden layers + adversary · fooled
    those that remain   mean squared error of what the UNet predicts, at ``times``
    more_steps          the same, at all times alike
    decoder_steps       as at first, of the decoder alone, whose discriminator is shown fine detail

What latents can't say the decoder of the first phase leaves out, and volumes are soft.  In the last phase it puts in
detail as scans have it, without which a discriminator would tell it at once.  Learning rates fall within each phase;
the last two begin half way down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.generators.networks.monai_arguments import complete_arguments
from synthview.generators.networks.monai_ldm import LatentDiffusion
from synthview.generators.samplers.latent import make_levels
from synthview.generators.state_dicts import shapes_of
from synthview.training.losses import edge_difference, kl_to_normal, least_squares
from synthview.training.methods.base import Losses, Method, Setting, adam, frozen
from synthview.training.muon import Muon, split_matrices
from synthview.training.networks.critics import FineCritic, PatchCritic, patches_with_anatomy
from synthview.training.networks.latent_diffusion import (
    LdmNetwork,
    Scale,
    groups_of,
    trainable_autoencoder,
    trainable_diffusion,
)
from synthview.training.samples import Batch

_SCALED_BY = 16  # samples whose latents decide the scale
_PIECES_SHARE = 0.95  # of the first and last phase, during which the autoencoder sees pieces


@dataclass(frozen=True)
class LdmLoss:
    """[loss].

    Attributes:
        autoencoder_steps: steps of the first phase.
        crop: voxels of the pieces that the autoencoder sees, but for the last twentieth of its phases; none: whole
            scans.  What it does is local, and it learns more from pieces of many scans than from one scan.
        learning_rate: of the autoencoder.
        matrix_rate: of Muon, for the weights of both networks' inner layers; 0: AdamW for these too.
        critic_rate: of the discriminator.
        edges: weight of the absolute difference of neighbours' differences, for which faint edges count too.
        more_steps: of the UNet, in a second round.
        decoder_steps: steps of the last phase.
        fine: weight of fooling the last phase's discriminator.
        fine_rate: of that discriminator.
        keep_latents: whether only the decoder learns in the first phase: for a run that starts from another, whose UNet
            then stays right.
        kl: weight of the KL term, a mean over the latent's numbers; published weights (1e-6) are of their sum.
        hidden: weight of the discriminator's hidden layers' difference.
        adversary: weight of fooling the discriminator.
        adversary_from: first step at which it counts.
        diffusion_rate: learning rate of the UNet.
        times: at which times the UNet learns at first (see ``draw_times``).
        prediction: "v_prediction" or "epsilon".
        sampling_steps: of DDIM, for sheets and in the manifest.
    """

    autoencoder_steps: int = 10_000
    crop: tuple[int, int, int] | None = None
    learning_rate: float = 1e-4
    matrix_rate: float = 0.0
    critic_rate: float = 4e-4
    edges: float = 0.0
    more_steps: int = 0
    decoder_steps: int = 0
    fine: float = 0.02
    fine_rate: float = 1e-3
    keep_latents: bool = False
    kl: float = 1e-3
    hidden: float = 0.03
    adversary: float = 0.01
    adversary_from: int = 1000
    diffusion_rate: float = 1e-4
    times: tuple[float, float] | None = None
    prediction: str = "v_prediction"
    sampling_steps: int = 50


class Ldm(Method):
    """See the module."""

    Network = LdmNetwork
    Loss = LdmLoss
    averaged = ("autoencoder", "diffusion")
    shown = (0.0, 255.0)

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        if self.samples.channels != 1 or self.recipe.family != "monai-ldm":
            raise WrongRequestError(f"{self.recipe.name}: method ldm trains the family monai-ldm on images")
        size, told = self.network, len(self.recipe.data.features)
        if len(size.autoencoder_blocks) != len(size.autoencoder) or len(size.attention) != len(size.diffusion):
            raise WrongRequestError(
                f"{self.recipe.name}: network.autoencoder_blocks needs a number for each level of the autoencoder, and "
                "network.attention a yes or no for each level of the UNet"
            )
        self._phases()
        self.latent_size = self._latent_size()
        self._piece = self._piece_size()
        self._clean: torch.Tensor | None = None
        self.networks = {
            "autoencoder": trainable_autoencoder(size),
            "diffusion": trainable_diffusion(size, told),
            "critic": PatchCritic(1, size.critic_width, spectral=False),
            "scale": Scale(),
        }
        if self.loss.decoder_steps:
            self.networks["fine critic"] = FineCritic(size.fine_width)
        for network in self.networks.values():
            network.to(self.device)
        self._optimise("autoencoder", self.loss.learning_rate)
        self._optimise("diffusion", self.loss.diffusion_rate)
        self.optimisers["critic"] = adam(self.networks["critic"], self.loss.critic_rate)
        if self.loss.decoder_steps:
            self.optimisers["fine critic"] = adam(self.networks["fine critic"], self.loss.fine_rate)
        self._alphas = make_levels(
            1000, 50, "scaled_linear_beta", 0.0015, 0.0205, prediction=self.loss.prediction
        ).alphas_cumprod

    def _optimise(self, name: str, rate: float) -> None:
        """AdamW for a network, or Muon for its matrices and AdamW for the rest."""
        network = self.networks[name]
        everything: list[nn.Parameter] = list(network.parameters())
        matrices, rest = split_matrices(network) if self.loss.matrix_rate else ([], everything)
        self.optimisers[name] = torch.optim.AdamW(rest, rate)
        if matrices:
            self.optimisers[f"{name} matrices"] = Muon(matrices, lr=self.loss.matrix_rate)

    def done(self, step: int) -> float:
        """Of the phase that is on; of one that goes on with a network, its second half."""
        phase, begun, ends = self._phase(step)
        share = (step - begun) / (ends - begun)
        return share if phase in {"autoencoder", "diffusion"} else (1 + share) / 2

    def step(self, batch: Batch, step: int) -> Losses:
        """One step of the phase that is on."""
        phase, begun, _ = self._phase(step)
        if phase in {"autoencoder", "decoder"}:
            return self._autoencoder_step(batch, step, last=phase == "decoder")
        if phase == "diffusion" and step == begun:
            self._find_scale()
        return self._diffusion_step(batch, step, self.loss.times if phase == "diffusion" else None)

    def latents(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Noise of the latent's shape."""
        return torch.randn((count, self.network.latent_channels, *self.latent_size), generator=generator)

    def sample(self, averages: Mapping[str, nn.Module], z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
        """DDIM and the decoder, as the family does it; in the first phase, what becomes of real scans."""
        autoencoder = cast(Any, averages["autoencoder"])
        if not self._scale.found:
            indices = [int(row.flatten()[0].abs() * 1e4) % len(self.samples) for row in z]
            scans = torch.stack([self.samples.volume(index) for index in indices]).to(self.device)
            again: torch.Tensor = autoencoder.reconstruct((scans + 1) / 2)
            return again * 2 - 1
        given = complete_arguments(shapes_of(self.exported(averages)), self._stated())
        ldm = LatentDiffusion({**given, "size": self.latent_size})
        ldm.load_state_dict(self.exported(averages))
        out = z
        noise = torch.Generator().manual_seed(0)
        steps = min(self.loss.sampling_steps, 20)
        for _, made in ldm.to(self.device).eval().sample(z.to(self.device), features, noise, "ddim", steps):
            out = out if made is None else made
        return out * 2 - 1

    def exported(self, averages: Mapping[str, nn.Module]) -> dict[str, torch.Tensor]:
        """Both networks' tensors, as the family joins them."""
        parts = {name: averages[name].state_dict() for name in self.averaged}
        return {f"{name}.{key}": tensor for name, part in parts.items() for key, tensor in part.items()}

    @classmethod
    def networks_in(cls, tensors: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
        """Both networks', without their prefixes."""
        parts: dict[str, dict[str, torch.Tensor]] = {name: {} for name in cls.averaged}
        for key, tensor in tensors.items():
            name, _, rest = key.partition(".")
            if name in parts:
                parts[name][rest] = tensor
        return parts

    def arguments(self) -> dict[str, Any]:
        """What the family can't read from the weights."""
        return {**self._stated(), "size": list(self.latent_size), "output": "clip"}

    def _stated(self) -> dict[str, Any]:
        return {
            "scheduler": "ddim",
            "steps": self.loss.sampling_steps,
            "prediction_type": self.loss.prediction,
            "scale_factor": float(self._scale.value),
            "num_head_channels": "one",
            "norm_num_groups": groups_of(self.network),
        }

    @property
    def _scale(self) -> Scale:
        return cast(Scale, self.networks["scale"])

    def _phase(self, step: int) -> tuple[str, int, int]:
        """The phase that a step belongs to, the phase's first step, and the first after it."""
        return next(phase for phase in self._phases() if step < phase[2])

    def _phases(self) -> list[tuple[str, int, int]]:
        loss, steps = self.loss, self.recipe.training.steps
        denoised = steps - loss.decoder_steps
        ends = (loss.autoencoder_steps, denoised - loss.more_steps, denoised, steps)
        if (loss.more_steps or loss.decoder_steps) and ends[0] >= ends[1]:
            raise WrongRequestError(
                f"{self.recipe.name}: loss.autoencoder_steps ({loss.autoencoder_steps}), more_steps "
                f"({loss.more_steps}) and decoder_steps ({loss.decoder_steps}) leave none of training.steps ({steps})"
            )
        return list(zip(("autoencoder", "diffusion", "more", "decoder"), (0, *ends), ends, strict=False))

    def _latent_size(self) -> tuple[int, int, int]:
        halvings, more = len(self.network.autoencoder) - 1, len(self.network.diffusion) - 1
        shape = self.recipe.data.shape
        if any(n % 2 ** (halvings + more) for n in shape):
            raise WrongRequestError(
                f"{self.recipe.name}: data.shape {shape} is halved {halvings} times by the autoencoder and {more} by "
                f"the UNet; its axes must be multiples of {2 ** (halvings + more)}"
            )
        return (shape[0] >> halvings, shape[1] >> halvings, shape[2] >> halvings)

    def _piece_size(self) -> tuple[int, int, int]:
        shape, crop = self.recipe.data.shape, self.loss.crop or self.recipe.data.shape
        step = 2 ** (len(self.network.autoencoder) - 1)
        if len(crop) != 3 or any(n % step or not 0 < n <= whole for n, whole in zip(crop, shape, strict=True)):
            raise WrongRequestError(
                f"{self.recipe.name}: loss.crop must be three multiples of {step} within {shape}, not {crop}"
            )
        return (crop[0], crop[1], crop[2])

    def _cut(self, random: torch.Generator, volumes: torch.Tensor) -> torch.Tensor:
        """Pieces at a random place, the same in all."""
        for axis, size in enumerate(self._piece, start=2):
            first = int(torch.randint(volumes.shape[axis] - size + 1, (), generator=random))
            volumes = volumes.narrow(axis, first, size)
        return volumes

    def _seen(self, volumes: torch.Tensor, random: torch.Generator, step: int) -> torch.Tensor:
        """What the autoencoder sees of a batch: pieces, or towards the end about as many voxels in whole scans."""
        _, begun, ends = self._phase(step)
        if step - begun < _PIECES_SHARE * (ends - begun):
            return self._cut(random, volumes)
        share = math.prod(self._piece) / math.prod(volumes.shape[2:])
        return volumes[: max(1, round(share * len(volumes)))]

    def _autoencoder_step(self, batch: Batch, step: int, *, last: bool = False) -> Losses:
        random = self.random("ldm", step)
        scans = self._seen(batch.volumes.to(self.device), random, step)
        real = ((scans + 1) / 2).contiguous(memory_format=torch.channels_last_3d)
        counts = patches_with_anatomy(scans)
        halvings = len(self.network.autoencoder) - 1
        noise = self.normal(random, len(real), self.network.latent_channels, *(n >> halvings for n in real.shape[2:]))
        judge = "fine critic" if last else "critic"
        autoencoder, critic = cast(Any, self.networks["autoencoder"]), cast(PatchCritic, self.networks[judge])
        with frozen(critic), self.precision():
            with torch.set_grad_enabled(not (last or self.loss.keep_latents)):
                mean, sigma = autoencoder.encode(real)
            again = autoencoder.decode(mean + sigma * noise).float()
            losses: Losses = {
                "L1": F.l1_loss(again, real),
                "edges": edge_difference(again, real),
                "kl": kl_to_normal(mean.float(), 2 * sigma.float().log()),
                "hidden": _relative_difference(critic.hidden(again), critic.hidden(real).detach()),
            }
            total = losses["L1"] + sum(getattr(self.loss, name) * losses[name] for name in ("edges", "kl", "hidden"))
            if step >= self.loss.adversary_from:
                losses["fooled"] = least_squares(critic(again), real=True, counts=counts)
                total = total + (self.loss.fine if last else self.loss.adversary) * losses["fooled"]
        self.update("autoencoder", total)
        with self.precision():
            told_apart = least_squares(critic(real), real=True, counts=counts)
            told_apart = told_apart + least_squares(critic(again.detach()), real=False, counts=counts)
        self.update(judge, told_apart)
        return {"autoencoder": total, **losses, "critic": told_apart}

    @torch.no_grad()
    def _find_scale(self) -> None:
        """Latents are brought to a standard deviation of 1, over some samples."""
        self._scale.value.copy_(1 / self._latents(range(min(_SCALED_BY, len(self.samples)))).std())

    def _latents(self, indices: Sequence[int]) -> torch.Tensor:
        pairs = [list(indices[i : i + 2]) for i in range(0, len(indices), 2)]
        return torch.cat([self._encode(self.samples.take(pair).volumes.to(self.device)) for pair in pairs])

    @torch.no_grad()
    def _clean_latents(self) -> torch.Tensor:
        """Of all samples, at the scale of the diffusion; found once, since the autoencoder doesn't change any more."""
        if self._clean is None:
            self._clean = self._latents(range(len(self.samples))) * self._scale.value
        return self._clean

    def _encode(self, volumes: torch.Tensor) -> torch.Tensor:
        autoencoder = cast(Any, self.networks["autoencoder"])
        mean, _ = autoencoder.encode((volumes + 1) / 2)
        return cast(torch.Tensor, mean.float())

    def _diffusion_step(self, batch: Batch, step: int, times_at: tuple[float, float] | None) -> Losses:
        random = self.random("ldm", step)
        clean = self._clean_latents()[batch.indices]
        noise = self.normal(random, *clean.shape)
        times = draw_times(len(clean), len(self._alphas), times_at, random)
        alpha = self._alphas[times].to(self.device).view(-1, 1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        wanted = noise
        if self.loss.prediction == "v_prediction":
            wanted = alpha.sqrt() * noise - (1 - alpha).sqrt() * clean
        context = None
        if batch.features is not None:
            told = batch.features.to(self.device)
            noisy = torch.cat([noisy, told[:, :, None, None, None].expand(-1, -1, *clean.shape[2:])], dim=1)
            context = told[:, None]
        with self.precision():
            predicted = self.networks["diffusion"](noisy, times.to(self.device), context=context).float()
        loss = F.mse_loss(predicted, wanted)
        self.update("diffusion", loss)
        return {"diffusion": loss}


def draw_times(count: int, among: int, middle: tuple[float, float] | None, random: torch.Generator) -> torch.Tensor:
    """Times from 0 (clean) to below ``among`` (noise), (count,), for the UNet to learn at.

    Args:
        count: how many.
        among: how many times there are.
        middle: mean and standard deviation of the logit of the time as a share (Esser et al., "Scaling Rectified Flow
            Transformers for High-Resolution Image Synthesis", ICML 2024, eq. 19); none: uniform.
        random: decides.
    """
    if middle is None:
        return torch.randint(among, (count,), generator=random)
    mean, spread = middle
    share = torch.sigmoid(mean + spread * torch.randn(count, generator=random))
    return (share * among).long().clamp_max(among - 1)


def _relative_difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference, as a share of the second's mean absolute value."""
    return (a - b).abs().mean() / b.abs().mean().clamp_min(1e-6)
