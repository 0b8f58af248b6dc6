"""The generators that can be trained: built from a recipe's sizes, with gradients, opened by their family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from synthview.errors import WrongRequestError
from synthview.generators.networks.brain3dgan import Brain3dAlphaGan, Brain3dWgan
from synthview.generators.networks.crfgan import CrfGan
from synthview.generators.networks.csegsynth import SCALE as CSEG_SCALE
from synthview.generators.networks.csegsynth import CSegSynthNetwork
from synthview.generators.networks.hagan import HU_RANGE, HaGan, HaGanNetwork
from synthview.generators.networks.hagan_sizes import PUBLISHED_CHANNELS, SMALL, WIDTHS, Size
from synthview.generators.networks.sigmarat import SigmaRatNetwork
from synthview.generators.networks.stem_stack import StemStackNetwork
from synthview.training.dataset import Description
from synthview.training.networks import forwards
from synthview.volume import VolumeKind


@dataclass(frozen=True)
class Sizes:
    """[network] of the one-pass generators.

    Attributes:
        latent_dim: length of the latent; CSegSynth's is 32·channel instead.
        channel: channels of the last hidden layer; CSegSynth: channel_base.
        channels: HA-GAN and CRF-GAN: into conv1 … conv7; none: 16, 16, 16, 8, 4, 2 and 1 times ``channel``.
        cell: HA-GAN and CRF-GAN: voxels along a cell of the first grid, 16 or 8.  Within a cell all detail comes from a
            few numbers of 16·channel: 8 for sharp pictures of few people.
        spectral_norm: SigmaRat 1's.
        prior: CSegSynth: features shape the noise, as in C-VAE.
    """

    latent_dim: int = 64
    channel: int = 16
    channels: tuple[int, ...] | None = None
    cell: int = 16
    spectral_norm: bool = False
    prior: bool = False


@dataclass(frozen=True)
class Trainable:
    """A generator in training.

    Attributes:
        network: its weights.
        forward: (z, features) to volumes in [-1, 1], or to logits of four tissues.
        latent_dim: length of z.
        tissues: whether it gives logits of four tissues.
        arguments: what the family can't read from the weights.
    """

    network: nn.Module
    forward: Callable[[nn.Module, torch.Tensor, torch.Tensor | None], torch.Tensor]
    latent_dim: int
    tissues: bool
    arguments: dict[str, Any]

    def stated(self, about: Description) -> dict[str, Any]:
        """The arguments; of CT stored in the range of values that HA-GAN's has, that it comes in Hounsfield units."""
        hounsfield = about.kind is VolumeKind.CT and (about.intercept, about.slope * 255 + about.intercept) == HU_RANGE
        return {**self.arguments, "output": "hu"} if hounsfield and "output" in self.arguments else dict(self.arguments)


def build_trainable(family: str, shape: Size, sizes: Sizes, features: int = 0) -> Trainable:
    """A generator with seeded weights (torch's own seed).

    Raises:
        WrongRequestError: the family can't be trained, or not at this size.
    """
    if family not in _BUILDERS:
        raise WrongRequestError(f"family {family!r} can't be trained by this method; {', '.join(_BUILDERS)} can")
    made = _BUILDERS[family](shape, sizes, features)
    forwards.initialise(made.network)
    return made


def _sigmarat(shape: Size, sizes: Sizes, features: int) -> Trainable:
    _only("sigmarat", shape, (64, 64, 64), features)
    network = SigmaRatNetwork(sizes.latent_dim, sizes.channel, spectral=sizes.spectral_norm)
    return Trainable(
        network, lambda n, z, _: forwards.sigmarat(cast(SigmaRatNetwork, n), z), sizes.latent_dim, False, {}
    )


def _stem_stack(family: type[Brain3dAlphaGan] | type[Brain3dWgan]) -> Callable[[Size, Sizes, int], Trainable]:
    def build(shape: Size, sizes: Sizes, features: int) -> Trainable:
        _only(family.id, shape, family.layout.size, features)
        network = StemStackNetwork(family.layout, sizes.latent_dim, sizes.channel)
        return Trainable(
            network, lambda n, z, _: forwards.stem_stack(cast(StemStackNetwork, n), z), sizes.latent_dim, False, {}
        )

    return build


def _hagan(*, branch: bool) -> Callable[[Size, Sizes, int], Trainable]:
    def build(shape: Size, sizes: Sizes, features: int) -> Trainable:
        if features:
            raise WrongRequestError("ha-gan and crf-gan take no features of data.features; leave them out")
        known = (HaGan if branch else CrfGan).sizes
        channels = sizes.channels or tuple(sizes.channel * width for width in WIDTHS)
        if len(channels) != len(WIDTHS):
            raise WrongRequestError(f"network.channels must be {len(WIDTHS)} numbers, got {len(channels)}")
        published = shape in known and channels == PUBLISHED_CHANNELS
        cell = sizes.cell
        if cell not in SMALL:
            raise WrongRequestError(f"network.cell must be one of {', '.join(map(str, SMALL))}, not {cell}")
        if not published and any(n % cell for n in shape):
            names = ", ".join(map(str, known))
            raise WrongRequestError(f"data.shape {shape} can't be made: multiples of {cell} can, or {names}")
        grid = (4, 4, 4) if published else (shape[0] // cell, shape[1] // cell, shape[2] // cell)
        factors = known[shape] if published else SMALL[cell]
        network = HaGanNetwork(sizes.latent_dim, factors, branch=branch, channels=channels, grid=grid)
        arguments = {"size": list(shape), "latent_dim": sizes.latent_dim, "num_class": 0, "output": "unit"}
        return Trainable(network, lambda n, z, _: _whole(n, z), sizes.latent_dim, False, arguments)

    return build


def _whole(network: nn.Module, z: torch.Tensor) -> torch.Tensor:
    hagan = cast(HaGanNetwork, network)
    return forwards.hagan_fine(hagan, forwards.hagan_coarse(hagan, z))


def _csegsynth(shape: Size, sizes: Sizes, features: int) -> Trainable:
    if any(n % CSEG_SCALE for n in shape):
        raise WrongRequestError(f"csegsynth makes volumes whose axes are multiples of {CSEG_SCALE}, not {shape}")
    grid = (shape[0] // CSEG_SCALE, shape[1] // CSEG_SCALE, shape[2] // CSEG_SCALE)
    network = CSegSynthNetwork(32 * sizes.channel, features, prior=sizes.prior, grid=grid)
    return Trainable(
        network,
        lambda n, z, f: forwards.csegsynth(cast(CSegSynthNetwork, n), z, f),
        32 * sizes.channel,
        True,
        {},
    )


def _only(family: str, shape: Size, made: Size, features: int) -> None:
    if shape != made:
        raise WrongRequestError(f"{family} makes volumes of {made} voxels, not {shape}: set data.shape")
    if features:
        raise WrongRequestError(f"{family} takes no features; leave data.features out")


_BUILDERS: dict[str, Callable[[Size, Sizes, int], Trainable]] = {
    "sigmarat": _sigmarat,
    "3dbraingen-alpha-gan": _stem_stack(Brain3dAlphaGan),
    "3dbraingen-wgan": _stem_stack(Brain3dWgan),
    "ha-gan": _hagan(branch=True),
    "crf-gan": _hagan(branch=False),
    "csegsynth": _csegsynth,
}
