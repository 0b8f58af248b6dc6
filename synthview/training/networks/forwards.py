"""The generators' forward passes with gradients.

``generators/networks`` runs the same layers in place and a part at a time, for speed and to be stopped; what is trained
here are those very modules, so that a training's weights open as their family.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.networks.csegsynth import ConvNeXtBlock, CSegSynthNetwork, DecoderNet
from synthview.generators.networks.hagan import HaGanNetwork
from synthview.generators.networks.sigmarat import Layer, SigmaRatNetwork
from synthview.generators.networks.stem_stack import StemStackNetwork
from synthview.training.networks.doubled import doubled_conv
from synthview.training.networks.sliced import sliced_conv

_LAST = torch.channels_last_3d


def sigmarat(network: SigmaRatNetwork, z: torch.Tensor) -> torch.Tensor:
    """(N, latent_dim) to (N, 1, 64, 64, 64) in [-1, 1]."""
    first = layer_weight(network.tp_conv1)
    x = (z @ first.flatten(1)).view(len(z), -1, *first.shape[2:]).contiguous(memory_format=_LAST)
    for i in range(2, 6):
        x = F.leaky_relu(F.instance_norm(x), 0.01)
        x = doubled_conv(x, layer_weight(cast(Layer, network.get_submodule(f"tp_conv{i}"))))
    return torch.tanh(x)


def layer_weight(layer: Layer) -> torch.Tensor:
    """A layer's weight; spectrally normalised with a step of power iteration where it is (Miyato et al. 2018)."""
    if not layer.spectral:
        return layer.weight
    weight = layer.weight_orig.transpose(0, 1) if layer.transposed else layer.weight_orig
    matrix = weight.flatten(1)
    u, v = layer.get_buffer("weight_u"), layer.get_buffer("weight_v")
    with torch.no_grad():
        if layer.training:
            v.copy_(F.normalize(matrix.T @ u, dim=0, eps=1e-12))
            u.copy_(F.normalize(matrix @ v, dim=0, eps=1e-12))
    return layer.weight_orig / torch.dot(u.clone(), matrix @ v.clone())


def stem_stack(network: StemStackNetwork, z: torch.Tensor) -> torch.Tensor:
    """(N, latent_dim) to (N, 1, 64, 64, 64) in [-1, 1]: the α-GANs and VAE-GAN of 3dbraingen."""
    x = network.fc(z) if network.layout.stem == "fc" else z @ network.tp_conv1.weight.flatten(1)
    x = x.view(len(z), -1, *network.layout.grid).contiguous(memory_format=_LAST)
    for i, name in enumerate(network.layout.convs):
        x = F.relu(network.get_submodule(f"bn{i + 1}")(x))
        x = doubled_conv(x, cast(nn.Conv3d, network.get_submodule(name)).weight)
    return torch.tanh(x)


def hagan_coarse(network: HaGanNetwork, z: torch.Tensor) -> torch.Tensor:
    """(N, width) to what conv5 gives: 64 channels (2c) at a quarter of the grid, from which both branches start."""
    x: torch.Tensor = network.fc1(z).view(len(z), -1, *network.grid).contiguous(memory_format=_LAST)
    for i in range(1, 6):
        x = _hagan_layer(network, i, x)
    return x


def hagan_fine(network: HaGanNetwork, x: torch.Tensor) -> torch.Tensor:
    """From there to the volume, or to a slab of it, (N, 1, I, J, K) in [-1, 1]."""
    return torch.tanh(_hagan_layer(network, 7, _hagan_layer(network, 6, x)))


def _hagan_layer(network: HaGanNetwork, i: int, x: torch.Tensor) -> torch.Tensor:
    conv = cast(nn.Conv3d, network.get_submodule(f"tp_conv{i}"))
    if tuple(network.factors[i - 1]) == (2, 2, 2):
        x = doubled_conv(x, conv.weight, conv.bias)
    else:
        if tuple(network.factors[i - 1]) != (1, 1, 1):
            x = F.interpolate(x, scale_factor=list(network.factors[i - 1]))
        x = conv(x)
    return F.relu(network.get_submodule(f"bn{i}")(x)) if i < 7 else x


def csegsynth(network: CSegSynthNetwork, z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
    """Latents (N, h), and features (N, F) where the network takes them, to logits (N, 4, I, J, K)."""
    if features is not None and network.prior is not None:
        z = network.prior(features, z)
    return csegsynth_posterior(network, z, features)


def csegsynth_posterior(network: CSegSynthNetwork, z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
    """The same from an encoder's latents, which no prior has to shape any more."""
    if features is not None and network.condition is not None:
        z = z + network.condition(features)
    return csegsynth_decoder(network.decoder_net, z)


def csegsynth_decoder(decoder: DecoderNet, code: torch.Tensor) -> torch.Tensor:
    """Codes (N, h) to logits (N, 4, I, J, K)."""
    x = code
    for level, stage in enumerate(decoder.stages):
        layers = cast(nn.Sequential, decoder.upsample_layers[level])
        if level:
            norm, _, conv = layers
            x = F.interpolate(norm(x), scale_factor=2.0, mode="trilinear", align_corners=False)
            x = sliced_conv(cast(nn.Conv3d, conv), x.contiguous(memory_format=_LAST))
        else:
            first, norm = cast(nn.ConvTranspose3d, layers[0]), layers[1]
            x = x.view(*x.shape, 1, 1, 1) * first.weight[:, 0] + cast(torch.Tensor, first.bias).view(-1, 1, 1, 1)
            x = norm(x)
        for block in cast(nn.Sequential, stage):
            x = _convnext(cast(ConvNeXtBlock, block), x.contiguous(memory_format=_LAST))
    return x


def _convnext(block: ConvNeXtBlock, x: torch.Tensor) -> torch.Tensor:
    mixed = block.norm(sliced_conv(block.dwconv, x).permute(0, 2, 3, 4, 1))
    added: torch.Tensor = block.pwconv2(F.gelu(block.pwconv1(mixed))) * block.gamma
    return x + added.permute(0, 4, 1, 2, 3)


def initialise(network: nn.Module) -> None:
    """Seeded by torch's own generator: normal weights of variance 1 / inputs, biases 0, norms 1, scales 0.1."""
    for name, parameter in network.named_parameters():
        with torch.no_grad():
            if name.endswith("gamma"):
                parameter.fill_(0.1)
            elif parameter.ndim == 1:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
            else:
                transposed = name in {"tp_conv1.weight", "tp_conv1.weight_orig"} and parameter.shape[2] == 4
                inputs = parameter.shape[0] if transposed else parameter[0].numel()
                if "upsample_layers.0.0" in name:
                    inputs = 1
                parameter.normal_(0.0, inputs**-0.5)
    for name, buffer in network.named_buffers():
        if name.endswith(("weight_u", "weight_v")):
            buffer.copy_(F.normalize(torch.randn_like(buffer), dim=0))
