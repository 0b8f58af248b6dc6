"""An autoencoder and a UNet of latent diffusion, as they begin to be trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from synthview.generators.networks.monai_layers import build_autoencoder, build_diffusion
from synthview.training.networks.doubled import double_quickly

_SILENT = -6.0  # logarithm of the variance of noise that hides nothing


@dataclass(frozen=True)
class LdmNetwork:
    """[network].

    Attributes:
        autoencoder: channels of the autoencoder's levels; each but the first halves the grid.
        autoencoder_blocks: of residual layers on each level; none on the first, whose grid is the largest, makes it
            three times as fast.  A level without any has as many channels as the next.
        latent_channels: of the latent.
        res_blocks: of each level of the UNet.
        resblock_updown: whether the UNet changes its grid by residual layers, or by a convolution, which is faster.
        diffusion: channels of the UNet's levels.
        attention: whether each level of the UNet attends.
        critic_width: of the autoencoder's discriminator.
        fine_width: of the one that is shown fine detail.
    """

    autoencoder: tuple[int, ...] = (32, 64, 64)
    autoencoder_blocks: tuple[int, ...] = (1, 1, 1)
    latent_channels: int = 3
    res_blocks: int = 1
    resblock_updown: bool = True
    diffusion: tuple[int, ...] = (64, 128, 256)
    attention: tuple[bool, ...] = (False, True, True)
    critic_width: int = 32
    fine_width: int = 24


class Scale(nn.Module):
    """What latents are multiplied by, found after the first phase; 0 before that."""

    value: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.zeros(()))

    @property
    def found(self) -> bool:
        """Whether the first phase is over."""
        return bool(self.value > 0)


def trainable_autoencoder(size: LdmNetwork) -> nn.Module:
    """MONAI's AutoencoderKL, whose latents begin almost without noise: it would hide what little they say at first."""
    autoencoder = build_autoencoder(_autoencoder(size))
    last = cast(Any, autoencoder).quant_conv_log_sigma.conv
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, _SILENT)
    double_quickly(autoencoder)
    return autoencoder


def trainable_diffusion(size: LdmNetwork, features: int) -> nn.Module:
    """MONAI's DiffusionModelUNet, told so many features."""
    diffusion = build_diffusion(_diffusion(size, features))
    double_quickly(diffusion)
    return diffusion


def groups_of(size: LdmNetwork) -> int:
    """Of both networks' normalisations, four channels or more each: one alone would lose how bright a piece is."""
    return max(1, math.gcd(32, *size.autoencoder, *size.diffusion) // 4)


def _autoencoder(size: LdmNetwork) -> dict[str, Any]:
    levels = len(size.autoencoder)
    return {
        "layout": "core",
        "in_channels": 1,
        "out_channels": 1,
        "latent_channels": size.latent_channels,
        "channels": size.autoencoder,
        "num_res_blocks": size.autoencoder_blocks,
        "attention_levels": (False,) * levels,
        "with_encoder_nonlocal_attn": False,
        "with_decoder_nonlocal_attn": False,
        "norm_num_groups": groups_of(size),
    }


def _diffusion(size: LdmNetwork, features: int) -> dict[str, Any]:
    levels = len(size.diffusion)
    return {
        "layout": "core",
        "in_channels": size.latent_channels + features,
        "out_channels": size.latent_channels,
        "channels": size.diffusion,
        "num_res_blocks": (size.res_blocks,) * levels,
        "attention_levels": size.attention,
        "num_head_channels": tuple(c if a else 0 for c, a in zip(size.diffusion, size.attention, strict=True)),
        "norm_num_groups": groups_of(size),
        "resblock_updown": size.resblock_updown,
        "with_conditioning": features > 0,
        "cross_attention_dim": features or None,
    }
