"""What the generators of 3dbraingen and MRIAnatEval share: a stem, then four times upsampling and convolution.

    z ─ stem ─ bn1, ReLU ─ (×2, conv, bn, ReLU) × 3 ─ ×2, conv ─ nearest to the final size ─ tanh
The stem is a transposed convolution without bias (``tp_conv1``, whose kernel is its output's grid), or a linear layer
(``fc``).  Convolutions are 3³ without bias; the norms are BatchNorm.  What differs stands in each family's ``Layout``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.arguments import check_stated, parse_count
from synthview.generators.family import Arguments, Family, NotThisFamily, Step
from synthview.generators.networks.upsampled_conv import UpsampledConv
from synthview.generators.state_dicts import Shapes

_PUBLISHED_LATENT, _PUBLISHED_CHANNEL = 1000, 64


@dataclass(frozen=True)
class Layout:
    """One published architecture.

    Attributes:
        stem: the first layer's key, "tp_conv1" or "fc".
        grid: voxels that the stem makes.
        widths: channels out of the stem and the first three convolutions, in multiples of the last.
        last: the last convolution's key.
        size: voxels of the output.
    """

    stem: str
    grid: tuple[int, int, int]
    widths: tuple[int, int, int, int]
    last: str
    size: tuple[int, int, int]

    @property
    def convs(self) -> tuple[str, str, str, str]:
        """Keys of the four convolutions."""
        return ("tp_conv2", "tp_conv3", "tp_conv4", self.last)


class StemStackNetwork(nn.Module):
    """The generator.

    Args:
        layout: of the architecture.
        latent_dim: length of the latent.
        channel: channels of the last hidden layer, c.
    """

    def __init__(self, layout: Layout, latent_dim: int, channel: int) -> None:
        super().__init__()
        self.layout = layout
        widths = [channel * width for width in layout.widths]
        if layout.stem == "fc":
            self.fc = nn.Linear(latent_dim, widths[0] * math.prod(layout.grid))
        else:
            self.tp_conv1 = nn.ConvTranspose3d(latent_dim, widths[0], layout.grid, bias=False)
        for i, (before, after) in enumerate(zip(widths, [*widths[1:], 1], strict=True)):
            self.add_module(f"bn{i + 1}", nn.BatchNorm3d(before))
            self.add_module(layout.convs[i], nn.Conv3d(before, after, 3, padding=1, bias=False))

    def steps(self, z: torch.Tensor) -> Iterator[Step]:
        """(N, latent_dim) to (N, 1, *size) in [-1, 1]; yields after each layer, and within the large ones."""
        x = self.fc(z) if self.layout.stem == "fc" else z @ self.tp_conv1.weight.flatten(1)
        x = x.view(len(z), -1, *self.layout.grid)
        work = [width * 8**i for i, width in enumerate(self.layout.widths)]  # of a convolution, roughly
        done = 0.0
        for i, name in enumerate(self.layout.convs):
            x = F.relu_(self.get_submodule(f"bn{i + 1}")(x))
            share = work[i] / sum(work)
            out = x
            for fraction, out in self._conv(name).parts(x):  # noqa: B007  (used below)
                yield (done + share * fraction) * 0.99, None
            x = out
            done += share
        yield 1.0, _nearest(torch.tanh_(x), self.layout.size)

    def prepare(self) -> None:
        """Put the convolutions' kernels into the form they are computed in, in place of the published one."""
        for name in self.layout.convs:
            self.add_module(name, self._conv(name))

    def _conv(self, name: str) -> UpsampledConv:
        layer = self.get_submodule(name)
        return layer if isinstance(layer, UpsampledConv) else UpsampledConv(cast(nn.Conv3d, layer), (2, 2, 2))


class StemStack(Family):
    """A family of such a layout; subclasses say which, and what their volumes mean."""

    layout: ClassVar[Layout]
    arguments: ClassVar[Mapping[str, str]] = {
        "latent_dim": "length of the latent (in the weights)",
        "channel": "channels of the last hidden layer (in the weights)",
    }

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """The latent's length from the stem's shape; the channels from whichever layer is there."""
        layout = self.layout
        if not shapes.keys() & {f"{layout.stem}.weight", layout.convs[0] + ".weight", layout.last + ".weight"}:
            raise NotThisFamily(f"there is no first layer {layout.stem}")
        inferred = {"latent_dim": _latent_dim(shapes, layout), "channel": _channel(shapes, layout)}
        check_stated(stated, inferred)
        return inferred

    def parse_argument(self, name: str, value: Any) -> Any:
        """Whole numbers."""
        return parse_count(name, value)

    def build(self, arguments: Arguments) -> StemStackNetwork:
        """The network, in evaluation mode."""
        return StemStackNetwork(self.layout, arguments["latent_dim"], arguments["channel"]).eval()

    def complete(self, tensors: dict[str, torch.Tensor], arguments: Arguments) -> None:
        """Files of torch before 0.4.1 lack the norms' count of batches, on which nothing depends here."""
        for i in range(1, 5):
            tensors.setdefault(f"bn{i}.num_batches_tracked", torch.tensor(0))

    def finish(self, network: nn.Module) -> None:
        """Prepare the kernels."""
        if not any(p.is_meta for p in network.parameters()):
            cast(StemStackNetwork, network).prepare()

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(latent_dim,)."""
        return (arguments["latent_dim"],)

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(1, *size)."""
        return (1, *self.layout.size)

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One pass, in parts of layers."""
        return cast(StemStackNetwork, network).steps(z)


def _latent_dim(shapes: Shapes, layout: Layout) -> int:
    shape = shapes.get(f"{layout.stem}.weight", ())
    if layout.stem == "fc":
        return shape[1] if len(shape) == 2 else _PUBLISHED_LATENT
    return shape[0] if len(shape) == 5 else _PUBLISHED_LATENT


def _channel(shapes: Shapes, layout: Layout) -> int:
    """From the first layer found that tells: the last convolution takes c channels, the one before gives c."""
    keys = (layout.last, "tp_conv4", "tp_conv3", "tp_conv2")
    multiples: tuple[int, ...] = (1, *reversed(layout.widths[1:]))
    for key, axis, multiple in zip(keys, (1, 0, 0, 0), multiples, strict=True):
        shape = shapes.get(f"{key}.weight", ())
        if len(shape) == 5:
            return max(shape[axis] // multiple, 1)
    return _PUBLISHED_CHANNEL


def _nearest(x: torch.Tensor, size: tuple[int, int, int]) -> torch.Tensor:
    """Voxel t of the output is voxel floor(t · before / after) of the input."""
    for axis, (before, after) in enumerate(zip(x.shape[2:], size, strict=True), start=2):
        if before != after:
            x = x.index_select(axis, torch.arange(after, device=x.device) * before // after)
    return x
