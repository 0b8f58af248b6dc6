"""The encoders in CSegSynth's checkpoints: of α-GAN and CSegSynth, of the VAE, and of C-VAE.

    tissues (4, 80, 128, 128) ─ four times: ÷2 and ConvNeXt blocks ─ mean over the grid ─ LayerNorm ─ head ─ code
α-GAN and CSegSynth reconstruct by decoding the code without features, VAE takes the mean of its code.  C-VAE adds what
the features say before the head that gives the mean, and again before decoding.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import CheckpointError, WrongRequestError
from synthview.generators.checkpoint import Checkpoint, read_checkpoint
from synthview.generators.encoding import Encoder, EncoderSource, Step
from synthview.generators.networks.csegsynth import ChannelNorm, Condition, ConvNeXtBlock, CSegSynthNetwork
from synthview.generators.scan_grid import Grid, resampled
from synthview.volume import Volume, VolumeKind, Window

Tensors = Mapping[str, torch.Tensor]

_KERNEL, _PADDING = (3, 5, 5), (1, 2, 2)
_DEPTHS = (1, 1, 3, 1)
_SPACING_MM = 2.0
_FAST_LABELS = (3, 2, 1)  # white matter, grey matter, CSF
_FAST_NOTE = "The labels 1, 2 and 3 were taken as CSF, grey matter and white matter, in FSL FAST's order."
_ENCODER, _VAE = "encoder_net.", "encoder.encoder_net."


class EncoderNet(nn.Module):
    """From four tissues to a code.

    Args:
        width: length of the code, h.
        head: name of the head whose output is the code: "head" or "head_mean".
        features: number of features that C-VAE's encoder looks at, 0 for none.
    """

    def __init__(self, width: int, head: str, features: int) -> None:
        super().__init__()
        widths = (width // 64, width // 16, width // 4, width)
        stem = nn.Conv3d(4, widths[0], _KERNEL, stride=2, padding=_PADDING, groups=4)
        self.downsample_layers = nn.ModuleList([nn.Sequential(stem, ChannelNorm(widths[0]))])
        for before, after in itertools.pairwise(widths):
            conv = nn.Conv3d(before, after, _KERNEL, stride=2, padding=_PADDING, groups=before)
            self.downsample_layers.append(nn.Sequential(ChannelNorm(before), conv))
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(channels) for _ in range(depth)))
            for channels, depth in zip(widths, _DEPTHS, strict=True)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.head_name = head
        self.condition = Condition(features, width) if features else None

    def steps(self, x: torch.Tensor, features: torch.Tensor | None) -> Iterator[Step]:
        """(1, 4, 80, 128, 128) to (1, h)."""
        for level, (down, stage) in enumerate(zip(self.downsample_layers, self.stages, strict=True)):
            x = down(x).contiguous(memory_format=torch.channels_last_3d)
            for block in cast(nn.Sequential, stage):
                for fraction in cast(ConvNeXtBlock, block).steps(x):
                    yield (level + fraction) / (len(_DEPTHS) + 1), None
        code = self.norm(x.mean(dim=(-3, -2, -1)))
        if self.condition is not None and features is not None:
            code = code + self.condition(features)
        yield 1.0, self.head(code)


class CSegSynthEncoder(Encoder):
    """Takes tissue maps of white matter, grey matter and CSF at any spacing, and with or without the background."""

    what: ClassVar[str] = "a tissue map of white matter, grey matter and CSF"

    def accept(self, scan: Volume) -> Volume:
        """A tissue map with three classes, or four with the background last; or FSL FAST's labels.

        These are 1 CSF, 2 grey matter, 3 white matter: the tool that CSegSynth's training maps were made with.
        """
        if scan.voxels.ndim == 3 and _is_fast(scan.voxels):
            tissues = np.stack([scan.voxels == label for label in _FAST_LABELS]).astype(np.float32)
            scan = replace(scan, voxels=tissues, kind=VolumeKind.TISSUE_MAP, notes=(*scan.notes, _FAST_NOTE))
        if scan.voxels.ndim != 4 or scan.kind is not VolumeKind.TISSUE_MAP or scan.voxels.shape[0] not in {3, 4}:
            raise WrongRequestError(
                f"this encoder takes {self.what} (3 channels, or 4 with the background; or FSL FAST's labels 1, 2, 3), "
                f"and {scan.name or 'the volume'} is a {scan.kind} of {' × '.join(map(str, scan.voxels.shape))}"
            )
        return scan.to_ras()

    def prepare(self, scan: Volume, grid: Grid) -> tuple[npt.NDArray[np.float32], tuple[float, float]]:
        """Probabilities from 0 to 1; the background is what is left, so that they add up to 1."""
        tissues = np.clip(resampled(scan, grid, 0.0)[:3], 0, 1)
        tissues /= np.maximum(tissues.sum(axis=0), 1)
        return np.concatenate([tissues, 1 - tissues.sum(axis=0, keepdims=True)]).astype(np.float32), (0.0, 1.0)

    def restore(self, raw: npt.NDArray[np.float32], values: tuple[float, float], grid: Grid, scan: Volume) -> Volume:
        """A tissue map."""
        return Volume(raw, grid.affine, VolumeKind.TISSUE_MAP, window=Window.from_range(0, 1), notes=scan.notes)

    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """Level by level."""
        return cast(EncoderNet, self.network).steps(x, condition)

    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """The decoder; C-VAE adds the features' part once more."""
        network = cast(CSegSynthNetwork, generator)
        if network.prior is not None and network.condition is not None and condition is not None:
            code = code + network.condition(condition)
        for fraction, logits in network.decoder_net.steps(code):
            yield fraction, None if logits is None else F.softmax(logits, dim=1)


