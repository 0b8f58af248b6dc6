"""CSegSynth: brain tissue maps at 80×128×128 from noise, or from noise and features of a person.

Wang et al., CSegSynth (github.com/ruijie-wang-uzh/CSegSynth): VAE, C-VAE, GAN, C-GAN, α-GAN and CSegSynth itself, which
all generate with the same network.  A file is a list of state dicts (discriminators, encoders and optimisers too); they
are told apart by their keys.

    features ─ condition ─┐                             (C-GAN, CSegSynth; C-VAE, whose prior also turns noise
    z ────────────────────┴ + ─ h×1³ ─ decoder_net ─ softmax       into mean + std · noise, both from the features)

    decoder_net   h×(10, 16, 16) ─ h/4×(20, 32, 32) ─ h/16×(40, 64, 64) ─ 4×(80, 128, 128)
Each step is an upsampling layer, then 1, 1, 3 and 1 ConvNeXt blocks.  h = 32·channel_base.  The first layer's kernel is
the first grid; ``synthview train`` also makes networks with another one than the published 10×16×16.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.generators.arguments import check_stated, parse_count, parse_flag
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments, Family, NotThisFamily, Step
from synthview.generators.info import Feature
from synthview.generators.networks.quick_linear import apply_linear
from synthview.generators.networks.trilinear_conv import TrilinearConv3d
from synthview.generators.state_dicts import Shapes, Tensors
from synthview.volume import Volume, VolumeKind, Window, centred_affine

Grid = tuple[int, int, int]
PUBLISHED_GRID: Grid = (10, 16, 16)
SCALE = 8  # from the first grid to the output
_DEPTHS = (1, 1, 3, 1)
_KERNEL, _PADDING = (3, 5, 5), (1, 2, 2)
_EPS = 1e-6
_SPACING_MM = 2.0
_PUBLISHED_BASE, _PUBLISHED_FEATURES = 32, 20
_HIDDEN_NUMBERS = 1 << 21  # of a block's wide layer at a time: 8 MiB in float32, most of which stay in the cache
_AOMIC = (
    "age, sex, handedness, BMI, education level, background SES, IST fluid, IST memory, IST crystallised, IST total "
    "intelligence, BAS drive, BAS fun, BAS reward, BIS, NEO N, NEO E, NEO O, NEO A, NEO C, STAI T"
)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of each voxel."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, D, H, W) to the same, channels last in memory."""
        return super().forward(x.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)


class ConvNeXtBlock(nn.Module):
    """x + gamma · (depthwise convolution, norm, to four times the channels, GELU, and back)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv3d(channels, channels, _KERNEL, padding=_PADDING, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPS)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.empty(channels))

    def steps(self, x: torch.Tensor) -> Iterator[float]:
        """Change x (N, C, D, H, W), channels last in memory, in place, a stretch of voxels at a time."""
        voxels = x.permute(0, 2, 3, 4, 1).view(-1, x.shape[1])
        mixed = self.dwconv(x).permute(0, 2, 3, 4, 1).reshape(-1, x.shape[1])
        rows = max(1, _HIDDEN_NUMBERS // (4 * x.shape[1]))
        for first in range(0, len(voxels), rows):
            some = slice(first, first + rows)
            hidden = apply_linear(self.norm(mixed[some]), self.pwconv1, gelu=True)
            voxels[some].addcmul_(apply_linear(hidden, self.pwconv2), self.gamma)
            yield min(1.0, (first + rows) / len(voxels))


class DecoderNet(nn.Module):
    """From a code to the logits of four tissues.

    Args:
        width: length of the code, h.
        grid: voxels that the first layer makes; the output has eight times as many along each axis.
    """

    def __init__(self, width: int, grid: Grid = PUBLISHED_GRID) -> None:
        super().__init__()
        self.widths = (width, width // 4, width // 16, 4)
        first = nn.Sequential(nn.ConvTranspose3d(width, width, grid, groups=width), ChannelNorm(width))
        self.upsample_layers = nn.ModuleList([first])
        for before, after in zip(self.widths[:-1], self.widths[1:], strict=True):
            conv = TrilinearConv3d(before, after, _KERNEL, padding=_PADDING, groups=after)
            self.upsample_layers.append(nn.Sequential(ChannelNorm(before), nn.Identity(), conv))
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(channels) for _ in range(depth)))
            for channels, depth in zip(self.widths, _DEPTHS, strict=True)
        )

    def steps(self, code: torch.Tensor) -> Iterator[Step]:
        """(N, h) to (N, 4, 80, 128, 128), or eight times another grid; yields often."""
        shares = _shares(self.widths)
        x, done = self._first(code), 0.0
        for level, stage in enumerate(self.stages):
            if level:
                norm, _, conv = cast(nn.Sequential, self.upsample_layers[level])
                small = norm(x)
                for fraction, x in cast(TrilinearConv3d, conv).steps(small):  # noqa: B007  (used below)
                    yield done + shares[level] * fraction / 2, None
            for number, block in enumerate(cast(nn.Sequential, stage)):
                for fraction in cast(ConvNeXtBlock, block).steps(x):
                    part = (number + fraction) / len(cast(nn.Sequential, stage))
                    yield done + shares[level] * (1 + part) / 2, None
            done += shares[level]
        yield 1.0, x

    def _first(self, code: torch.Tensor) -> torch.Tensor:
        """The transposed convolution of a single voxel: each channel's number times its kernel."""
        conv, norm = cast(nn.Sequential, self.upsample_layers[0])
        conv = cast(nn.ConvTranspose3d, conv)
        x = code.view(*code.shape, 1, 1, 1) * conv.weight[:, 0] + cast(torch.Tensor, conv.bias).view(-1, 1, 1, 1)
        return cast(torch.Tensor, norm(x))


