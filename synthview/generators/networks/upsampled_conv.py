"""Nearest-neighbour upsampling followed by a 3³ convolution, a slab at a time.

The upsampled input of the last layers is by far the largest thing in these networks (256³: 2 GiB).  It is never made
whole: a few planes of it are, then their convolution.  The result is the same; memory falls to a quarter, and the
caller gets to report progress and to stop between slabs.

Where ×2 is followed by a convolution to very few channels, the upsampled input is not made at all: each of the eight
output voxels that share a source voxel is a convolution of the small grid, with those weights added up that fall on the
same source voxel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

_SLAB_NUMBERS = 1 << 25  # numbers in one slab's input: 128 MiB in float32
_FEW_CHANNELS = 2

Part = tuple[float, torch.Tensor]


def upsampled_conv(x: torch.Tensor, conv: nn.Conv3d, factors: Sequence[float]) -> Iterator[Part]:
    """``conv(nearest_upsample(x))``, slab by slab along the first spatial axis.

    Voxel ``t`` of the upsampled input is voxel ``floor(t / factor)`` of ``x``.

    Args:
        x: (N, C, D, H, W).
        conv: kernel 3, stride 1, padding 1.
        factors: for D, H and W, 1 or more; not necessarily whole.

    Yields:
        The fraction done (0-1) and the output, which is complete with the last one.
    """
    if tuple(factors) == (2, 2, 2) and conv.out_channels <= _FEW_CHANNELS:
        return _by_phases(x, conv)
    return _by_slabs(x, conv, factors)


def _by_slabs(x: torch.Tensor, conv: nn.Conv3d, factors: Sequence[float]) -> Iterator[Part]:
    shape = [round(n * f) for n, f in zip(x.shape[2:], factors, strict=True)]
    sources = _source_indices(x.shape[2], factors[0], x.device)
    out = x.new_empty((x.shape[0], conv.out_channels, *shape))
    for first, last in _slabs(shape[0], x.shape[0] * x.shape[1] * shape[1] * shape[2]):
        low, high = max(first - 1, 0), min(last + 1, shape[0])  # one plane more on either side, where there is one
        slab = _widen(x[:, :, sources[low:high]], factors)
        slab = _pad_ends(slab, at_start=first == 0, at_end=last == shape[0])
        out[:, :, first:last] = F.conv3d(slab, conv.weight, conv.bias, padding=(0, 1, 1))
        yield last / shape[0], out


def _by_phases(x: torch.Tensor, conv: nn.Conv3d) -> Iterator[Part]:
    """All eight phases as one convolution of the small grid to eight times the channels."""
    count, channels, depth, height, width = x.shape
    kernels = conv.weight[None]
    for axis in (3, 4, 5):  # phases in the order of the axes: the last one changes fastest
        kernels = torch.stack([_phase(kernels, axis, 0), _phase(kernels, axis, 1)], dim=1).flatten(0, 1)
    bias = None if conv.bias is None else conv.bias.repeat(8)
    outputs = conv.out_channels
    out = x.new_empty((count, outputs, depth, 2, height, 2, width, 2))
    for first, last in _slabs(depth, count * channels * height * width):
        low, high = max(first - 1, 0), min(last + 1, depth)
        slab = _pad_ends(x[:, :, low:high], at_start=first == 0, at_end=last == depth)
        phases = F.conv3d(slab, kernels.flatten(0, 1), bias, padding=(0, 1, 1))
        phases = phases.view(count, 2, 2, 2, outputs, last - first, height, width)
        out[:, :, first:last] = phases.permute(0, 4, 5, 1, 6, 2, 7, 3)
        yield last / depth, out.view(count, outputs, 2 * depth, 2 * height, 2 * width)


def _phase(kernels: torch.Tensor, axis: int, phase: int) -> torch.Tensor:
    """Kernels over source voxels i-1, i, i+1 for output voxel 2i + phase: taps on the same source voxel add up."""
    before, middle, after = (kernels.narrow(axis, i, 1) for i in range(3))
    nothing = torch.zeros_like(before)
    taps = (before, middle + after, nothing) if phase == 0 else (nothing, before + middle, after)
    return torch.cat(taps, dim=axis)


def _slabs(length: int, plane: int) -> Iterator[tuple[int, int]]:
    """Parts of an axis whose planes hold ``plane`` numbers each."""
    planes = max(1, _SLAB_NUMBERS // plane)
    for first in range(0, length, planes):
        yield first, min(first + planes, length)


def _source_indices(length: int, factor: float, device: torch.device) -> torch.Tensor:
    """On the CPU, in float64 (which Apple's GPUs lack), then moved."""
    target = torch.arange(round(length * factor), dtype=torch.float64)
    return torch.floor(target / factor).long().to(device)


def _widen(x: torch.Tensor, factors: Sequence[float]) -> torch.Tensor:
    """Upsample the last two axes."""
    if all(float(f).is_integer() for f in factors[1:]):
        scale = cast("list[float]", [1.0, *map(float, factors[1:])])
        return x if scale == [1.0, 1.0, 1.0] else F.interpolate(x, scale_factor=scale, mode="nearest")
    for axis, factor in ((3, factors[1]), (4, factors[2])):
        x = x.index_select(axis, _source_indices(x.shape[axis], factor, x.device))
    return x


def _pad_ends(slab: torch.Tensor, *, at_start: bool, at_end: bool) -> torch.Tensor:
    """A plane of zeros where the volume ends."""
    return F.pad(slab, (0, 0, 0, 0, int(at_start), int(at_end))) if at_start or at_end else slab
