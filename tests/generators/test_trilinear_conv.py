"""The convolution of an upsampled map, computed on the small grid, against the same in two steps."""

import pytest
import torch
from torch.nn import functional as F

from synthview.generators.networks.trilinear_conv import TrilinearConv3d


@pytest.mark.parametrize("grid", [(2, 2, 2), (2, 3, 5), (6, 5, 4)])
@pytest.mark.parametrize("kernel", [(3, 5, 5), (5, 3, 3)])
@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(8, 4, 4), (8, 2, 2), (6, 4, 1)])
def test_the_same_in_two_steps(
    grid: tuple[int, ...], kernel: tuple[int, ...], inputs: int, outputs: int, groups: int
) -> None:
    draw = torch.Generator().manual_seed(1)
    conv = TrilinearConv3d(inputs, outputs, kernel, padding=tuple(k // 2 for k in kernel), groups=groups)
    x = torch.randn(2, inputs, *grid, generator=draw, dtype=torch.float64)
    with torch.inference_mode():
        conv.double()
        heard, result = zip(*conv.steps(x), strict=True)
        expected = conv(F.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False))
    torch.testing.assert_close(result[-1], expected, rtol=1e-12, atol=1e-12)
    assert (heard[-1], list(heard)) == (1.0, sorted(heard))
