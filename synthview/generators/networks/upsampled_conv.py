"""Nearest-neighbour upsampling followed by a 3³ convolution, a slab at a time and without the upsampled input.

Where the upsampling is ×2, the three taps of the kernel along an axis fall on two voxels of the small grid, and weights
that fall on the same one add up.  Each of the eight output voxels (phases) that share a source voxel is thus a 2³
convolution of the small grid: 64 multiplications where the plain form has 216.  Position p of the small grid, padded
by a voxel on each side, sees voxels p-1 and p of an axis; it gives phase 0 of voxel p and phase 1 of voxel p-1.  So all
eight are one convolution to eight times the channels, at one position more along each axis than there are voxels.

Other factors go the plain way, but never make the whole upsampled input.  The normalisation and activation before the
layer are applied to each slab as it is read.  Everything is channels last in memory on a CPU, which is fastest there.

Small grids handed over in float64 are computed in float64, and the other wide layers' sums are taken in parts: what
thousands of products for each voxel lose by rounding is nearly all that is lost in these networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.precision import is_reduced

_SLAB_NUMBERS = 3 << 21  # that a slab takes in and gives out at most: 24 MiB in float32
_SLAB_PRODUCTS = 1 << 31  # a few hundredths of a second on two cores
_GPU_SLABS = 16  # times as large
_EXACT_VOXELS = 8**3  # largest grid that is computed in float64, if it comes so
_WIDE, _PART = 64, 16  # of more input channels than 64 on a CPU, 16 at a time: sums of fewer numbers lose less

Part = tuple[float, torch.Tensor]
Factors = Sequence[float]


@dataclass(frozen=True)
class ScaleAndReLU:
    """``max(0, scale · x + shift)``: a normalisation whose statistics are known, and the activation after it.

    Attributes:
        scale: (N, C, 1, 1, 1).
        shift: (N, C, 1, 1, 1).
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, D, H, W) to a new tensor of the same shape."""
        return torch.addcmul(self.shift, x, self.scale).relu_()


def group_norm_and_relu(x: torch.Tensor, norm: nn.GroupNorm) -> ScaleAndReLU:
    """The statistics that GroupNorm takes of (N, C, D, H, W), as what it then does to each channel."""
    mean, variance = (each.cpu().double() for each in _statistics(x))  # (N, parts, C)
    grouped = (norm.num_groups, x.shape[1] // norm.num_groups)
    mean, variance = mean.view(*mean.shape[:2], *grouped), variance.view(*mean.shape[:2], *grouped)
    centre = mean.mean((1, 3), keepdim=True)
    variance = (variance + (mean - centre) ** 2).mean((1, 3), keepdim=True)
    weight, bias = (p.detach().cpu().double().view(grouped) for p in (norm.weight, norm.bias))
    scale = weight * torch.rsqrt(variance + norm.eps)
    shift = bias - centre * scale
    shape = (x.shape[0], x.shape[1], 1, 1, 1)
    return ScaleAndReLU(scale.reshape(shape).to(x), shift.reshape(shape).to(x))


def _statistics(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of each channel in parts of equal size, (N, parts, C).

    On a CPU in one go, about six times as fast as ``var_mean``: every column of voxels is taken for a batch of its own,
    so that there are few numbers to each sum.
    """
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x, (2, 3, 4), correction=0)
        return mean[:, None], variance[:, None]
    count, channels, depth, height, width = x.shape
    rows = x.permute(0, 2, 3, 4, 1).reshape(count, depth * height, width * channels)
    each = [torch.batch_norm_update_stats(sample, None, None, 0.0) for sample in rows]
    mean, variance = (torch.stack(results).view(count, width, channels) for results in zip(*each, strict=True))
    return mean, variance


