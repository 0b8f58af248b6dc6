"""HA-GAN: hierarchical amortised GAN for chest CT and brain MRI at 128³ and 256³, and its 144×192×144 version.

Sun et al., "Hierarchical Amortized GAN for 3D High Resolution Medical Image Synthesis", IEEE JBHI 2022
(github.com/batmanlab/HA-GAN); 144×192×144 from Wu et al., MRIAnatEval (github.com/jiaqiw01/MRIAnatEval).

    z (and one-hot class) ─ fc1 ─ 512×4³ ─ conv1 … conv5 ─ 64 channels ─┬─ conv6 ─ conv7 ─ tanh: the volume
                                                                        └─ sub_G: a quarter of the resolution
Every conv but the last is 3³ and followed by GroupNorm(8) and ReLU; nearest-neighbour upsampling goes before it.

``synthview train`` also makes networks of other sizes and numbers of channels, which their shapes say.  fc1's grid is
a sixteenth of the volume's, which then grows ×2 before conv2, conv3, conv6 and conv7; or an eighth, without conv2's.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.generators.arguments import check_stated
from synthview.generators.checkpoint import Checkpoint
from synthview.generators.encoding import EncoderSource
from synthview.generators.family import Arguments, Family, NotThisFamily, Step
from synthview.generators.info import Feature, OpenArgument, Setting
from synthview.generators.networks.hagan_encoder import hagan_encoder
from synthview.generators.networks.hagan_sizes import (
    FACTORS,
    PUBLISHED,
    PUBLISHED_CHANNELS,
    SMALL,
    Factors,
    Size,
    cell_of,
    fc1_width,
    is_small,
    keeps_axes,
    made_with,
    sizes_of,
    split_width,
    typed_sizes,
)
from synthview.generators.networks.upsampled_conv import ScaleAndReLU, UpsampledConv, group_norm_and_relu
from synthview.generators.precision import is_reduced
from synthview.generators.state_dicts import Shapes
from synthview.volume import Volume, VolumeKind, Window, centred_affine

HU_RANGE = (-1024, 600)  # -1 and 1 of a chest CT
_HU_LOW, _HU_HIGH = HU_RANGE
_FEW_VOXELS = 128**3  # of which the last two layers take next to no time
_FC1_PARTS = 16  # of which one at a time is in float64
_OUTPUTS = ("unit", "hu", "raw")
_VALUES = (("unit", "0 to 1"), ("hu", "HU, -1024 to 600"), ("raw", "-1 to 1"))
_MOST_CLASSES = 10  # offered in the window


class LowResolutionBranch(nn.Module):
    """The branch trained beside the full one: from conv5's channels to the whole volume at a quarter of the grid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter = max(channels // 2, 1), max(channels // 4, 1)
        self.tp_conv1 = nn.Conv3d(channels, half, 3, padding=1)
        self.bn1 = nn.GroupNorm(_groups(half), half)
        self.tp_conv2 = nn.Conv3d(half, quarter, 3, padding=1)
        self.bn2 = nn.GroupNorm(_groups(quarter), quarter)
        self.tp_conv3 = nn.Conv3d(quarter, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, D, H, W) to (N, 1, D, H, W) in [-1, 1]."""
        x = F.relu_(self.bn1(self.tp_conv1(x)))
        x = F.relu_(self.bn2(self.tp_conv2(x)))
        return torch.tanh_(self.tp_conv3(x))


class HaGanNetwork(nn.Module):
    """The generator.

    Args:
        width: latent dimension plus number of classes.
        factors: upsampling before conv1 … conv7, which decides the size of the output.
        branch: with the low-resolution branch, which is not needed for full volumes.
        channels: into conv1 … conv7.
        grid: voxels that fc1 makes.
    """

    def __init__(
        self,
        width: int,
        factors: Factors,
        *,
        branch: bool,
        channels: Sequence[int] = PUBLISHED_CHANNELS,
        grid: Size = (4, 4, 4),
    ) -> None:
        super().__init__()
        self.factors, self.grid = factors, grid
        self.channels = (*channels, 1)
        self.fc1 = nn.Linear(width, self.channels[0] * math.prod(grid))
        for i in range(1, 8):
            self.add_module(f"tp_conv{i}", nn.Conv3d(self.channels[i - 1], self.channels[i], 3, padding=1))
        for i in range(1, 7):  # called bn in the files, though they are GroupNorm
            self.add_module(f"bn{i}", nn.GroupNorm(_groups(self.channels[i]), self.channels[i]))
        self.sub_G = LowResolutionBranch(self.channels[5]) if branch else None

    def steps(self, z: torch.Tensor, *, coarse: bool = False) -> Iterator[Step]:
        """(N, width) to (N, 1, D, H, W) in [-1, 1], or a quarter of the size; yields after each part of a layer."""
        x = self._start(z).view(len(z), -1, *self.grid)
        before: ScaleAndReLU | None = None
        voxels = np.cumprod([np.prod(f) for f in self.factors])
        work = voxels * np.multiply(self.channels[:-1], self.channels[1:])
        last = 5 if coarse else 7
        done = 0.0
        for i in range(1, last + 1):
            share = float(work[i - 1] / work[:last].sum())
            out = x
            for fraction, out in self._conv(i).parts(x, before):  # noqa: B007  (used below)
                yield (done + share * fraction) * 0.99, None
            x = out
            before = group_norm_and_relu(x, cast(nn.GroupNorm, self.get_submodule(f"bn{i}"))) if i < 7 else None
            done += share
        if coarse and self.sub_G is not None and before is not None:
            yield 1.0, self.sub_G(before(x))
        else:
            yield 1.0, torch.tanh_(x)

    def prepare(self) -> None:
        """Put the convolutions' kernels into the form they are computed in, in place of the published one."""
        for i in range(1, 8):
            self.add_module(f"tp_conv{i}", self._conv(i))

    def _start(self, z: torch.Tensor) -> torch.Tensor:
        """``fc1``: on a CPU in float64, as the convolutions of small grids then are too.

        There are thousands of products for each of few voxels; their rounding is most of what float32 loses.
        """
        if z.device.type != "cpu" or is_reduced(z):
            return cast(torch.Tensor, self.fc1(z))
        rows = zip(self.fc1.weight.chunk(_FC1_PARTS), self.fc1.bias.chunk(_FC1_PARTS), strict=True)
        return torch.cat([F.linear(z.double(), weight.double(), bias.double()) for weight, bias in rows], dim=1)

    def _conv(self, i: int) -> UpsampledConv:
        layer = self.get_submodule(f"tp_conv{i}")
        return layer if isinstance(layer, UpsampledConv) else UpsampledConv(cast(nn.Conv3d, layer), self.factors[i - 1])


