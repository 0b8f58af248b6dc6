"""The fast form of upsampling and convolving is the plain one, gradients included."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from synthview.generators.networks.monai_layers import build_autoencoder, build_diffusion
from synthview.generators.networks.monai_weights import autoencoder_arguments, diffusion_arguments
from synthview.training.networks.doubled import DoubledConv, doubled_conv
from synthview.training.networks.latent_diffusion import (
    LdmNetwork,
    groups_of,
    trainable_autoencoder,
    trainable_diffusion,
)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_it_is_nearest_upsampling_and_a_convolution(layout: torch.memory_format) -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 4, 5, 6, generator=random, dtype=torch.float64).contiguous(memory_format=layout)
    weight = torch.randn(2, 3, 3, 3, 3, generator=random, dtype=torch.float64)
    bias = torch.randn(2, generator=random, dtype=torch.float64)
    towards = torch.randn(2, 2, 8, 10, 12, generator=random, dtype=torch.float64)
    found = []
    for form in (doubled_conv, lambda x, w, b: F.conv3d(F.interpolate(x, scale_factor=2.0), w, b, padding=1)):
        inputs = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
        made = form(*inputs)
        (made * towards).sum().backward()
        found.append([made, *(tensor.grad for tensor in inputs)])
    for fast, plain in zip(*found, strict=True):
        torch.testing.assert_close(fast, plain)


def test_networks_of_latent_diffusion_compute_the_same_with_it() -> None:
    size = LdmNetwork((8, 8, 16), (0, 1, 2), 3, resblock_updown=False, diffusion=(8, 16), attention=(False, True))
    torch.manual_seed(0)
    x, latent, told = torch.randn(1, 1, 16, 16, 16), torch.randn(1, 5, 4, 4, 4), torch.randn(1, 1, 2)
    times = torch.tensor([40])
    autoencoder, diffusion = trainable_autoencoder(size).eval(), trainable_diffusion(size, 2).eval()
    for network in (autoencoder, diffusion):
        assert any(isinstance(layer, DoubledConv) for layer in network.modules())
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.1)  # MONAI begins some layers with zeros
    shapes = [{k: tuple(v.shape) for k, v in n.state_dict().items()} for n in (autoencoder, diffusion)]
    groups = {"norm_num_groups": groups_of(size)}
    plain = build_autoencoder(autoencoder_arguments(shapes[0]) | groups).eval()  # as a checkpoint is opened
    plain.load_state_dict(autoencoder.state_dict())
    heads = {"num_head_channels": (0, 16)}
    plain_diffusion = build_diffusion(diffusion_arguments(shapes[1]) | groups | heads).eval()
    plain_diffusion.load_state_dict(diffusion.state_dict())
    with torch.inference_mode():
        torch.testing.assert_close(autoencoder.reconstruct(x), plain.reconstruct(x))
        made = [network(latent, times, context=told) for network in (diffusion, plain_diffusion)]
    torch.testing.assert_close(*made)
    assert made[0].std() > 0.01
