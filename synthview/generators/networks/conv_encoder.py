"""The encoders of 3dbraingen and of α-WGAN SigmaRat, which lie beside their generators (``E_….pth`` for ``G_….pth``).

    64³ ─ conv 4³ stride 2, four times ─ 8c×4³ ─ conv 4³ ─ code            (α-GAN, α-WGAN, SigmaRat)
                                              ─ linear ─ mean of the code  (VAE-GAN)
LeakyReLU 0.2 follows the first four; BatchNorm (3dbraingen) or InstanceNorm (SigmaRat) goes before it from the second
on.  In SigmaRat 1 every layer is spectrally normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import CheckpointError
from synthview.generators.checkpoint import read_checkpoint
from synthview.generators.encoding import Encoder, EncoderSource, Step, sibling
from synthview.generators.norms import folded, older_names

Network = TypeVar("Network", bound=nn.Module)

_SLOPE = 0.2
_EPS = 1e-5
_MEAN_HEAD = ("mean.0", "mean.1", "mean.3")  # linear, BatchNorm, linear


class ConvEncoderNetwork(nn.Module):
    """The encoder, built from its tensors.

    Args:
        tensors: of the file, spectral norms folded.
        instance_norm: InstanceNorm, which has no tensors; else BatchNorm.

    Raises:
        KeyError: a layer is missing.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor], *, instance_norm: bool) -> None:
        super().__init__()
        self.instance_norm = instance_norm
        self.has_mean = "mean.0.weight" in tensors
        layers = [f"conv{i}" for i in range(1, 5)] + ([] if self.has_mean else ["conv5"])
        names = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
        if not instance_norm:
            parts = ("weight", "bias", "running_mean", "running_var")
            norms = [f"bn{i}" for i in (2, 3, 4)] + (["mean.1"] if self.has_mean else [])
            names += [f"{norm}.{part}" for norm in norms for part in parts]
        if self.has_mean:
            names += [f"{layer}.{part}" for layer in ("mean.0", "mean.3") for part in ("weight", "bias")]
        for name in names:
            self.register_buffer(name.replace(".", "_"), tensors[name].float().contiguous().clone())

    def steps(self, x: torch.Tensor) -> Iterator[Step]:
        """(1, 1, 64, 64, 64) to (1, length of the code)."""
        for i in range(1, 5):
            x = F.conv3d(x, self._of(f"conv{i}.weight"), self._of(f"conv{i}.bias"), stride=2, padding=1)
            x = F.leaky_relu(x if i == 1 else self._norm(x, f"bn{i}"), _SLOPE)
            yield i / 5, None
        if not self.has_mean:
            yield 1.0, F.conv3d(x, self._of("conv5.weight"), self._of("conv5.bias")).flatten(1)
            return
        first, norm, last = _MEAN_HEAD
        hidden = F.linear(x.flatten(1), self._of(f"{first}.weight"), self._of(f"{first}.bias"))
        yield 1.0, F.linear(F.relu(self._norm(hidden, norm)), self._of(f"{last}.weight"), self._of(f"{last}.bias"))

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        if self.instance_norm:
            return F.instance_norm(x, eps=_EPS)
        mean, variance = self._of(f"{name}.running_mean"), self._of(f"{name}.running_var")
        return F.batch_norm(x, mean, variance, self._of(f"{name}.weight"), self._of(f"{name}.bias"), eps=_EPS)

    def _of(self, name: str) -> torch.Tensor:
        return self.get_buffer(name.replace(".", "_"))


class ConvEncoder(Encoder):
    """Beside a generator with ``steps(z)``."""

    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """Layer by layer."""
        return cast(ConvEncoderNetwork, self.network).steps(x)

    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """The generator itself."""
        steps: Iterator[Step] = cast(Any, generator).steps(code)
        return steps


def conv_encoder(
    weights: Path, latent_dim: int, spacing: tuple[float, float, float], *, instance_norm: bool
) -> EncoderSource | None:
    """The encoder beside a generator's file; None where none lies there.

    Args:
        weights: the generator's file.
        latent_dim: length of its latent, which the code must have.
        spacing: mm of the published grid along right, anterior and superior.
        instance_norm: as for ``ConvEncoderNetwork``.
    """
    found = sibling(weights, "E")
    if not found:
        return None

    def read() -> Encoder:
        network = read_encoder(found[0], lambda tensors: ConvEncoderNetwork(tensors, instance_norm=instance_norm))
        with torch.inference_mode():
            *_, (_, code) = network.steps(torch.zeros(1, 1, 64, 64, 64))
        if code is None or code.shape[1] != latent_dim:
            length = 0 if code is None else code.shape[1]
            raise CheckpointError(
                f"{found[0]} makes codes of {length} numbers, and the generator beside it takes {latent_dim}: they are "
                "not of one training; put the right pair into one folder"
            )
        return ConvEncoder(network, spacing, found)

    return read


def read_encoder(path: Path, build: Callable[[Mapping[str, torch.Tensor]], Network]) -> Network:
    """Build a network from the tensors of an encoder's file.

    Raises:
        CheckpointError: a layer is missing or of another shape; names it.
    """
    tensors = folded(older_names(read_checkpoint(path).tensors), spectral=True)
    try:
        return build(tensors).eval().requires_grad_(False)
    except KeyError as error:
        raise CheckpointError(f"{path} is no encoder of this family: it lacks {error.args[0]}") from error
    except RuntimeError as error:
        raise CheckpointError(f"{path} is no encoder of this family: {str(error).splitlines()[0]}") from error
