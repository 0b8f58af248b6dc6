"""α-WGAN SigmaRat 1 and 2: rat brain MRI at 64³, with or without spectral normalisation.

Ferreira et al., "Generation of Synthetic Rat Brain MRI Scans with a 3D Enhanced Alpha Generative Adversarial Network",
Applied Sciences 2022 (github.com/ShadowTwin41/alpha-WGAN-SigmaRat).  The paper's SigmaRat1 is the one with spectral
normalisation and is defined in the file WGAN_SigmaRat2.py, and the other way round: only the keys tell which is which.

    z ─ transposed conv 4³ ─ 8c×4³ ─ (×2, conv) ─ 4c×8³ ─ 2c×16³ ─ c×32³ ─ 1×64³ ─ tanh
Every layer but the last is followed by InstanceNorm (no parameters) and LeakyReLU(0.01).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments, Family, NotThisFamily, Step
from synthview.generators.info import Setting
from synthview.generators.networks.batch_setting import batch_setting
from synthview.generators.networks.conv_encoder import conv_encoder
from synthview.generators.state_dicts import Shapes
from synthview.volume import Volume, Window

_SPACING_MM = (0.375, 0.375, 0.5)
_KEPT_SLICES = slice(12, 52)  # of the last axis; the others pad the training scans
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Layer(nn.Module):
    """A convolution without bias, plain or spectrally normalised (with the keys of torch's first spectral_norm).

    Args:
        shape: of the weight: (out, in, 3, 3, 3), or (in, out, 4, 4, 4) for the transposed first layer.
        spectral: divide the weight by its largest singular value uᵀMv, with M the weight as (out, everything else).
    """

    def __init__(self, shape: tuple[int, ...], *, spectral: bool, transposed: bool = False) -> None:
        super().__init__()
        self.spectral, self.transposed = spectral, transposed
        weight = nn.Parameter(torch.empty(shape))
        if not spectral:
            self.weight = weight
            return
        self.weight_orig = weight
        matrix = self._matrix()
        self.register_buffer("weight_u", torch.empty(matrix.shape[0]))
        self.register_buffer("weight_v", torch.empty(matrix.shape[1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The convolution; in training mode with one step of power iteration before it, which is kept."""
        weight = self._normalised() if self.spectral else self.weight
        return F.conv_transpose3d(x, weight) if self.transposed else F.conv3d(x, weight, padding=1)

    def _normalised(self) -> torch.Tensor:
        matrix, u, v = self._matrix(), self.get_buffer("weight_u"), self.get_buffer("weight_v")
        if self.training:
            v.copy_(F.normalize(matrix.T @ u, dim=0, eps=1e-12))
            u.copy_(F.normalize(matrix @ v, dim=0, eps=1e-12))
        return self.weight_orig / torch.dot(u, matrix @ v)

    def _matrix(self) -> torch.Tensor:
        weight = self.weight_orig.transpose(0, 1) if self.transposed else self.weight_orig
        return weight.flatten(1)


class SigmaRatNetwork(nn.Module):
    """The generator.

    Args:
        latent_dim: length of the latent.
        channel: channels of the last hidden layer, c.
        spectral: with spectral normalisation of every layer.
    """

    def __init__(self, latent_dim: int, channel: int, *, spectral: bool) -> None:
        super().__init__()
        widths = [8 * channel, 4 * channel, 2 * channel, channel, 1]
        self.tp_conv1 = Layer((latent_dim, widths[0], 4, 4, 4), spectral=spectral, transposed=True)
        for i in range(2, 6):
            self.add_module(f"tp_conv{i}", Layer((widths[i - 1], widths[i - 2], 3, 3, 3), spectral=spectral))

    def steps(self, z: torch.Tensor) -> Iterator[Step]:
        """(N, latent_dim) to (N, 1, 64, 64, 64) in [-1, 1]; yields after each layer."""
        x = self.tp_conv1(z.view(len(z), -1, 1, 1, 1))
        for i in range(2, 6):
            yield (i - 1) / 5, None
            x = F.leaky_relu_(F.instance_norm(x), 0.01)
            x = self.get_submodule(f"tp_conv{i}")(F.interpolate(x, scale_factor=2.0))
        yield 1.0, torch.tanh_(x)


class SigmaRat(Family):
    """α-WGAN SigmaRat 1 and 2."""

    id = "sigmarat"
    title = "α-WGAN SigmaRat"
    takes_place = True
    source = "Ferreira et al. 2022, github.com/ShadowTwin41/alpha-WGAN-SigmaRat"
    aliases: ClassVar[Mapping[str, Arguments]] = {
        name: {}
        for name in ("sigmarat1", "sigmarat2", "alpha-wgan-sigmarat", "alpha-wgan-sigmarat1", "alpha-wgan-sigmarat2")
    }
    arguments: ClassVar[Mapping[str, str]] = {
        "latent_dim": "length of the latent (in the weights)",
        "channel": "channels of the last hidden layer (in the weights)",
        "spectral_norm": "whether the layers are spectrally normalised (in the weights)",
        "batch_statistics": "true to sample as published, where the network was left in training mode",
    }

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """All from the first layer's key and shape."""
        if not any(key.startswith("tp_conv1.weight") for key in shapes) and "tp_conv5.weight" not in shapes:
            raise NotThisFamily("there is no first layer tp_conv1")
        spectral = any(key.endswith("weight_orig") for key in shapes)
        stem = shapes.get("tp_conv1.weight_orig" if spectral else "tp_conv1.weight", ())
        last = shapes.get("tp_conv5.weight_orig" if spectral else "tp_conv5.weight", ())
        latent_dim, width = stem[:2] if len(stem) == 5 else (500, 8 * last[1] if len(last) == 5 else 512)
        inferred = {"latent_dim": latent_dim, "channel": max(width // 8, 1), "spectral_norm": spectral}
        for name, value in inferred.items():
            if stated.get(name, value) != value:
                raise WrongRequestError(f"{name} {stated[name]} does not fit the weights, which say {value}")
        return {**inferred, "batch_statistics": stated.get("batch_statistics", False)}

    def parse_argument(self, name: str, value: Any) -> Any:
        """Two numbers, two yes or no."""
        text = str(value).lower()
        if name in {"batch_statistics", "spectral_norm"}:
            if text not in _TRUE | _FALSE:
                raise WrongRequestError(f"{name} must be true or false, got {value!r}")
            return text in _TRUE
        if not text.isdigit():
            raise WrongRequestError(f"{name} must be a whole number, got {value!r}")
        return int(text)

    def build(self, arguments: Arguments) -> SigmaRatNetwork:
        """In training mode if batch statistics are asked for; it then steps its spectral norms at every call."""
        network = SigmaRatNetwork(arguments["latent_dim"], arguments["channel"], spectral=arguments["spectral_norm"])
        return network.train(arguments["batch_statistics"])

    def is_optional(self, key: str) -> bool:
        """Files of torch 1.0 and before lack weight_v, and may hold the normalised weight as well."""
        return key.endswith((".weight_v", ".num_batches_tracked"))

    def complete(self, tensors: dict[str, torch.Tensor], arguments: Arguments) -> None:
        """Where weight_v is missing, one half of a power iteration gives it: v = Mᵀu / ‖Mᵀu‖."""
        for key in [key for key in tensors if key.endswith(".weight_orig")]:
            layer = key.removesuffix("weight_orig")
            if f"{layer}weight_v" not in tensors:
                weight = tensors[key].transpose(0, 1) if layer == "tp_conv1." else tensors[key]
                v = weight.reshape(len(weight), -1).T @ tensors[f"{layer}weight_u"]
                tensors[f"{layer}weight_v"] = F.normalize(v, dim=0, eps=1e-12)

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(latent_dim,)."""
        return (arguments["latent_dim"],)

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """Always (1, 64, 64, 64)."""
        return (1, 64, 64, 64)

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """``E_iter….pth`` beside ``G_iter….pth``."""
        return conv_encoder(checkpoint.files[0], arguments["latent_dim"], _SPACING_MM, instance_norm=True)

    def settings(self, arguments: Arguments) -> tuple[Setting, ...]:
        """The statistics that the norms use."""
        return (batch_setting(bool(arguments["batch_statistics"])),)

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What is taken from the publication."""
        which = (
            "1 (with spectral normalisation)" if arguments["spectral_norm"] else "2 (without spectral normalisation)"
        )
        return (
            f"The paper calls this network SigmaRat{which}; its repository numbers them the other way round.",
            "Spacing and cropping are those of the published training scans; the axes are taken as right, anterior, "
            "superior.",
        )

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One pass, layer by layer."""
        return cast(SigmaRatNetwork, network).steps(z)

    def joint_batch(self, arguments: Arguments) -> bool:
        """In training mode every call changes the next, so that a batch is one call."""
        return bool(arguments["batch_statistics"])

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """Smallest to largest value become 0 to 1, then the padding slices go: 64×64×40 at 0.375×0.375×0.5 mm."""
        low, high = raw.min(), raw.max()
        voxels = (raw[0] - low) / max(high - low, np.finfo(np.float32).tiny)
        return Volume(voxels[..., _KEPT_SLICES], np.diag([*_SPACING_MM, 1.0]), window=Window.from_range(0, 1))