class UpsampledConv(nn.Module):
    """``conv(nearest_upsample(x))`` with its kernels prepared.

    Voxel ``t`` of the upsampled input is voxel ``floor(t / factor)`` of ``x``.

    Args:
        conv: kernel 3, stride 1, padding 1.
        factors: for D, H and W, 1 or more; not necessarily whole.
    """

    def __init__(self, conv: nn.Conv3d, factors: Factors) -> None:
        super().__init__()
        self.factors = tuple(map(float, factors))
        self.channels = conv.out_channels
        self.doubles = self.factors == (2, 2, 2)
        weight = conv.weight.detach()
        taps = phase_taps(weight) if self.doubles else weight.permute(2, 3, 4, 0, 1).contiguous()
        self.taps = nn.Parameter(taps, requires_grad=False)
        bias = weight.new_zeros(self.channels) if conv.bias is None else conv.bias.detach()
        self.bias = nn.Parameter(bias, requires_grad=False)

    def parts(self, x: torch.Tensor, before: ScaleAndReLU | None = None) -> Iterator[Part]:
        """Run, in parts of a fraction of a second.

        Args:
            x: (N, C, D, H, W), float32, or float64 to have small grids computed so.
            before: what happens to ``x`` first.

        Yields:
            The fraction done (0-1) and the output, which is complete with the last one: float64 if it was computed so.
        """
        if x.dtype == torch.float64 and not is_reduced(x) and x[0, 0].numel() <= _EXACT_VOXELS:
            return self._exactly(x, before)
        return self._doubled(x, before) if self.doubles else self._widened(x, before)

    def _exactly(self, x: torch.Tensor, before: ScaleAndReLU | None) -> Iterator[Part]:
        """For each phase the sum over its taps, each a product of matrices."""
        if before is not None:
            x = before(x)
        if not self.doubles:
            x = _widen(x, self.factors, (0, _length(x, 0, self.factors)))
        grid = x.shape[2:]
        x = F.pad(x, (1,) * 6).permute(0, 2, 3, 4, 1).contiguous()
        step = 2 if self.doubles else 1
        out = _empty(x, self.channels, [n * step for n in grid], torch.float64)
        phases = list(product(range(step)[::-1], repeat=3))
        for i, phase in enumerate(phases):
            total = self.bias.double().repeat(x.shape[0] * grid.numel(), 1)
            for tap in product(*map(range, self.taps.shape[:3])):
                d, h, w = (slice(p + t, p + t + n) for p, t, n in zip(phase, tap, grid, strict=True))
                kernel = self.taps[tap][i * self.channels : (i + 1) * self.channels].double()
                total.addmm_(x[:, d, h, w].reshape(-1, x.shape[-1]), kernel.t())
            a, b, c = phase
            out[:, :, a::step, b::step, c::step] = total.view(-1, *grid, self.channels).permute(0, 4, 1, 2, 3)
            yield (i + 1) / len(phases), out

    def _doubled(self, x: torch.Tensor, before: ScaleAndReLU | None) -> Iterator[Part]:
        """Slabs of positions, each of which gives two planes of the output; two of all are outside."""
        count, _, depth, height, width = x.shape
        out = _empty(x, self.channels, (2 * depth + 2, 2 * height, 2 * width))
        pairs = out.view(count, self.channels, depth + 1, 2, height, 2, width, 2)
        kernels, bias = self._kernels(), self.bias.repeat(8)
        for first, last in self._slabs(x, (height, width), depth + 1):
            slab = _read(x, max(first - 1, 0), min(last, depth), before)
            slab = _pad_ends(slab, at_start=first == 0, at_end=last == depth + 1)
            phases = _conv(slab, kernels, bias)
            phases = phases.view(count, 2, 2, 2, self.channels, last - first, height + 1, width + 1)
            for h, w in product((1, 0), repeat=2):
                planes = phases[:, :, 1 - h, 1 - w, :, :, h : h + height, w : w + width]
                pairs[:, :, first:last, :, :, h, :, w] = planes.permute(0, 2, 3, 1, 4, 5)
            yield last / (depth + 1), out[:, :, 1:-1]

    def _widened(self, x: torch.Tensor, before: ScaleAndReLU | None) -> Iterator[Part]:
        shape = [_length(x, axis, self.factors) for axis in range(3)]
        out = _empty(x, self.channels, shape)
        kernels = self._kernels()
        for first, last in self._slabs(x, (shape[1], shape[2]), shape[0]):
            low, high = max(first - 1, 0), min(last + 1, shape[0])  # one plane more on either side, where there is one
            source = int(low / self.factors[0])
            slab = _read(x, source, int((high - 1) / self.factors[0]) + 1, before)
            slab = _widen(slab, self.factors, (low, high), source)
            slab = _pad_ends(_in_format(slab), at_start=first == 0, at_end=last == shape[0])
            out[:, :, first:last] = _conv(slab, kernels, self.bias)
            yield last / shape[0], out

    def _kernels(self) -> list[torch.Tensor]:
        """(out or 8 · out, in, …), as ``_conv`` takes them: for so many input channels at a time."""
        kernels = self.taps.permute(3, 4, 0, 1, 2)
        channels = kernels.shape[1]
        part = _PART if channels > _WIDE and kernels.device.type == "cpu" else channels
        return [_in_format(kernels[:, i : i + part]) for i in range(0, channels, part)]

    def _slabs(self, x: torch.Tensor, plane: tuple[int, int], length: int) -> list[tuple[int, int]]:
        """Parts of an axis, much alike; ``plane`` is that of the convolution."""
        voxels = x.shape[0] * length * plane[0] * plane[1]
        numbers = voxels * (x.shape[1] + self.taps.shape[3])
        wanted = max(numbers / _SLAB_NUMBERS, voxels * self.taps.numel() / _SLAB_PRODUCTS)
        count = min(math.ceil(wanted if x.device.type == "cpu" else wanted / _GPU_SLABS), length)
        ends = [length * i // count for i in range(count + 1)]
        return list(pairwise(ends))


def _conv(slab: torch.Tensor, kernels: Sequence[torch.Tensor], bias: torch.Tensor) -> torch.Tensor:
    """Convolution of a slab that has the planes around it, but no zeros around those; a part of the channels at a time.

    Of `F.conv3d`'s implementations on a CPU, it chooses the slow one for slabs of few numbers; so it is not asked.
    """
    padding = (0, 1, 1)
    plainly = slab.device.type != "cpu" or not torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if plainly or is_reduced(slab):
        return F.conv3d(slab, torch.cat(list(kernels), dim=1), bias, padding=padding)
    parts = torch.split(slab, kernels[0].shape[1], dim=1)
    ones = (1, 1, 1)
    total = torch.mkldnn_convolution(_in_format(parts[0]), kernels[0], bias, padding, ones, ones, 1)
    for part, kernel in zip(parts[1:], kernels[1:], strict=True):
        total += torch.mkldnn_convolution(_in_format(part), kernel, None, padding, ones, ones, 1)
    return total


def phase_taps(weight: torch.Tensor) -> torch.Tensor:
    """(out, in, 3, 3, 3) to (2, 2, 2, 8 · out, in): phases in the order of the axes, the last one changes fastest.

    The phase of the odd voxels goes first, as they come first of what a position gives.
    """
    odd, even = ([[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]])  # source voxel × tap
    axis = torch.tensor([odd, even], dtype=weight.dtype, device=weight.device)
    sums = torch.einsum("pax,qby,rcz->abcpqrxyz", axis, axis, axis).reshape(64, 27)
    return (sums @ weight.reshape(-1, 27).t()).view(2, 2, 2, 8 * weight.shape[0], weight.shape[1])


def _empty(like: torch.Tensor, channels: int, grid: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    shape = (like.shape[0], channels, *grid)
    return torch.empty(shape, dtype=dtype, device=like.device, memory_format=_format(like))


def _format(like: torch.Tensor) -> torch.memory_format:
    last = like.device.type == "cpu" or is_reduced(like)  # where NVIDIA's tensor cores want it too
    return torch.channels_last_3d if last else torch.contiguous_format


def _in_format(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=_format(x))


def _read(x: torch.Tensor, low: int, high: int, before: ScaleAndReLU | None) -> torch.Tensor:
    """Planes of ``x`` as the convolution takes them."""
    planes = x[:, :, low:high]
    return _in_format((planes if before is None else before(planes)).float())


def _length(x: torch.Tensor, axis: int, factors: Factors) -> int:
    return round(x.shape[2 + axis] * factors[axis])


def _widen(x: torch.Tensor, factors: Factors, planes: tuple[int, int], source: int = 0) -> torch.Tensor:
    """Upsample: those planes of the first axis, all of the others; ``x`` begins with plane ``source``."""
    if tuple(factors) != (1, 1, 1):
        if factors[0] != 1:
            x = x.index_select(2, _source_indices(planes, factors[0], x.device) - source)
        if all(float(f).is_integer() for f in factors[1:]):
            return F.interpolate(x, scale_factor=cast("list[float]", [1.0, *factors[1:]]), mode="nearest")
        for axis in (1, 2):
            ends = (0, _length(x, axis, factors))
            x = x.index_select(2 + axis, _source_indices(ends, factors[axis], x.device))
    return x


def _source_indices(ends: tuple[int, int], factor: float, device: torch.device) -> torch.Tensor:
    """On the CPU, in float64 (which Apple's GPUs lack), then moved."""
    return torch.floor(torch.arange(*ends, dtype=torch.float64) / factor).long().to(device)


def _pad_ends(slab: torch.Tensor, *, at_start: bool, at_end: bool) -> torch.Tensor:
    """A plane of zeros where the volume ends."""
    return F.pad(slab, (0, 0, 0, 0, int(at_start), int(at_end))) if at_start or at_end else slab
