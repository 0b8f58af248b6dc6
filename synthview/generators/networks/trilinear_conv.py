"""Trilinear ×2 upsampling followed by a convolution, computed on the small grid.

Upsampling and convolution are both linear, so together they are one convolution for each of the eight output voxels
(phases) that share a source voxel.  The upsampled map, eight times the size of the input, is never made, and a grouped
convolution to eight times the channels is far faster than one to few channels on the large grid.

The first and last source voxel of each axis need kernels of their own, because the convolution sees zeros beyond the
upsampled map: hence three stretches along each axis, 27 parts in all.  The result is the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class TrilinearConv3d(nn.Conv3d):
    """``conv(interpolate(x, scale_factor=2, mode="trilinear", align_corners=False))``, with the weights of ``conv``.

    Kernel sizes 3 or 5, padded by half; stride 1; with a bias; with or without groups.
    """

    _kernels: list[torch.Tensor] | None = None  # for each of the 27 parts; made at the first use, on its device

    def steps(self, x: torch.Tensor) -> Iterator[tuple[float, torch.Tensor]]:
        """Convolve (N, C, D, H, W), two voxels or more along each axis.

        Yields:
            The fraction done (0-1) and the output, which is complete with the last one; channels last in memory.
        """
        if self._kernels is None:
            self._kernels = _part_kernels(self.weight)
        count, _, depth, height, width = x.shape
        reach = [size // 2 for size in self.kernel_size]
        padded = _repeat_ends(x, reach)
        out = x.new_empty((count, depth, 2, height, 2, width, 2, self.out_channels))
        whole = out.view(count, 2 * depth, 2 * height, 2 * width, self.out_channels).permute(0, 4, 1, 2, 3)
        bias = None if self.bias is None else self.bias.repeat_interleave(8)
        parts = product(_stretches(depth), _stretches(height), _stretches(width))
        for number, ((d, d_end), (h, h_end), (w, w_end)) in enumerate(parts):
            if d < d_end and h < h_end and w < w_end:
                source = padded[:, :, d : d_end + 2 * reach[0], h : h_end + 2 * reach[1], w : w_end + 2 * reach[2]]
                phases = _convolve(source, self._kernels[number], bias, self.groups, turned=_is_turned(number))
                phases = phases.view(count, self.out_channels, 2, 2, 2, d_end - d, h_end - h, w_end - w)
                out[:, d:d_end, :, h:h_end, :, w:w_end] = phases.permute(0, 5, 2, 6, 3, 7, 4, 1)
                yield d_end / depth, whole


def _repeat_ends(x: torch.Tensor, reach: list[int]) -> torch.Tensor:
    """(N, C, D, H, W) with its ends along D, H and W repeated, channels last; ``F.pad`` does it half as fast."""
    d, h, w = (
        torch.arange(-n, size + n, device=x.device).clamp(0, size - 1)
        for n, size in zip(reach, x.shape[2:], strict=True)
    )
    return x.permute(0, 2, 3, 4, 1)[:, d[:, None, None], h[:, None], w].permute(0, 4, 1, 2, 3)


def _convolve(
    x: torch.Tensor, kernels: torch.Tensor, bias: torch.Tensor | None, groups: int, *, turned: bool
) -> torch.Tensor:
    """A convolution without padding, with the last two axes of the kernels, and so of x meanwhile, exchanged or not."""
    if not turned:
        return F.conv3d(x, kernels, bias, groups=groups)
    x = x.transpose(3, 4).contiguous(memory_format=torch.channels_last_3d)
    return F.conv3d(x, kernels, bias, groups=groups).transpose(3, 4)


def _is_turned(part: int) -> bool:
    """Whether a part is an end of the last axis, one voxel wide: the processor's convolution goes by rows along it."""
    return part % 3 != 1


def _stretches(length: int) -> tuple[tuple[int, int], ...]:
    """An axis in three: its first voxel, the middle, its last voxel."""
    return ((0, 1), (1, length - 1), (length - 1, length))


def _part_kernels(weight: torch.Tensor) -> list[torch.Tensor]:
    """(out, in, …) to 27 times (out · 8 phases, in, …), the phase of the last axis changing fastest.

    Those of parts that are turned have their last two axes exchanged.
    """
    kernels = weight
    for axis in (2, 3, 4):
        taps = kernels.shape[axis]
        matrices = _matrices(taps // 2).to(weight).flatten(0, 2)  # (3 stretches · 2 phases · source taps, taps)
        kernels = F.linear(kernels.movedim(axis, -1), matrices).movedim(-1, axis)
    outputs, inputs, depth, height, width = weight.shape
    kernels = kernels.view(outputs, inputs, 3, 2, depth, 3, 2, height, 3, 2, width)
    kernels = kernels.permute(2, 5, 8, 0, 3, 6, 9, 1, 4, 7, 10)
    kernels = kernels.reshape(27, outputs * 8, inputs, depth, height, width)
    return [
        (part.transpose(3, 4) if _is_turned(number) else part).contiguous(memory_format=torch.channels_last_3d)
        for number, part in enumerate(kernels)
    ]


def _matrices(reach: int) -> torch.Tensor:
    """Taps on the upsampled axis to taps on the source, (3 stretches, 2 phases, source taps, taps).

    Voxel ``2i + q`` of the upsampled axis is ¾ of the source voxel it lies in and ¼ of the nearer neighbour (the source
    is padded with its own ends).  Taps before the first voxel of the upsampled axis and after its last see zeros.
    """
    taps = 2 * reach + 1
    matrices = torch.zeros(3, 2, taps, taps)
    for stretch, phase, tap in product(range(3), range(2), range(taps)):
        q = phase + tap - reach
        if not (stretch == 0 and q < 0) and not (stretch == 2 and q > 1):
            matrices[stretch, phase, q // 2 + reach, tap] = 0.75
            matrices[stretch, phase, q // 2 + (1 if q % 2 else -1) + reach, tap] = 0.25
    return matrices
