"""Discriminators, encoders and code discriminators: strided convolutions down to one number, or to a latent."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrizations

Size = tuple[int, int, int]
NORMS = ("none", "batch", "instance")
BACKGROUND = -0.96  # what is darker counts as background
_LOUD = 10.0


class Downward(nn.Module):
    """Convolutions of stride 2 (kernel 4), then one over all that is left.

    Args:
        channels: of the volume.
        shape: of the volume.
        width: channels after the first convolution; they double with each.
        outputs: numbers for each volume: 1 for a discriminator, the latent's length for an encoder.
        norm: "none", "batch" or "instance", after every convolution but the first and the last.
        spectral: normalise every convolution spectrally.
        features: numbers told along, which are joined to the last convolution's input.
    """

    def __init__(
        self,
        channels: int,
        shape: Size,
        width: int,
        outputs: int = 1,
        *,
        norm: str = "none",
        spectral: bool = False,
        features: int = 0,
    ) -> None:
        super().__init__()
        levels = max(1, min(4, int(math.log2(min(shape))) - 1))
        self.shape = shape
        layers: list[nn.Module] = []
        before, after = channels, width
        for level in range(levels):
            conv: nn.Module = nn.Conv3d(before, after, 4, stride=2, padding=1)
            layers.append(parametrizations.spectral_norm(conv) if spectral else conv)
            if level and norm != "none":
                layers.append(nn.BatchNorm3d(after) if norm == "batch" else nn.InstanceNorm3d(after, affine=True))
            layers.append(nn.LeakyReLU(0.2))
            before, after = after, 2 * after
        self.body = nn.Sequential(*layers)
        left = math.prod(max(1, n >> levels) for n in shape)
        head: nn.Module = nn.Linear(before * left + features, outputs)
        self.head = parametrizations.spectral_norm(head) if spectral else head

    def forward(self, x: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
        """(N, channels, *shape), and features (N, F) where it takes them, to (N, outputs)."""
        return self.judge(self.hidden(x), features)

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """What the last layer is given, (N, …): features to compare volumes by."""
        return cast(torch.Tensor, self.body(x.contiguous(memory_format=torch.channels_last_3d))).flatten(1)

    def judge(self, hidden: torch.Tensor, features: torch.Tensor | None = None) -> torch.Tensor:
        """From there to (N, outputs)."""
        joined = hidden if features is None else torch.cat([hidden, features], dim=1)
        return cast(torch.Tensor, self.head(joined))


class PatchCritic(nn.Module):
    """A score for every patch of 18³ voxels: convolutions only (PatchGAN, Isola et al. 2017).

    Args:
        channels: of the volume.
        width: channels after the first convolution.
        spectral: normalise every convolution spectrally; faint texture then hardly changes a score.
    """

    def __init__(self, channels: int, width: int, *, spectral: bool = True) -> None:
        super().__init__()
        sizes = ((channels, width, 4, 2), (width, 2 * width, 4, 2), (2 * width, 1, 3, 1))
        layers: list[nn.Module] = []
        for before, after, kernel, stride in sizes:
            conv: nn.Module = nn.Conv3d(before, after, kernel, stride=stride, padding=1)
            layers += [parametrizations.spectral_norm(conv) if spectral else conv, nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, I, J, K) to (N, 1, I/4, J/4, K/4)."""
        return cast(torch.Tensor, self.layers[-1](self.hidden(x)))

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """What the last layer is given, (N, 2 · width, I/4, J/4, K/4): features to compare volumes by."""
        return cast(torch.Tensor, self.layers[:-1](x.contiguous(memory_format=torch.channels_last_3d)))


class FineCritic(PatchCritic):
    """One that is shown what is finer than 3³ voxels beside the volume, ten times as loud: by itself it is too faint.

    Args:
        width: as there.
    """

    def __init__(self, width: int) -> None:
        super().__init__(2, width, spectral=False)

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """What the last layer is given, of (N, 1, I, J, K)."""
        fine = x - F.avg_pool3d(x, 3, stride=1, padding=1)
        return super().hidden(torch.cat([x, _LOUD * fine], dim=1))


def patches_with_anatomy(wanted: torch.Tensor) -> torch.Tensor:
    """1 for each of the discriminator's patches in whose middle the sample isn't all background, else 0.

    Args:
        wanted: (N, 1, I, J, K) in [-1, 1], or (N, 4, I, J, K) probabilities.

    Returns:
        (N, 1, I/4, J/4, K/4).
    """
    anatomy = wanted > BACKGROUND if wanted.shape[1] == 1 else wanted[:, -1:] < 0.5
    return F.max_pool3d(anatomy.float(), 4)


class CodeCritic(nn.Module):
    """Tells an encoder's codes from noise.

    Args:
        length: of a code.
        width: of the hidden layers (4096 in 3dbraingen).
        spectral: normalise every layer spectrally.
    """

    def __init__(self, length: int, width: int, *, spectral: bool = False) -> None:
        super().__init__()
        sizes = (length, width, width, 1)
        layers: list[nn.Module] = []
        for number in range(3):
            linear: nn.Module = nn.Linear(sizes[number], sizes[number + 1])
            layers.append(parametrizations.spectral_norm(linear) if spectral else linear)
            if number < 2:
                layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """(N, length) to (N, 1)."""
        return cast(torch.Tensor, self.layers(z))
