"""What the benchmarks of generators measure: every family as published (the two diffusion models smaller)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from synthview.generators.registry import find_family

_UNIT = {"latent_dim": 1024, "num_class": 0, "output": "unit"}
_ALPHA, _LINEAR = {"latent_dim": 1000, "channel": 64}, {"latent_dim": 1000, "channel": 64}
_BATCH = {"batch_statistics": False}
_CDPM = {
    "num_channels": 64, "channels": (64, 64, 128, 192, 256), "num_res_blocks": 2, "attention": (False,) * 5,
    "num_heads": 4, "num_heads_upsample": 4, "use_scale_shift_norm": True,
}  # fmt: skip
_AUTOENCODER = {
    "in_channels": 1, "out_channels": 1, "latent_channels": 3, "channels": (32, 64, 64), "num_res_blocks": (1, 1, 1),
    "attention_levels": (False,) * 3, "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False,
    "norm_num_groups": 32, "norm_eps": 1e-6, "layout": "core",
}  # fmt: skip
_DIFFUSION = {
    "in_channels": 3, "out_channels": 3, "channels": (64, 128, 128), "num_res_blocks": (1, 1, 1),
    "attention_levels": (False, False, True), "num_head_channels": (0, 0, 32), "norm_num_groups": 32,
    "norm_eps": 1e-6, "resblock_updown": False, "with_conditioning": False, "cross_attention_dim": None,
    "transformer_num_layers": 1, "num_class_embeds": None, "layout": "core",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One network.

    Attributes:
        title: for the table.
        family: its name.
        built: arguments of the network.
        said: what a user has to say, name to text.
    """

    title: str
    family: str
    built: dict[str, Any]
    said: dict[str, str] = field(default_factory=dict)


def _sized(size: str) -> tuple[dict[str, Any], dict[str, str]]:
    numbers = tuple(map(int, size.split("x")))
    return {**_UNIT, "size": numbers * 3 if len(numbers) == 1 else numbers}, {"size": size}


CASES: tuple[Case, ...] = (
    Case("HA-GAN 128³", "ha-gan", *_sized("128")),
    Case("HA-GAN 144×192×144", "ha-gan", *_sized("144x192x144")),
    Case("HA-GAN 256³", "ha-gan", *_sized("256")),
    Case("CRF-GAN 64³", "crf-gan", *_sized("64")),
    Case("CRF-GAN 256³", "crf-gan", *_sized("256")),
    Case("3dbraingen α-GAN", "3dbraingen-alpha-gan", {**_ALPHA, **_BATCH}),
    Case("3dbraingen WGAN", "3dbraingen-wgan", {**_LINEAR, **_BATCH}),
    Case("MRIAnatEval α-GAN", "mrianateval-alpha-gan", _ALPHA),
    Case("MRIAnatEval α-WGAN", "mrianateval-alpha-wgan", _ALPHA),
    Case("MRIAnatEval VAE-GAN", "mrianateval-vae-gan", _LINEAR),
    Case("MRIAnatEval WGAN", "mrianateval-wgan", _LINEAR),
    Case("SigmaRat2", "sigmarat", {"latent_dim": 500, "channel": 64, "spectral_norm": False, **_BATCH}),
    Case("CSegSynth", "csegsynth", {"channel_base": 32, "num_features": 0, "prior": False}),
    Case("cDPM, 8 slices of 64×48, one step", "mrianateval-cdpm", _CDPM, {"size": "8x64x48", "steps": "1"}),
    Case(
        "latent diffusion, 64³, two steps",
        "monai-ldm",
        {"autoencoder": _AUTOENCODER, "diffusion": _DIFFUSION},
        {"size": "16x16x16", "steps": "2", "num_head_channels": "32", "output": "raw"},
    ),
)


def write_weights(path: Path, case: Case) -> None:
    """A checkpoint of random weights that keep the size of what goes through them."""
    family, _ = find_family(case.family)
    with torch.device("meta"):
        shapes = {key: tuple(tensor.shape) for key, tensor in family.build(case.built).state_dict().items()}
    draw = torch.Generator().manual_seed(0)
    torch.save({key: _drawn(key, shape, draw) for key, shape in shapes.items()}, path)


def _drawn(key: str, shape: tuple[int, ...], draw: torch.Generator) -> torch.Tensor:
    name = key.rsplit(".", 1)[-1]
    if name == "num_batches_tracked":
        return torch.tensor(0)
    if len(shape) == 1:
        return torch.zeros(shape) if name in {"bias", "running_mean"} else torch.ones(shape)
    return torch.randn(shape, generator=draw) * math.sqrt(shape[0] / math.prod(shape))
