"""Nearest-neighbour upsampling followed by a 3³ convolution, a slab at a time.

The upsampled input of the last layers is by far the largest thing in these networks (256³: 2 GiB).  It is never made
whole: a few planes of it are, then their convolution.  The result is the same; memory falls to a third, and the caller
gets to report progress and to stop between slabs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

_SLAB_NUMBERS = 1 << 24  # numbers in one upsampled slab: 64 MiB in float32


def upsampled_conv(x: torch.Tensor, conv: nn.Conv3d, factors: Sequence[float]) -> Iterator[tuple[float, torch.Tensor]]:
    """``conv(nearest_upsample(x))``, slab by slab along the first spatial axis.

    Voxel ``t`` of the upsampled input is voxel ``floor(t / factor)`` of ``x``.

    Args:
        x: (N, C, D, H, W).
        conv: kernel 3, stride 1, padding 1.
        factors: for D, H and W, 1 or more; not necessarily whole.

    Yields:
        The fraction done (0-1) and the output, which is complete with the last one.
    """
    sources = [_source_indices(n, f, x.device) for n, f in zip(x.shape[2:], factors, strict=True)]
    depth, height, width = (len(s) for s in sources)
    planes = max(1, _SLAB_NUMBERS // (x.shape[0] * x.shape[1] * height * width))
    out = x.new_empty((x.shape[0], conv.out_channels, depth, height, width))
    for first in range(0, depth, planes):
        last = min(first + planes, depth)
        low, high = max(first - 1, 0), min(last + 1, depth)  # one plane more on either side, where there is one
        slab = _take(x, (sources[0][low:high], *sources[1:]), factors)
        slab = F.pad(slab, (0, 0, 0, 0, int(first == 0), int(last == depth)))
        out[:, :, first:last] = F.conv3d(slab, conv.weight, conv.bias, padding=(0, 1, 1))
        yield last / depth, out


def _source_indices(length: int, factor: float, device: torch.device) -> torch.Tensor:
    target = torch.arange(round(length * factor), device=device, dtype=torch.float64)
    return torch.floor(target / factor).long()


def _take(x: torch.Tensor, sources: Sequence[torch.Tensor], factors: Sequence[float]) -> torch.Tensor:
    for axis, (source, factor) in enumerate(zip(sources, factors, strict=True), start=2):
        if factor != 1 or len(source) != x.shape[axis]:
            x = x.index_select(axis, source)
    return x
