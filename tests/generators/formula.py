"""Weights and latents given by a formula instead of a file, with which golden figures were computed.

For a state-dict entry with n elements: c = crc32(name) / 2³², x_i = frac(i · 0.7548776662466927 + c), i = 1…n, scaled
by the kind of entry as below.  Latents: z_i = √12 (frac(i · 0.5698402909980532) - 0.5).
"""

import math
import zlib
from collections.abc import Mapping

import numpy as np
import torch


def formula_tensor(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    n = math.prod(shape)
    start = zlib.crc32(name.encode()) / 2**32
    x = np.modf(np.arange(1, n + 1, dtype=np.float64) * 0.7548776662466927 + start)[0]
    last = name.rsplit(".", 1)[-1]
    if last in {"weight_u", "weight_v"}:
        values = (x - 0.5) / np.linalg.norm(x - 0.5)
    elif last == "num_batches_tracked":
        return torch.tensor(0)
    elif last == "running_mean":
        values = 0.2 * (x - 0.5)
    elif last == "running_var":
        values = 0.8 + 0.4 * x
    elif last == "gamma":
        values = 0.5 + x
    elif last == "bias":
        values = 0.1 * (x - 0.5)
    elif len(shape) == 1:
        values = 1 + 0.2 * (x - 0.5)
    else:
        values = math.sqrt(12) * (x - 0.5) * math.sqrt(2 * shape[0] / n)
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def formula_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    return {name: formula_tensor(name, shape) for name, shape in shapes.items()}


def formula_latent(length: int) -> np.ndarray:
    x = np.modf(np.arange(1, length + 1, dtype=np.float64) * 0.5698402909980532)[0]
    return (math.sqrt(12) * (x - 0.5)).astype(np.float32)[None]


def sigmarat_shapes(latent: int = 32, channel: int = 8, *, spectral: bool = False) -> dict[str, tuple[int, ...]]:
    widths = [8 * channel, 4 * channel, 2 * channel, channel, 1]
    weights = {"tp_conv1": (latent, widths[0], 4, 4, 4)}
    weights |= {f"tp_conv{i}": (widths[i - 1], widths[i - 2], 3, 3, 3) for i in range(2, 6)}
    if not spectral:
        return {f"{layer}.weight": shape for layer, shape in weights.items()}
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, shape in weights.items():
        out = shape[1] if layer == "tp_conv1" else shape[0]
        shapes[f"{layer}.weight_orig"] = shape
        shapes[f"{layer}.weight_u"] = (out,)
        shapes[f"{layer}.weight_v"] = (math.prod(shape) // out,)
    return shapes


def hagan_shapes(width: int = 64) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"fc1.weight": (32768, width), "fc1.bias": (32768,)}
    shapes |= _convs("", (512, 512, 512, 256, 128, 64, 32, 1))
    return shapes | _convs("sub_G.", (64, 32, 16, 1))


def _convs(prefix: str, channels: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(1, len(channels)):
        shapes[f"{prefix}tp_conv{i}.weight"] = (channels[i], channels[i - 1], 3, 3, 3)
        shapes[f"{prefix}tp_conv{i}.bias"] = (channels[i],)
        if i < len(channels) - 1:
            shapes |= {f"{prefix}bn{i}.weight": (channels[i],), f"{prefix}bn{i}.bias": (channels[i],)}
    return shapes