class Prior(nn.Module):
    """Mean and spread of the latent, from the features."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.head_mean = _tower(features, width)
        self.head_log_var = _tower(features, width)

    def forward(self, features: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Features (N, F) and noise (N, h) to latents (N, h)."""
        spread = torch.sqrt(torch.exp(self.head_log_var(features))) + 1e-16
        return cast(torch.Tensor, self.head_mean(features) + spread * noise)


class Condition(nn.Module):
    """What the features add to the latent."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.nets = _tower(features, width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, F) to (N, h)."""
        return cast(torch.Tensor, self.nets(features))


class CSegSynthNetwork(nn.Module):
    """The generating parts of all variants.

    Args:
        width: length of the latent, h.
        features: number of features, 0 for none.
        prior: with a prior (C-VAE).
        grid: voxels that the first layer makes.
    """

    def __init__(self, width: int, features: int, *, prior: bool, grid: Grid = PUBLISHED_GRID) -> None:
        super().__init__()
        self.decoder_net = DecoderNet(width, grid)
        self.condition = Condition(features, width) if features else None
        self.prior = Prior(features, width) if prior else None

    def steps(self, z: torch.Tensor, features: torch.Tensor | None) -> Iterator[Step]:
        """Latents (N, h), and features (N, F) where the network takes them, to probabilities (N, 4, 80, 128, 128)."""
        if features is not None and self.prior is not None:
            z = self.prior(features, z)
        if features is not None and self.condition is not None:
            z = z + self.condition(features)
        x = z
        for fraction, out in self.decoder_net.steps(z):
            if out is None:
                yield fraction * 0.99, None
            else:
                x = out
        yield 1.0, F.softmax(x, dim=1)


