"""The encoder of a latent diffusion model's AutoencoderKL; the diffusion model takes no part in a reconstruction.

volume ─ encoder blocks ─ quant_conv_mu ─ the code's mean ─ decoder ─ volume
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

import torch
from torch import nn

from synthview.generators.encoding import Encoder, Step
from synthview.generators.networks.monai_layers import decode_steps


class AutoencoderKlEncoder(Encoder):
    """Half of a ``LatentDiffusion`` network; its code is not the noise that the diffusion model starts from."""

    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    is_latent: ClassVar[bool] = False

    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """Block by block; the code is the mean, without noise."""
        network = cast(Any, generator).autoencoder
        blocks = list(network.encoder.blocks)
        for number, block in enumerate(blocks):
            x = block(x)
            yield 0.99 * (number + 1) / len(blocks), None
        yield 1.0, network.quant_conv_mu(x)

    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """The decoder, block by block."""
        work = decode_steps(cast(nn.Module, cast(Any, generator).autoencoder), code)
        while True:
            try:
                yield 0.99 * next(work), None
            except StopIteration as end:
                yield 1.0, end.value
                return