def csegsynth_encoder(checkpoint: Checkpoint, width: int) -> EncoderSource | None:
    """The encoder in a checkpoint; None for GAN and C-GAN, whose encoder-like part is a discriminator."""
    if _encoder_part(checkpoint.parts, width) is None:
        return None
    path = checkpoint.path

    def read() -> Encoder:
        parts = read_checkpoint(path).parts
        found = _encoder_part(parts, width)
        if found is None:
            raise CheckpointError(f"{path} no longer holds an encoder; open it again")
        tensors, head = found
        conditions = [part for part in parts.values() if any(key.startswith("nets.") for key in part)]
        own = conditions[0] if len(conditions) == 2 else {}  # C-VAE's first is its encoder's
        features = own["nets.0.weight"].shape[1] if own else 0
        network = EncoderNet(width, head, features)
        given = {k: v for k, v in tensors.items() if not k.startswith(("head.", "head_"))}
        given |= {f"head.{k.removeprefix(head + '.')}": v for k, v in tensors.items() if k.startswith(f"{head}.")}
        given |= {f"condition.{k}": v for k, v in own.items()}
        try:
            network.load_state_dict({key: tensor.float().clone() for key, tensor in given.items()})
        except RuntimeError as error:
            raise CheckpointError(f"{path}: its encoder can't be used: {' '.join(str(error).split())[:300]}") from error
        return CSegSynthEncoder(network.eval().requires_grad_(False), (_SPACING_MM,) * 3)

    return read


def _is_fast(voxels: npt.NDArray[Any]) -> bool:
    """Whether there are the numbers 0 to 3 and no others."""
    return voxels.max() == 3 and voxels.min() == 0 and bool(np.isin(voxels, range(4)).all())


def _encoder_part(parts: Mapping[str, Tensors], width: int) -> tuple[dict[str, torch.Tensor], str] | None:
    """The encoder's tensors without their prefix, and the head that gives its code: it is as long as the latent."""
    for part in parts.values():
        prefix = _VAE if any(key.startswith(_VAE) for key in part) else _ENCODER
        for head in ("head_mean", "head"):
            weight = part.get(f"{prefix}{head}.2.weight")
            if weight is not None and tuple(weight.shape[:1]) == (width,):
                return {k.removeprefix(prefix): v for k, v in part.items() if k.startswith(prefix)}, head
    return None
