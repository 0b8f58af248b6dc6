"""Nearest ×2 upsampling and a 3³ convolution in one, with gradients.

``generators/networks/upsampled_conv.py`` explains how: eight convolutions 2³ of the small grid instead of one of 27
taps on the large one.  On a processor this makes a step of the last layer ten times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.networks.upsampled_conv import phase_taps


def doubled_conv(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """``conv3d(nearest_upsample(x, 2), weight, bias, padding=1)``.

    Args:
        x: (N, C, I, J, K).
        weight: (out, C, 3, 3, 3).
        bias: (out,).

    Returns:
        (N, out, 2I, 2J, 2K).
    """
    kernels = phase_taps(weight).permute(3, 4, 0, 1, 2)
    phases = F.conv3d(x, kernels.contiguous(), None if bias is None else bias.repeat(8), padding=1)
    interleaved: torch.Tensor = _Interleaved.apply(phases)  # type: ignore[no-untyped-call]
    return interleaved


class DoubledConv(nn.Module):
    """MONAI's Upsample with nearest ×2 and a convolution, of which it keeps the name and the weights."""

    def __init__(self, postconv: nn.Module) -> None:
        super().__init__()
        self.postconv = postconv

    def forward(self, x: torch.Tensor, _time: torch.Tensor | None = None) -> torch.Tensor:
        """(N, C, I, J, K) to (N, C, 2I, 2J, 2K); a UNet says its time too."""
        conv = cast(Any, self.postconv).conv
        return doubled_conv(x, conv.weight, conv.bias)


def double_quickly(network: nn.Module) -> None:
    """Let a ``DoubledConv`` take the place of each Upsample of MONAI that ends in a convolution (in place)."""
    from monai.networks.blocks import Upsample

    for name, child in list(network.named_children()):
        if isinstance(child, Upsample) and hasattr(child, "postconv"):
            network.add_module(name, DoubledConv(cast(nn.Module, child.postconv)))
        else:
            double_quickly(child)


class _Interleaved(torch.autograd.Function):
    """The eight kernels' outputs, each where its voxels are; written once, as are their gradients."""

    @staticmethod
    def forward(_context: Any, phases: torch.Tensor) -> torch.Tensor:
        """(N, 8 C, I + 1, J + 1, K + 1) to (N, C, 2 I, 2 J, 2 K)."""
        count, channels, *ends = phases.shape
        shape = (count, channels // 8, *(2 * n - 2 for n in ends))
        out = torch.empty(shape, dtype=phases.dtype, device=phases.device, memory_format=torch.channels_last_3d)
        for theirs, ours in _places(phases, out):
            ours.copy_(theirs)
        return out

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        """Gradient of ``forward``'s result to that of its argument."""
        count, channels, *ends = gradient.shape
        shape = (count, 8 * channels, *(n // 2 + 1 for n in ends))
        out = torch.empty(shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last_3d)
        out.zero_()  # the outer edges belong to no voxel
        for ours, theirs in _places(out, gradient):
            ours.copy_(theirs)
        return out


def _places(phases: torch.Tensor, voxels: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Views of the same numbers in both forms."""
    count, channels, *ends = phases.shape
    split = phases.view(count, 2, 2, 2, channels // 8, *ends)
    inner = (slice(None, -1), slice(1, None))  # of a position, phase 0 is its own voxel's, phase 1 the voxel's before
    for a, b, c in product((0, 1), repeat=3):
        yield split[:, 1 - a, 1 - b, 1 - c, :, inner[a], inner[b], inner[c]], voxels[:, :, a::2, b::2, c::2]
