"""The fast form of upsampling and convolving is the plain one, gradients included."""

import pytest
import torch
from torch.nn import functional as F

from synthview.training.networks.doubled import doubled_conv


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