class CSegSynth(Family):
    """CSegSynth and the five models it was compared with."""

    id = "csegsynth"
    title = "CSegSynth"
    source = "github.com/ruijie-wang-uzh/CSegSynth"
    aliases: ClassVar[Mapping[str, Arguments]] = {
        f"csegsynth-{variant}": {} for variant in ("vae", "c-vae", "gan", "c-gan", "alpha-gan")
    }
    arguments: ClassVar[Mapping[str, str]] = {
        "channel_base": "width of the network; its latent is 32 times as long (in the weights)",
        "num_features": "number of features of a person (in the weights)",
        "prior": "whether features shape the noise, as in C-VAE (in the weights)",
        "grid": "voxels of the first layer, an eighth of the output's; 10x16x16 as published (in the weights)",
    }

    def tensors(self, checkpoint: Checkpoint) -> Tensors:
        """The decoder's tensors, those of its condition network and of its prior, from a list of state dicts."""
        parts = list(checkpoint.parts.values())
        decoders = [_decoder_part(part) for part in parts if any("decoder_net." in key for key in part)]
        conditions = [part for part in parts if any(key.startswith("nets.") for key in part)]
        priors = [part for part in parts if any(key.startswith("head_") for key in part)]
        if len(decoders) != 1:
            raise NotThisFamily(f"it has {len(decoders) or 'no'} decoders (decoder_net), and needs one")
        if len(conditions) > (2 if priors else 1) or len(priors) > 1:
            raise NotThisFamily(
                f"it has {len(conditions)} condition networks (nets) and {len(priors)} priors (head_mean): more than "
                "any variant",
                likeness=1.0,
            )
        joined = dict(decoders[0])
        for prefix, found in (("condition", conditions[-1:]), ("prior", priors)):  # C-VAE's first is its encoder's
            joined |= {f"{prefix}.{key}": tensor for part in found for key, tensor in part.items()}
        return joined

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """The width from the decoder's first layer; what is there besides, from its keys."""
        width = next((s[0] for k, s in shapes.items() if k.startswith("decoder_net.upsample_layers.0.") and s), 0)
        prior = any(key.startswith("prior.") for key in shapes)
        columns = [shapes.get(key, ()) for key in ("condition.nets.0.weight", "prior.head_mean.0.weight")]
        features = next((shape[1] for shape in columns if len(shape) == 2), 0)
        if not features and (prior or any(key.startswith("condition.") for key in shapes)):
            features = _PUBLISHED_FEATURES
        base = width // 32 or _PUBLISHED_BASE
        inferred: dict[str, Any] = {"channel_base": base, "num_features": features, "prior": prior}
        first = shapes.get("decoder_net.upsample_layers.0.0.weight", ())
        if len(first) == 5 and min(first) > 0 and first[2:] != PUBLISHED_GRID:
            inferred["grid"] = first[2:]
        check_stated(stated, inferred)
        return inferred

    def parse_argument(self, name: str, value: Any) -> Any:
        """Yes or no, a whole number, or three."""
        if name == "grid":
            parts = value if isinstance(value, list | tuple) else str(value).lower().replace("×", "x").split("x")
            return tuple(parse_count(name, part) for part in parts)
        return parse_flag(name, value) if name == "prior" else parse_count(name, value, least=0)

    def build(self, arguments: Arguments) -> CSegSynthNetwork:
        """The network; nothing in it differs between training and evaluation."""
        width = 32 * arguments["channel_base"]
        grid = arguments.get("grid", PUBLISHED_GRID)
        return CSegSynthNetwork(width, arguments["num_features"], prior=arguments["prior"], grid=grid).eval()

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(32·channel_base,); with a prior, of the noise that it shapes."""
        return (32 * arguments["channel_base"],)

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(4, 80, 128, 128) as published; eight times the first grid."""
        return (4, *(SCALE * n for n in arguments.get("grid", PUBLISHED_GRID)))

    def features(self, arguments: Arguments) -> tuple[Feature, ...]:
        """The weights only say how many there are: f0, f1, …, in standard deviations from the mean."""
        return tuple(
            Feature(f"f{i}", f"Feature {i}", "SD", low=-3.0, high=3.0) for i in range(arguments["num_features"])
        )

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What a file of CSegSynth's does not say."""
        notes = [
            "The channels are the probabilities of white matter, grey matter, cerebrospinal fluid and background.",
            f"Spacing is {_SPACING_MM:g} mm as published; the axes are not in the weights and are taken as right, "
            "anterior, superior.",
        ]
        if count := arguments["num_features"]:
            notes.append(
                f"The weights do not name their {count} features, nor their means and spreads: f0 to f{count - 1} are "
                "in standard deviations from the training subjects' mean."
            )
        if arguments["num_features"] == _PUBLISHED_FEATURES:
            notes.append(f"If it was trained on AOMIC as published, the features are, in this order: {_AOMIC}.")
        return tuple(notes)

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """That of α-GAN, CSegSynth, VAE and C-VAE, in the same file."""
        from synthview.generators.networks.csegsynth_encoder import csegsynth_encoder  # which is made of layers above

        return csegsynth_encoder(checkpoint, 32 * arguments["channel_base"])

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One pass, in parts of layers; the latent is all the noise there is."""
        return cast(CSegSynthNetwork, network).steps(z, condition)

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """A tissue map at 2 mm, its middle at 0 mm: where is unknown."""
        affine = centred_affine(raw.shape[1:], _SPACING_MM)
        return Volume(raw, affine, VolumeKind.TISSUE_MAP, window=Window.from_range(0, 1))


def _tower(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, width // 16),
        nn.LeakyReLU(0.01),
        nn.Linear(width // 16, width // 4),
        nn.LeakyReLU(0.01),
        nn.Linear(width // 4, width),
    )


def _decoder_part(part: Tensors) -> dict[str, torch.Tensor]:
    """Of VAE's encoder and decoder, the decoder; other variants keep theirs apart."""
    return {key.removeprefix("decoder."): part[key] for key in part if not key.startswith("encoder.")}


def _shares(widths: tuple[int, ...]) -> list[float]:
    """How much of the work each level is, roughly."""
    work = [
        depth * 8**level * (8 * c * c + 200 * c) for level, (c, depth) in enumerate(zip(widths, _DEPTHS, strict=True))
    ]
    return [part / sum(work) for part in work]
