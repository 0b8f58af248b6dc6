"""The network of MRIAnatEval's cDPM: a 2-D UNet over a window of slices, which exchange what they know by attention.

Slices are the batch of every 2-D layer; attention runs first along the slices of a position, then over the positions of
a slice.  Two things are as published, though they look like slips: the residual of the attention is added to the
normalised input, and the mask of the slices to be made takes no part.

Sampling enlarges rounding differences a thousandfold, so the order of operations is the published one throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.samplers.steps import Steps

_GROUPS = 32


class ResBlock(nn.Module):
    """Two convolutions beside a skip connection; the time scales and shifts between them, or is only added."""

    def __init__(self, channels: int, out: int, time_width: int, *, scale_shift: bool) -> None:
        super().__init__()
        self.scale_shift = scale_shift
        self.in_layers = nn.Sequential(nn.GroupNorm(_GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, out, 3, 1, 1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_width, out * (2 if scale_shift else 1)))
        dropout = nn.Identity()  # keeps the number of the convolution after it
        self.out_layers = nn.Sequential(nn.GroupNorm(_GROUPS, out), nn.SiLU(), dropout, nn.Conv2d(out, out, 3, 1, 1))
        self.skip_connection = nn.Identity() if out == channels else nn.Conv2d(channels, out, 1)

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """(B·T, C, H, W) and (B·T, time width) to (B·T, out, H, W)."""
        h = self.in_layers(x)
        shift = self.emb_layers(time)[..., None, None]
        if self.scale_shift:
            scale, shift = shift.chunk(2, dim=1)
            h = self.out_layers[0](h) * (1 + scale) + shift
            h = self.out_layers[1:](h)
        else:
            h = self.out_layers(h + shift)
        out: torch.Tensor = self.skip_connection(x) + h
        return out


class RelativePosition(nn.Module):
    """What the distance between two slices says, at this noise level: a vector for each head."""

    def __init__(self, channels: int, heads: int, time_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.rpe_net = nn.ModuleDict(
            {
                "embed_distances": nn.Linear(3, channels),
                "embed_diffusion_time": nn.Linear(time_width, channels),
                "out": nn.Linear(channels, channels),
            }
        )

    def forward(self, frames: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """Slice numbers (B, T) and time (B, T, width) to (B, T, T, heads, channels per head)."""
        distance = (frames[:, :, None] - frames[:, None, :]).to(time.dtype)
        forward, backward = torch.log(1 + distance.clamp(min=0)), torch.log(1 + (-distance).clamp(min=0))
        features = torch.stack([forward, backward, (distance == 0).to(time.dtype)], dim=-1)
        hidden = self.rpe_net["embed_distances"](features) + self.rpe_net["embed_diffusion_time"](time)[:, :, None]
        relation: torch.Tensor = self.rpe_net["out"](F.silu(hidden))
        return relation.view(*relation.shape[:-1], self.heads, -1)


class Attention(nn.Module):
    """Self-attention along one axis; ``relative`` with what the distance of two slices adds."""

    def __init__(self, channels: int, heads: int, time_width: int, *, relative: bool) -> None:
        super().__init__()
        self.heads, self.relative = heads, relative
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj_out = nn.Linear(channels, channels)
        if relative:
            self.rpe_q = RelativePosition(channels, heads, time_width)
            self.rpe_k = RelativePosition(channels, heads, time_width)
            self.rpe_v = RelativePosition(channels, heads, time_width)

    def forward(self, x: torch.Tensor, frames: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """(B, rows, C, tokens) to the same; frames (B, T) and time (B, T, width) count where tokens are slices."""
        batch, rows = x.shape[:2]
        x = self.norm(x.flatten(0, 1)).transpose(1, 2)  # (B·rows, tokens, C), and it is what the residual adds to
        q, k, v = self.qkv(x).view(batch, rows, x.shape[1], 3, self.heads, -1).permute(3, 0, 1, 4, 2, 5)
        attended = self._attend(q, k, v, frames, time)
        attended = attended.transpose(2, 3).flatten(-2).flatten(0, 1)
        out: torch.Tensor = (x + self.proj_out(attended)).transpose(1, 2)
        return out.view(batch, rows, *out.shape[1:])

    def _attend(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, frames: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        """Attention of (B, rows, heads, tokens, F), with terms for the distance in the logits and in the output."""
        scale = q.shape[-1] ** -0.5
        q = q * scale
        logits = q @ k.transpose(-1, -2)
        if not self.relative:
            return logits.softmax(dim=-1) @ v
        logits = logits + torch.einsum("brhtf,btshf->brhts", q, self.rpe_k(frames, time))
        logits = logits + torch.einsum("brhtf,btshf->brhts", k * scale, self.rpe_q(frames, time)).transpose(-1, -2)
        weights = logits.softmax(dim=-1)
        return weights @ v + torch.einsum("brhts,btshf->brhtf", weights, self.rpe_v(frames, time))


class SliceAttention(nn.Module):
    """Attention along the slices of each position, then over the positions of each slice."""

    def __init__(self, channels: int, heads: int, time_width: int) -> None:
        super().__init__()
        self.temporal_attention = Attention(channels, heads, time_width, relative=True)
        self.spatial_attention = Attention(channels, heads, time_width, relative=False)

    def forward(self, x: torch.Tensor, frames: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """(B·T, C, H, W) to the same."""
        batch, slices = frames.shape
        height, width = x.shape[2:]
        time = time.view(batch, slices, -1)
        x = x.reshape(batch, slices, x.shape[1], height * width)
        x = self.temporal_attention(x.permute(0, 3, 2, 1), frames, time).permute(0, 3, 2, 1)
        x = self.spatial_attention(x, frames, time)
        return x.flatten(0, 1).view(batch * slices, -1, height, width)


class Downsample(nn.Module):
    """Halves the grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, H/2, W/2)."""
        out: torch.Tensor = self.op(x)
        return out


class Upsample(nn.Module):
    """Doubles the grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) to (N, C, 2H, 2W)."""
        out: torch.Tensor = self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))
        return out


class SliceUNet(nn.Module):
    """The UNet.

    Args:
        first: channels of the first convolution, and width of the time's sinusoids.
        channels: of each level, the finest first.
        blocks: ResBlocks on each level (one more on the way up).
        attention: whether each level has attention; the middle always has.
        heads: of the attention on the way down and in the middle.
        heads_up: of the attention on the way up.
        scale_shift: the time scales and shifts.
    """

    def __init__(
        self,
        first: int,
        channels: Sequence[int],
        *,
        blocks: int,
        attention: Sequence[bool],
        heads: int,
        heads_up: int,
        scale_shift: bool,
    ) -> None:
        super().__init__()
        self.first = first
        width = 4 * first
        self.time_embed = nn.Sequential(nn.Linear(first, width), nn.SiLU(), nn.Linear(width, width))

        def block(into: int, out: int) -> ResBlock:
            return ResBlock(into, out, width, scale_shift=scale_shift)

        down: list[list[nn.Module]] = [[nn.Conv2d(2, first, 3, padding=1)]]
        widths = [first]
        for level, out in enumerate(channels):
            for _ in range(blocks):
                down.append(
                    [block(widths[-1], out)] + ([SliceAttention(out, heads, width)] if attention[level] else [])
                )
                widths.append(out)
            if level < len(channels) - 1:
                down.append([Downsample(out)])
                widths.append(out)
        deepest = widths[-1]
        self.middle_block = nn.ModuleList(
            [block(deepest, deepest), SliceAttention(deepest, heads, width), block(deepest, deepest)]
        )
        up: list[list[nn.Module]] = []
        into = deepest
        for level, out in reversed(list(enumerate(channels))):
            for number in range(blocks + 1):
                layers: list[nn.Module] = [block(into + widths.pop(), out)]
                if attention[level]:
                    layers.append(SliceAttention(out, heads_up, width))
                if level and number == blocks:
                    layers.append(Upsample(out))
                up.append(layers)
                into = out
        self.input_blocks = nn.ModuleList(nn.ModuleList(layers) for layers in down)
        self.output_blocks = nn.ModuleList(nn.ModuleList(layers) for layers in up)
        self.out = nn.Sequential(nn.GroupNorm(_GROUPS, first), nn.SiLU(), nn.Conv2d(first, 1, 3, padding=1))

    def steps(
        self, x: torch.Tensor, known: torch.Tensor, observed: torch.Tensor, frames: torch.Tensor, time: torch.Tensor
    ) -> Steps[torch.Tensor]:
        """One pass over a window; yields after each block.

        Args:
            x: noisy slices (B, T, 1, H, W).
            known: slices where they are known, of the same shape.
            observed: 1 for each slice that is known, 0 for the others, (B, T, 1, 1, 1).
            frames: each slice's number in the stack, (B, T).
            time: (B,), in thousandths of the training's noise levels.

        Returns:
            (B, T, 1, H, W).
        """
        batch, slices = frames.shape
        image = x * (1 - observed) + known * observed
        h = torch.cat([image, observed.expand_as(image)], dim=2).flatten(0, 1)
        embedded = self.time_embed(sinusoids(time.repeat_interleave(slices), self.first).to(x.dtype))
        total = len(self.input_blocks) + len(self.output_blocks) + 1
        skips: list[torch.Tensor] = []
        for done, layers in enumerate([*self.input_blocks, self.middle_block, *self.output_blocks]):
            if done > len(self.input_blocks):
                h = torch.cat([h, skips.pop()], dim=1)
            for layer in layers:
                h = _apply(layer, h, frames, embedded)
            if done < len(self.input_blocks):
                skips.append(h)
            yield (done + 1) / total
        out: torch.Tensor = self.out(h)
        return out.view(batch, slices, *out.shape[1:])


def sinusoids(time: torch.Tensor, width: int) -> torch.Tensor:
    """Cosines, then sines, of the time at ``width / 2`` frequencies, (B,) to (B, width)."""
    half = width // 2
    frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=time.device) / half)
    angles = time[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def _apply(layer: nn.Module, h: torch.Tensor, frames: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    if isinstance(layer, ResBlock):
        out: torch.Tensor = layer(h, time)
    elif isinstance(layer, SliceAttention):
        out = layer(h, frames, time)
    else:
        out = layer(h)
    return out
