"""MONAI's networks for latent diffusion, also as MONAI GenerativeModels wrote them.

MONAI core took AutoencoderKL and DiffusionModelUNet over from GenerativeModels and renamed some layers.  One change is
more than a name: self-attention (without a context) ends in a projection, which GenerativeModels holds (``proj_attn``)
but never applies.  Here the three kinds of layers that differ take the place of MONAI's in files of the older layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.samplers.steps import Steps


class UnprojectedAttention(nn.Module):
    """GenerativeModels' self-attention: its projection is there, and is not applied."""

    def __init__(self, channels: int, heads: int, groups: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels, eps=epsilon)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.proj_attn = nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, D, H, W) to the same."""
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        attended = _attend(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens), self.heads)
        return x + attended.transpose(1, 2).view(x.shape)


class NamedAttention(nn.Module):
    """GenerativeModels' attention in transformers: MONAI core's, with another name for its last layer."""

    def __init__(self, channels: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context, channels, bias=False)
        self.to_v = nn.Linear(context, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))

    def forward(self, x: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """(N, tokens, C) and what it looks at, itself if not given, to (N, tokens, C)."""
        source = x if context is None else context
        out: torch.Tensor = self.to_out(_attend(self.to_q(x), self.to_k(source), self.to_v(source), self.heads))
        return out


class NamedUpsample(nn.Module):
    """Nearest ×2 and a convolution: MONAI core's, with another name for the convolution."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor, emb: torch.Tensor | None = None) -> torch.Tensor:
        """(N, C, D, H, W) to twice the grid."""
        out: torch.Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return out


def build_autoencoder(arguments: Mapping[str, Any]) -> nn.Module:
    """MONAI's AutoencoderKL in three dimensions; ``arguments`` from ``autoencoder_arguments``.

    Raises:
        ValueError: arguments that do not go together.
    """
    from monai.networks.nets.autoencoderkl import AutoencoderKL

    given = {k: v for k, v in arguments.items() if k != "layout"}
    network = AutoencoderKL(spatial_dims=3, use_flash_attention=True, **given)
    return _renamed(network) if arguments["layout"] == "generative" else network


def build_diffusion(arguments: Mapping[str, Any]) -> nn.Module:
    """MONAI's DiffusionModelUNet in three dimensions; ``arguments`` from ``diffusion_arguments``.

    Raises:
        ValueError: arguments that do not go together.
    """
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

    given = {k: v for k, v in arguments.items() if k != "layout"}
    heads = given["num_head_channels"] or tuple(given["channels"])  # open: one head, which has the same shapes
    given["num_head_channels"] = tuple(h or c for h, c in zip(heads, given["channels"], strict=True))
    network = DiffusionModelUNet(spatial_dims=3, use_flash_attention=True, **given)
    return _renamed(network) if arguments["layout"] == "generative" else network


def decode_steps(autoencoder: nn.Module, latent: torch.Tensor) -> Steps[torch.Tensor]:
    """The decoder, block by block: (N, C, d, h, w) to the volume."""
    x: torch.Tensor = cast(Any, autoencoder).post_quant_conv(latent)
    blocks = list(cast(Any, autoencoder).decoder.blocks)
    work = 0.0
    total = sum(8.0**level for level in _grid_levels(blocks))
    for block, level in zip(blocks, _grid_levels(blocks), strict=True):
        x = block(x)
        work += 8.0**level
        yield work / total
    return x


def predict_steps(
    unet: nn.Module,
    x: torch.Tensor,
    time: float,
    context: torch.Tensor | None = None,
    classes: torch.Tensor | None = None,
) -> Steps[torch.Tensor]:
    """One pass of a DiffusionModelUNet, level by level: (N, C, d, h, w) to the same grid."""
    from monai.networks.nets.diffusion_model_unet import get_timestep_embedding

    net = cast(Any, unet)
    times = torch.full([len(x)], time, device=x.device)
    embedded = net.time_embed(get_timestep_embedding(times, net.block_out_channels[0]))
    if net.num_class_embeds is not None:
        embedded = embedded + net.class_embedding(classes)
    h = net.conv_in(x)
    skips = [h]
    levels = len(net.down_blocks)
    for done, block in enumerate(net.down_blocks):
        h, found = block(hidden_states=h, temb=embedded, context=context)
        skips.extend(found)
        yield (done + 1) / (2 * levels + 2)
    h = net.middle_block(hidden_states=h, temb=embedded, context=context)
    for done, block in enumerate(net.up_blocks):
        yield (levels + done + 1) / (2 * levels + 2)
        count = len(block.resnets)
        h = block(hidden_states=h, res_hidden_states_list=skips[-count:], temb=embedded, context=context)
        del skips[-count:]
    out: torch.Tensor = net.out(h)
    return out


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """Attention of (N, tokens, C) with some heads."""
    q, k, v = (t.view(*t.shape[:2], heads, -1).transpose(1, 2) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _grid_levels(blocks: list[nn.Module]) -> list[int]:
    """How often the grid was doubled before, or by, each block."""
    from monai.networks.blocks import Upsample

    levels, level = [], 0
    for block in blocks:
        level += isinstance(block, Upsample | NamedUpsample)
        levels.append(level)
    return levels


def _renamed(network: nn.Module) -> nn.Module:
    """The same network with GenerativeModels' layers where they differ (in place)."""
    for name, child in list(network.named_children()):
        replacement = _generative(child)
        if replacement is not None:
            network.add_module(name, replacement)
        else:
            _renamed(child)
    return network


def _generative(layer: nn.Module) -> nn.Module | None:
    """GenerativeModels' version of one of MONAI core's layers, if there is another."""
    from monai.networks.blocks import CrossAttentionBlock, SABlock, SpatialAttentionBlock, Upsample

    if isinstance(layer, SpatialAttentionBlock):
        norm = layer.norm
        return UnprojectedAttention(norm.num_channels, layer.attn.num_heads, norm.num_groups, norm.eps)
    if isinstance(layer, SABlock):
        return NamedAttention(layer.hidden_input_size, layer.hidden_input_size, layer.num_heads)
    if isinstance(layer, CrossAttentionBlock):
        return NamedAttention(layer.hidden_input_size, layer.context_input_size, layer.num_heads)
    if isinstance(layer, Upsample) and hasattr(layer, "postconv"):
        return NamedUpsample(layer.postconv)
    return None
