"""Convolutions of small volumes, one at a time, as fast as those of larger ones.

Of its implementations on a processor, torch gives a single volume of few numbers the one from before oneDNN: for 32
channels of 20 × 24 × 20 voxels it takes seven times as long.  Networks that go over such a grid many times, as latent
diffusion does, spend most of their time there.  Here oneDNN is asked by name.  Gradients, other precisions, GPUs and
kernels of one voxel take torch's usual way.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

_FEW = 20480  # numbers but for the last axis, up to which torch takes its slow way


class QuickConv3d(nn.Conv3d):
    """``nn.Conv3d``, the same but for rounding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in, D, H, W) to (N, out, …)."""
        if not self._is_slow(x):
            return super().forward(x)
        padding = cast(tuple[int, int, int], self.padding)
        return torch.mkldnn_convolution(x, self.weight, self.bias, padding, self.stride, self.dilation, self.groups)

    def _is_slow(self, x: torch.Tensor) -> bool:
        """Whether torch would take its slow way though it need not."""
        if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return False
        if torch.is_grad_enabled() or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return False
        plain = self.padding_mode == "zeros" and not isinstance(self.padding, str) and max(self.kernel_size) > 1
        return plain and len(x) == 1 and x[..., 0].numel() <= _FEW


def quicken_convs(network: nn.Module) -> nn.Module:
    """The network with each ``nn.Conv3d`` replaced, weights shared (in place)."""
    for name, child in list(network.named_children()):
        if type(child) is nn.Conv3d:
            network.add_module(name, _quick(child))
        else:
            quicken_convs(child)
    return network


def _quick(conv: nn.Conv3d) -> QuickConv3d:
    with torch.device("meta"):
        quick = QuickConv3d(
            conv.in_channels,
            conv.out_channels,
            cast(tuple[int, int, int], conv.kernel_size),
            cast(tuple[int, int, int], conv.stride),
            cast(tuple[int, int, int] | str, conv.padding),
            cast(tuple[int, int, int], conv.dilation),
            conv.groups,
            conv.bias is not None,
            conv.padding_mode,
        )
    quick.weight, quick.bias = conv.weight, conv.bias
    return quick.train(conv.training)
