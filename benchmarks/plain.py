"""Every network put together plainly, layer after layer as published: what synthview's speed is measured against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import torch
from cases import Case
from torch import nn
from torch.nn import functional as F  # noqa: N812

Weights = Mapping[str, torch.Tensor]
_HAGAN_FACTORS: dict[str, tuple[Any, ...]] = {  # before conv2 … conv7
    "64": (2, 2, 1, 1, 2, 2),
    "128": (2, 2, 2, 1, 2, 2),
    "256": (2, 2, 2, 2, 2, 2),
    "144x192x144": (2, 2, (2.25, 3, 2.25), 1, 2, 2),
}


def plain_network(case: Case, weights: Weights) -> nn.Module:
    """The network of a case, in evaluation mode: latents to raw output."""
    if case.family in {"ha-gan", "crf-gan"}:
        network: nn.Module = _hagan(weights, _HAGAN_FACTORS[case.said["size"]])
    elif case.family == "csegsynth":
        network = CSegSynth(weights["decoder_net.upsample_layers.0.0.weight"].shape[0])
        network.load_state_dict(weights)
    elif case.family == "monai-ldm":
        network = LatentDiffusion(case, weights)
    elif case.family == "sigmarat":
        network = _stack(weights, lambda _, channels: nn.InstanceNorm3d(channels), lambda: nn.LeakyReLU(0.01))
    else:
        network = _stack(weights, lambda i, _: _batch_norm(weights, f"bn{i}"), nn.ReLU)
        if case.family.startswith("mrianateval"):
            network = nn.Sequential(network[:-1], nn.Upsample((144, 192, 144)), nn.Tanh())
    return network.eval()


def _hagan(weights: Weights, factors: tuple[Any, ...]) -> nn.Sequential:
    layers: list[nn.Module] = [_linear(weights, "fc1"), nn.Unflatten(1, (512, 4, 4, 4))]
    for i, factor in enumerate((1, *factors), start=1):
        layers += [nn.Upsample(scale_factor=factor)] if factor != 1 else []
        layers.append(_conv(weights, f"tp_conv{i}"))
        if i < 7:
            norm = nn.GroupNorm(8, len(weights[f"bn{i}.weight"]))
            norm.load_state_dict(_part(weights, f"bn{i}"))
            layers += [norm, nn.ReLU()]
    return nn.Sequential(*layers, nn.Tanh())


def _stack(
    weights: Weights, norm: Callable[[int, int], nn.Module], activation: Callable[[], nn.Module]
) -> nn.Sequential:
    if "fc.weight" in weights:
        grid = (4, 4 if len(weights["fc.bias"]) == 512 * 64 else 6, 4)
        layers: list[nn.Module] = [_linear(weights, "fc"), nn.Unflatten(1, (512, *grid))]
        channels = 512
    else:
        weight = weights["tp_conv1.weight"]
        stem = nn.ConvTranspose3d(*weight.shape[:2], tuple(weight.shape[2:]), bias=False)
        stem.load_state_dict({"weight": weight})
        layers, channels = [nn.Unflatten(1, (-1, 1, 1, 1)), stem], weight.shape[1]
    last = "tp_conv6" if "tp_conv6.weight" in weights else "tp_conv5"
    for i, name in enumerate(("tp_conv2", "tp_conv3", "tp_conv4", last), start=1):
        conv = _conv(weights, name)
        layers += [norm(i, channels), activation(), nn.Upsample(scale_factor=2), conv]
        channels = conv.out_channels
    return nn.Sequential(*layers, nn.Tanh())


class CSegSynth(nn.Module):
    """CSegSynth's generator."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (width, width // 4, width // 16, 4)
        first = nn.Sequential(nn.ConvTranspose3d(width, width, (10, 16, 16), groups=width), ChannelNorm(width))
        rest = [
            nn.Sequential(
                ChannelNorm(before),
                nn.Upsample(scale_factor=2, mode="trilinear"),
                nn.Conv3d(before, after, (3, 5, 5), padding=(1, 2, 2), groups=after),
            )
            for before, after in pairwise(widths)
        ]
        self.decoder_net = nn.ModuleDict(
            {
                "upsample_layers": nn.ModuleList([first, *rest]),
                "stages": nn.ModuleList(
                    nn.Sequential(*(Block(c) for _ in range(n))) for c, n in zip(widths, (1, 1, 3, 1), strict=True)
                ),
            }
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """(N, h) to (N, 4, 80, 128, 128)."""
        x = z[:, :, None, None, None]
        for upsample, stage in zip(*self.decoder_net.values(), strict=True):
            x = stage(upsample(x))
        return F.softmax(x, dim=1)


class ChannelNorm(nn.Module):
    """LayerNorm over channels that come first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, D, H, W) to the same."""
        centred = x - x.mean(1, keepdim=True)
        x = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)
        return self.weight[:, None, None, None] * x + self.bias[:, None, None, None]


class Block(nn.Module):
    """ConvNeXt's block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv3d(channels, channels, (3, 5, 5), padding=(1, 2, 2), groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, D, H, W) to the same."""
        h = self.norm(self.dwconv(x).permute(0, 2, 3, 4, 1))
        h = self.gamma * self.pwconv2(F.gelu(self.pwconv1(h)))
        return x + h.permute(0, 4, 1, 2, 3)


class LatentDiffusion(nn.Module):
    """MONAI's networks and scheduler, as its users call them."""

    def __init__(self, case: Case, weights: Weights) -> None:
        super().__init__()
        from monai.networks.nets.autoencoderkl import AutoencoderKL
        from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
        from monai.networks.schedulers import DDIMScheduler

        encoder, unet = (
            {k: v for k, v in case.built[n].items() if k != "layout"} for n in ("autoencoder", "diffusion")
        )
        unet["num_head_channels"] = tuple(
            h or c for h, c in zip(unet["num_head_channels"], unet["channels"], strict=True)
        )
        self.autoencoder = AutoencoderKL(spatial_dims=3, **encoder)
        self.diffusion = DiffusionModelUNet(spatial_dims=3, **unet)
        self.load_state_dict(weights)
        self.scheduler = DDIMScheduler(
            schedule="scaled_linear_beta", beta_start=0.0015, beta_end=0.0205, clip_sample=False
        )
        steps = int(case.said["steps"])
        self.scheduler.set_timesteps(steps)
        count = self.scheduler.num_train_timesteps  # as GenerativeModels spaced them; MONAI core begins at the last
        self.scheduler.timesteps = torch.tensor([k * (count // steps) for k in reversed(range(steps))])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Noise to a volume."""
        for time in self.scheduler.timesteps:
            x, _ = self.scheduler.step(self.diffusion(x, time[None].to(x.device)), int(time), x)
        return self.autoencoder.decode(x)


def _conv(weights: Weights, name: str) -> nn.Conv3d:
    out, into = weights[f"{name}.weight"].shape[:2]
    layer = nn.Conv3d(into, out, 3, padding=1, bias=f"{name}.bias" in weights)
    layer.load_state_dict(_part(weights, name))
    return layer


def _linear(weights: Weights, name: str) -> nn.Linear:
    out, into = weights[f"{name}.weight"].shape
    layer = nn.Linear(into, out)
    layer.load_state_dict(_part(weights, name))
    return layer


def _batch_norm(weights: Weights, name: str) -> nn.BatchNorm3d:
    layer = nn.BatchNorm3d(len(weights[f"{name}.weight"]))
    layer.load_state_dict(_part(weights, name))
    return layer


def _part(weights: Weights, name: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(f"{name}."): tensor for key, tensor in weights.items() if key.startswith(f"{name}.")}
