"""How much HA-GAN's and CRF-GAN's float32 loses: their layers, put together plainly, against a run in float64."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import synthview as sv
from tests.generators.formula import formula_latent, formula_weights, hagan_shapes

UPSAMPLED = {64: {2, 3, 6, 7}, 128: {2, 3, 4, 6, 7}}  # before these convolutions


def plain(weights: dict[str, torch.Tensor], z: torch.Tensor, size: int) -> torch.Tensor:
    x = F.linear(z, weights["fc1.weight"], weights["fc1.bias"]).view(-1, 512, 4, 4, 4)
    for i in range(1, 8):
        if i in UPSAMPLED[size]:
            x = F.interpolate(x, scale_factor=2)
        x = F.conv3d(x, weights[f"tp_conv{i}.weight"], weights[f"tp_conv{i}.bias"], padding=1)
        if i < 7:
            x = F.group_norm(x, 8, weights[f"bn{i}.weight"], weights[f"bn{i}.bias"]).relu_()
    return x.tanh_()


@pytest.mark.parametrize("size", [64, pytest.param(128, marks=pytest.mark.slow)])
@torch.inference_mode()
def test_a_volume_is_nearer_to_float64_than_the_plain_layers_are(size: int, tmp_path: Path) -> None:
    weights = formula_weights({key: shape for key, shape in hagan_shapes().items() if not key.startswith("sub_G.")})
    torch.save(weights, tmp_path / "G.pth")
    latent = formula_latent(64)
    exact = plain({key: tensor.double() for key, tensor in weights.items()}, torch.from_numpy(latent).double(), size)
    plainly = plain(weights, torch.from_numpy(latent), size).double() - exact

    raw = sv.load_generator(tmp_path / "G.pth", device="cpu", family="crf-gan", size=size).decode(latent)

    error = raw - exact.numpy()
    assert np.abs(error).max() < 3e-5
    assert error.std() < 3e-6
    assert error.std() < 0.5 * float(plainly.std())
