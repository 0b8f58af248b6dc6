"""HA-GAN's two encoders, which lie beside its generator: ``E_iter….pth`` and ``Sub_E_iter….pth`` for ``G_iter….pth``.

    volume ─ eighth by eighth ─ E: conv 4³ ÷2, conv 3³, conv 4³ ÷2 ─ 64 channels at a quarter of the grid
           ─ put together     ─ Sub_E: conv 4³ ÷2, four times (128³: three) ─ conv 4³ ─ code
GroupNorm(8) and ReLU follow every layer but the last.  E sees an eighth of the volume at a time, as in training, since
its norms depend on what they see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import CheckpointError
from synthview.generators.encoding import Encoder, EncoderSource, Step, sibling
from synthview.generators.networks.conv_encoder import read_encoder

_SLABS = 8
_GROUPS = 8
_CONV = re.compile(r"conv(\d)\.weight")


class ConvStack(nn.Module):
    """Convolutions, each but perhaps the last with GroupNorm and ReLU; built from their tensors.

    Kernels of 4 halve the grid, kernels of 3 keep it; the last of a stack without a norm takes the whole grid.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.numbers = sorted(int(found[1]) for key in tensors if (found := _CONV.fullmatch(key)))
        if not self.numbers:
            raise KeyError("conv1.weight")
        for number in self.numbers:
            weight = tensors[f"conv{number}.weight"]
            padding = 1 if f"bn{number}.weight" in tensors else 0
            kernel = weight.shape[-1]
            stride = 2 if kernel == 4 and padding else 1
            conv = nn.Conv3d(weight.shape[1], weight.shape[0], kernel, stride, padding)
            self.add_module(f"conv{number}", conv)
            if padding:
                self.add_module(f"bn{number}", nn.GroupNorm(_GROUPS, weight.shape[0]))
        self.load_state_dict({key: tensors[key].float().clone() for key in self.state_dict()})

    def steps(self, x: torch.Tensor) -> Iterator[Step]:
        """(1, C, …) through every layer."""
        for done, number in enumerate(self.numbers, start=1):
            x = self.get_submodule(f"conv{number}")(x)
            if f"bn{number}" in self._modules:
                x = F.relu_(self.get_submodule(f"bn{number}")(x))
            yield done / len(self.numbers), x


class HaGanEncoderNetwork(nn.Module):
    """Both encoders."""

    def __init__(self, slabs: ConvStack, whole: ConvStack) -> None:
        super().__init__()
        self.slabs, self.whole = slabs, whole

    def steps(self, x: torch.Tensor) -> Iterator[Step]:
        """(1, 1, D, H, W) to (1, latent_dim)."""
        parts = []
        for number, slab in enumerate(x.chunk(_SLABS, dim=2)):
            part = slab
            for fraction, found in self.slabs.steps(slab):
                yield 0.9 * (number + fraction) / _SLABS, None
                part = cast(torch.Tensor, found)
            parts.append(part)
        code = torch.cat(parts, dim=2)
        for fraction, found in self.whole.steps(code):
            code = cast(torch.Tensor, found)
            yield 0.9 + 0.09 * fraction, None
        yield 1.0, code.flatten(1)


class HaGanEncoder(Encoder):
    """Beside a ``HaGanNetwork``."""

    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """An eighth of the volume at a time."""
        return cast(HaGanEncoderNetwork, self.network).steps(x)

    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """The generator itself, with the class where it takes one."""
        steps: Iterator[Step] = cast(Any, generator).steps(
            code if condition is None else torch.cat([code, condition], dim=1)
        )
        return steps


def hagan_encoder(weights: Path, latent_dim: int, size: tuple[int, int, int] | None) -> EncoderSource | None:
    """The encoders beside HA-GAN's generator; None where one is missing, and for 144×192×144, whose are others.

    Args:
        weights: the generator's file.
        latent_dim: length of its latent.
        size: of its volumes, if it is known.
    """
    found = sibling(weights, "E", "Sub_E")
    if not found or size is None or len(set(size)) > 1:
        return None

    def read() -> Encoder:
        slabs, whole = (read_encoder(path, ConvStack) for path in found)
        length = cast(nn.Conv3d, whole.get_submodule(f"conv{whole.numbers[-1]}")).out_channels
        halvings = len(whole.numbers) - 1 + 2
        if length != latent_dim or size[0] >> halvings != 4:
            raise CheckpointError(
                f"{found[1]} makes codes of {length} numbers from {4 << halvings}³ voxels, and the generator beside it "
                f"takes {latent_dim} and makes {size[0]}³: they are not of one training; put the right files into one "
                "folder"
            )
        return HaGanEncoder(HaGanEncoderNetwork(slabs, whole).eval(), None, found)

    return read