class HaGan(Family):
    """HA-GAN at 128³, 256³ and 144×192×144, with or without classes."""

    id = "ha-gan"
    title = "HA-GAN"
    source = "Sun et al. 2022, github.com/batmanlab/HA-GAN; 144×192×144: github.com/jiaqiw01/MRIAnatEval"
    sizes: ClassVar[Mapping[Size, Factors]] = FACTORS
    branch: ClassVar[bool] = True
    aliases: ClassVar[Mapping[str, Arguments]] = {
        "hagan": {},
        "mrianateval hagan": {"size": (144, 192, 144)},
        **{f"hagan {name}": {"size": size} for name, size in (("128", (128,) * 3), ("256", (256,) * 3))},
        **{f"hagan {name} cond": {"size": size} for name, size in (("128", (128,) * 3), ("256", (256,) * 3))},
        "hagan 144": {"size": (144, 192, 144)},
        "hagan 144x192x144": {"size": (144, 192, 144)},
    }
    arguments: ClassVar[Mapping[str, str]] = {
        "size": "voxels of the output: 128, 256 or 144x192x144 (not in the weights)",
        "channels": "channels into each convolution, 512 to 32 as published (in the weights)",
        "cells": "voxels of the first grid, 64 as published (in the weights)",
        "latent_dim": "length of the latent",
        "num_class": "number of classes; latent_dim + num_class is the width of fc1",
        "output": 'what generate() gives: "unit" (0 to 1), "hu" (chest CT in Hounsfield units) or "raw" (-1 to 1)',
    }
    facts = frozenset({"num_class", "output"})

    def tell_apart(self, shapes: Shapes) -> None:
        """CRF-GAN's generator has the same tensors but for the low-resolution branch."""
        if not any(key.startswith("sub_G.") for key in shapes):
            raise NotThisFamily(
                "it lacks the low-resolution branch (sub_G.*), as CRF-GAN does; if it is HA-GAN without that branch, "
                "name the family ha-gan"
            )

    def infer_arguments(self, shapes: Shapes, stated: Arguments) -> dict[str, Any]:
        """The latent's length and the number of classes share fc1's width; the default latent is 1024 long."""
        size, made = stated.get("size"), made_with(shapes)
        check_stated(stated, made)
        self._check_size(size, made)
        output = stated.get("output", "raw" if size == (144, 192, 144) else "unit")
        published = made == PUBLISHED
        split = split_width(fc1_width(shapes), stated)
        return {"size": size, **({} if published else made), **split, "output": output}

    def read_settings(self, settings: Mapping[str, Any], shapes: Shapes) -> dict[str, Any]:
        """``configs.json``: img_size if it is a size; latent_dim and num_class if they add up to fc1's width."""
        found: dict[str, Any] = {}
        if isinstance(size := settings.get("img_size"), int) and (size, size, size) in self.sizes:
            found["size"] = (size, size, size)
        latent_dim, num_class = settings.get("latent_dim"), settings.get("num_class", 0)
        if isinstance(latent_dim, int) and isinstance(num_class, int) and latent_dim + num_class == fc1_width(shapes):
            found.update(latent_dim=latent_dim, num_class=num_class)
        return found

    def parse_argument(self, name: str, value: Any) -> Any:
        """``size`` from 128, "128", (144, 192, 144), [144, 192, 144], "144x192x144" or "144,192,144"; whole numbers."""
        if name == "size":
            return self._parse_size(value)
        if name == "channels":
            return self._parse_channels(value)
        if name == "output":
            if value not in _OUTPUTS:
                raise WrongRequestError(f"output must be one of {', '.join(_OUTPUTS)}, got {value!r}")
            return value
        try:
            number = int(str(value))
        except ValueError:
            number = -1
        if number < (0 if name == "num_class" else 1):
            raise WrongRequestError(f"{name} must be a whole number above 0, got {value!r}")
        return number

    def open_arguments(self, arguments: Arguments) -> tuple[OpenArgument, ...]:
        """The size, unless stated."""
        if arguments["size"] is not None:
            return ()
        question = f"{self.title}'s weights do not say how large its volumes are. Which size was it trained for?"
        return (
            OpenArgument(
                "size", question, typed_sizes(sizes_of(arguments["cells"]) if is_small(arguments) else self.sizes)
            ),
        )

    def build(self, arguments: Arguments) -> HaGanNetwork:
        """The network; which size does not change keys or shapes."""
        width = arguments["latent_dim"] + arguments["num_class"]
        if not is_small(arguments):
            return HaGanNetwork(width, self.sizes[arguments["size"] or (128, 128, 128)], branch=self.branch).eval()
        size, channels = arguments["size"], arguments["channels"]
        cell = (cell_of(size, arguments["cells"]) if size else None) or max(SMALL)
        grid = (size[0] // cell, size[1] // cell, size[2] // cell) if size else (arguments["cells"], 1, 1)
        return HaGanNetwork(width, SMALL[cell], branch=self.branch, channels=channels, grid=grid).eval()

    def finish(self, network: nn.Module) -> None:
        """Leave out a low-resolution branch that the file lacks, wholly or in part; prepare the kernels."""
        network = cast(HaGanNetwork, network)
        if network.sub_G is not None and any(p.is_meta for p in network.sub_G.parameters()):
            network.sub_G = None
        if not any(p.is_meta for p in network.parameters()):
            network.prepare()

    def is_optional(self, key: str) -> bool:
        """The branch is not needed for full volumes."""
        return key.startswith("sub_G.")

    def latent_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(latent_dim,)."""
        return (arguments["latent_dim"],)

    def output_shape(self, arguments: Arguments) -> tuple[int, ...]:
        """(1, *size)."""
        return (1, *arguments["size"]) if arguments["size"] is not None else ()

    def features(self, arguments: Arguments) -> tuple[Feature, ...]:
        """The class, where there are classes."""
        count = arguments["num_class"]
        if not count:
            return ()
        return (Feature("class", "Class", high=count - 1, categories=tuple(f"class {i}" for i in range(count))),)

    def settings(self, arguments: Arguments) -> tuple[Setting, ...]:
        """What the values mean, and how many of the inputs are classes."""
        values = Setting("output", "Values", arguments["output"], _VALUES, "What the network's -1 to 1 becomes")
        width = arguments["latent_dim"] + arguments["num_class"]
        counts = range(min(max(_MOST_CLASSES, arguments["num_class"]), width - 1) + 1)
        named = tuple((str(n), str(n) if n else "none") for n in counts)
        what = f"How many of the {width} inputs are classes: its configs.json says it (num_class)"
        return values, Setting("num_class", "Classes", str(arguments["num_class"]), named, what)

    def implied_by(self, kind: VolumeKind) -> Arguments:
        """Chest CT is published in HU."""
        return {"output": "hu"} if kind is VolumeKind.CT else {}

    def notes(self, arguments: Arguments, stated: Collection[str]) -> tuple[str, ...]:
        """What a file of HA-GAN's does not say."""
        notes = ["The weights do not say whether it makes CT or MR images, nor their spacing: 1 mm is assumed."]
        if not {"latent_dim", "num_class"} & set(stated):
            notes.append(
                f"The weights do not say how many of the {arguments['latent_dim'] + arguments['num_class']} inputs are "
                f"classes: {arguments['num_class']} are assumed (argument num_class)."
            )
        if keeps_axes(arguments):
            notes.append("The axes are taken as right, anterior, superior, as its script saves them.")
        else:
            notes.append("The raw axes are taken as superior, posterior, left (SimpleITK's order, as in training).")
        return tuple(notes)

    def fit_latent(self, arguments: Arguments, stated: Collection[str], width: int) -> Arguments:
        """If the number of classes was not stated, whatever the latent leaves of fc1's width is classes."""
        total = arguments["latent_dim"] + arguments["num_class"]
        if not {"latent_dim", "num_class"} & set(stated) and 0 < width <= total:
            return {**arguments, "latent_dim": width, "num_class": total - width}
        return super().fit_latent(arguments, stated, width)

    def sample(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step]:
        """One pass, in parts of layers."""
        return cast(HaGanNetwork, network).steps(_joined(z, condition))

    def encoder(self, checkpoint: Checkpoint, arguments: Arguments) -> EncoderSource | None:
        """``E_iter….pth`` and ``Sub_E_iter….pth`` beside ``G_iter….pth``."""
        return hagan_encoder(checkpoint.files[0], arguments["latent_dim"], arguments["size"])

    def sample_coarse(
        self, network: nn.Module, z: torch.Tensor, condition: torch.Tensor | None, noise: torch.Generator
    ) -> Iterator[Step] | None:
        """The low-resolution branch, if the file has it: a quarter of the grid.

        Not up to 128³, where it takes nine tenths of the time of the full volume.
        """
        network = cast(HaGanNetwork, network)
        voxels = math.prod(network.grid) * float(np.prod(network.factors))
        if network.sub_G is None or voxels <= _FEW_VOXELS:
            return None
        return network.steps(_joined(z, condition), coarse=True)

    def to_volume(self, raw: npt.NDArray[np.float32], arguments: Arguments) -> Volume:
        """Values as asked by ``output``; SimpleITK's (z, y, x) order becomes RAS+, 144×192×144 keeps its axes.

        HU as published: unit·1624 - 1024, truncated to int16.
        """
        size = arguments["size"]
        spacing = size[0] / raw.shape[1]
        voxels, kind, unit, window = _values(raw[0], arguments["output"])
        if is_small(arguments):
            return Volume(voxels, centred_affine(voxels.shape, spacing), kind, unit, window)
        if keeps_axes(arguments):
            return Volume(voxels, np.diag([spacing, spacing, spacing, 1.0]), kind, unit, window)
        voxels = voxels.transpose(2, 1, 0)  # (z, y, x) to (x, y, z), which grow to the left, posterior and superior
        affine = centred_affine(voxels.shape, (-spacing, -spacing, spacing))  # the middle at 0 mm: where is unknown
        return Volume(voxels, affine, kind, unit, window).to_ras()

    def _parse_channels(self, value: Any) -> tuple[int, ...]:
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        parts = text.replace("x", ",").strip("()[] ").split(",")
        if len(parts) != len(PUBLISHED_CHANNELS) or not all(part.strip().isdecimal() and int(part) for part in parts):
            raise WrongRequestError(f"channels must be {len(PUBLISHED_CHANNELS)} whole numbers above 0, got {value!r}")
        return tuple(map(int, parts))

    def _parse_size(self, value: Any) -> Size:
        text = "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        parts = text.lower().replace("×", "x").replace(",", "x").strip("()[] ").split("x")
        try:
            numbers = tuple(int(part) for part in parts)
        except ValueError:
            numbers = ()
        size = numbers * 3 if len(numbers) == 1 else numbers
        if size not in self.sizes and not (len(size) == 3 and all(n > 0 and n % min(SMALL) == 0 for n in size)):
            raise self._wrong_size(value)
        return cast(Size, size)

    def _check_size(self, size: Size | None, made: Mapping[str, Any]) -> None:
        """Make sure that the weights can make this size: a published one, or fc1's grid 16 or 8 times as large."""
        if size is None:
            return
        if made == PUBLISHED:
            if size not in self.sizes:
                raise self._wrong_size("x".join(map(str, size)))
        elif cell_of(size, made["cells"]) is None:
            names = ", ".join(typed_sizes(sizes_of(made["cells"])))
            raise WrongRequestError(f"size {'x'.join(map(str, size))} does not fit the weights, which make {names}")

    def _wrong_size(self, value: object) -> WrongRequestError:
        names = ", ".join(typed_sizes(self.sizes))
        return WrongRequestError(f"{self.title} makes volumes of {names} voxels, not {value}; set size to one")


def _groups(channels: int) -> int:
    """Eight as published, or as many as go into fewer channels."""
    return math.gcd(8, channels)


def _joined(z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
    return z if condition is None else torch.cat([z, condition], dim=1)


def _values(raw: npt.NDArray[np.float32], output: str) -> tuple[npt.NDArray[Any], VolumeKind, str, Window]:
    if output == "raw":
        return raw, VolumeKind.UNKNOWN, "", Window.from_range(-1, 1)
    unit = np.float32(0.5) * raw + np.float32(0.5)
    if output == "unit":
        return unit, VolumeKind.UNKNOWN, "", Window.from_range(0, 1)
    unit *= np.float32(_HU_HIGH - _HU_LOW)
    unit += np.float32(_HU_LOW)
    return unit.astype(np.int16), VolumeKind.CT, "HU", Window.from_range(_HU_LOW, _HU_HIGH)
