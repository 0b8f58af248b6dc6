"""A family of generators for synthview, in one file: a small decoder, conditioned on age.

z, age ─ fc ─ 4c×8³ ─ (×2, conv1, ReLU) ─ c×16³ ─ (×2, conv2) ─ 1×32³ ─ sigmoid
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.arguments import check_stated, parse_count
from synthview.generators.family import Family, NotThisFamily, Step
from synthview.generators.info import Feature
from synthview.volume import Volume, VolumeKind, Window

SPACING_MM = 6.0


class MiniDecoderNetwork(nn.Module):
    """The network; its keys are those of the checkpoints.

    Args:
        latent_dim: length of the latent.
        channels: of the last hidden layer, c.
    """

    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(latent_dim + 1, 4 * channels * 8**3)
        self.conv1 = nn.Conv3d(4 * channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, 1, 3, padding=1)

    def forward(self, z: torch.Tensor, age: torch.Tensor) -> torch.Tensor:
        """(N, latent_dim) and (N, 1) to (N, 1, 32, 32, 32) in [0, 1]."""
        x = self.fc(torch.cat([z, age], dim=1)).view(len(z), -1, 8, 8, 8)
        x = F.relu(self.conv1(F.interpolate(x, scale_factor=2)))
        return torch.sigmoid(self.conv2(F.interpolate(x, scale_factor=2)))


class MiniDecoder(Family):
    """What synthview has to know of it."""

    id = "mini-decoder"
    title = "Mini decoder"
    source = "synthview's example of a family in another package"
    arguments = {  # noqa: RUF012
        "latent_dim": "length of the latent (in the weights)",
        "channels": "channels of the last hidden layer (in the weights)",
    }

    def infer_arguments(self, shapes: Any, stated: Any) -> dict[str, Any]:
        """Everything is in the shapes; keys that a damaged file lacks are replaced by what was published."""
        if not {"fc.weight", "conv1.weight"} & shapes.keys() or "conv2.weight" not in shapes:
            raise NotThisFamily("there are no layers fc, conv1 and conv2")
        latent_dim = shapes.get("fc.weight", (0, 17))[-1] - 1
        channels = shapes["conv2.weight"][1] if len(shapes["conv2.weight"]) == 5 else 8
        if latent_dim < 1 or channels < 1:
            raise NotThisFamily("its layers are too narrow")
        inferred = {"latent_dim": latent_dim, "channels": channels}
        check_stated(stated, inferred)
        return inferred

    def parse_argument(self, name: str, value: Any) -> Any:
        """Whole numbers."""
        return parse_count(name, value)

    def build(self, arguments: Any) -> nn.Module:
        """The network, to be evaluated."""
        return MiniDecoderNetwork(arguments["latent_dim"], arguments["channels"]).eval()

    def latent_shape(self, arguments: Any) -> tuple[int, ...]:
        """(latent_dim,)."""
        return (arguments["latent_dim"],)

    def output_shape(self, arguments: Any) -> tuple[int, ...]:
        """Always (1, 32, 32, 32)."""
        return (1, 32, 32, 32)

    def features(self, arguments: Any) -> tuple[Feature, ...]:
        """Age in years; the network gets (age - 50) / 20."""
        return (Feature("age", "Age", "years", low=20, high=80, default=50, mean=50, std=20),)

    def notes(self, arguments: Any, stated: Collection[str]) -> tuple[str, ...]:
        """What is assumed."""
        return (f"Spacing is taken as {SPACING_MM:g} mm, and the axes as right, anterior, superior.",)

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One pass; a long one would yield (fraction done, None) on its way, so that it can be stopped."""
        yield 1.0, network(z, condition)

    def to_volume(self, raw: Any, arguments: Any) -> Volume:
        """A T1-weighted head, 0 to 1."""
        affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
        return Volume(raw[0], affine, VolumeKind.T1W, window=Window.from_range(0, 1))
