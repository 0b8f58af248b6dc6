"""CRF-GAN: chest CT and brain MRI at 64³, 128³ and 256³.

Mahmoudi Shahid et al., CRF-GAN (github.com/mahshid1998/CRF-GAN).  Its generator is HA-GAN's without the low-resolution
branch: the conditional random field, which takes that branch's place, only guides the training.

    z (and one-hot class) ─ fc1 ─ 512×4³ ─ conv1 … conv7 ─ tanh: the volume
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from torch import nn

from synthview.generators.family import Arguments, Family, Step
from synthview.generators.networks.hagan import HaGan
from synthview.generators.networks.hagan_sizes import BEFORE, FACTORS, Factors, Size
from synthview.generators.state_dicts import Shapes

_SIZES: dict[Size, Factors] = {
    (64, 64, 64): (*BEFORE[:3], (1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
    **{size: factors for size, factors in FACTORS.items() if len(set(size)) == 1},  # 128³ and 256³ as in HA-GAN
}


class CrfGan(HaGan):
    """CRF-GAN at 64³, 128³ and 256³, with or without classes."""

    id = "crf-gan"
    title = "CRF-GAN"
    source = "github.com/mahshid1998/CRF-GAN"
    sizes: ClassVar[Mapping[Size, Factors]] = _SIZES
    branch = False
    aliases: ClassVar[Mapping[str, Arguments]] = {
        "crfgan": {},
        **{f"crfgan {size[0]}": {"size": size} for size in _SIZES},
        **{f"crfgan {size[0]} cond": {"size": size} for size in _SIZES},
    }
    arguments: ClassVar[Mapping[str, str]] = {
        **HaGan.arguments,
        "size": "voxels of the output: 64, 128 or 256 (not in the weights)",
    }

    def tell_apart(self, shapes: Shapes) -> None:
        """Nothing to tell apart: files with HA-GAN's low-resolution branch do not fit."""

    def is_optional(self, key: str) -> bool:
        """There is no low-resolution branch."""
        return Family.is_optional(self, key)

    def sample_coarse(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step] | None:
        """There is no low-resolution branch."""
        return None
