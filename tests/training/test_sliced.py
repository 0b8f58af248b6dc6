"""The fast form of CSegSynth's grouped convolutions is the plain one, gradients included."""

import pytest
import torch
from torch import nn

from synthview.training.networks.sliced import sliced_conv


@pytest.mark.parametrize(("inputs", "outputs"), [(16, 16), (12, 4)])
def test_it_is_a_grouped_convolution(inputs: int, outputs: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(inputs, outputs, (3, 5, 5), padding=(1, 2, 2), groups=outputs, dtype=torch.float64)
    x = torch.randn(2, inputs, 3, 6, 5, dtype=torch.float64).contiguous(memory_format=torch.channels_last_3d)
    towards = torch.randn(2, outputs, 3, 6, 5, dtype=torch.float64)
    found = []
    for form in (lambda given: sliced_conv(conv, given), conv):
        given = x.clone().requires_grad_()
        conv.zero_grad()
        made = form(given)
        (made * towards).sum().backward()
        found.append([made.detach(), given.grad, conv.weight.grad, conv.bias.grad])
    for fast, plain in zip(*found, strict=True):
        torch.testing.assert_close(fast, plain)
