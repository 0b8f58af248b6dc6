"""The convolution after upsampling against torch's own layers, in every way that it can be computed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from synthview.generators.networks import upsampled_conv as module
from synthview.generators.networks.upsampled_conv import UpsampledConv, group_norm_and_relu

FACTORS = [(1, 1, 1), (2, 2, 2), (2.25, 3, 2.25), (1, 2, 1), (3, 3, 3), (2, 1.5, 1)]


def plain(x: torch.Tensor, conv: nn.Conv3d, factors: tuple[float, ...]) -> torch.Tensor:
    """The layers as published, in float64."""
    for axis, factor in enumerate(factors, start=2):
        target = torch.arange(round(x.shape[axis] * factor), dtype=torch.float64)
        x = x.index_select(axis, torch.floor(target / factor).long())
    bias = None if conv.bias is None else conv.bias.double()
    return F.conv3d(x.double(), conv.weight.double(), bias, padding=1)


def last(parts: object) -> torch.Tensor:
    fractions, outputs = zip(*parts, strict=True)  # type: ignore[call-overload]
    assert list(fractions) == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    return outputs[-1]


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("channels", [(3, 5), (130, 4), (4, 1)])  # above 64, inputs are summed in parts
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_same_as_upsampling_and_convolving(factors: tuple, channels: tuple[int, int], *, bias: bool) -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(*channels, 3, padding=1, bias=bias)
    x = torch.randn(2, channels[0], 4, 8, 12)

    result = last(UpsampledConv(conv, factors).parts(x))

    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), plain(x, conv, factors), atol=3e-6, rtol=0)


@pytest.mark.parametrize("factors", FACTORS)
@torch.inference_mode()
def test_float64_stays_float64_on_a_small_grid(factors: tuple) -> None:
    torch.manual_seed(0)
    conv = nn.Conv3d(6, 3, 3, padding=1)
    x = torch.randn(2, 6, 4, 8, 4, dtype=torch.float64)

    result = last(UpsampledConv(conv, factors).parts(x))

    assert result.dtype == torch.float64
    atol = 1e-13 if factors != (2, 2, 2) else 1e-6  # there, weights are added up in float32, once
    torch.testing.assert_close(result, plain(x, conv, factors), atol=atol, rtol=0)


@torch.inference_mode()
def test_float64_ends_where_the_grid_is_large() -> None:
    conv = nn.Conv3d(2, 3, 3, padding=1)
    x = torch.randn(1, 2, 9, 9, 9, dtype=torch.float64)

    result = last(UpsampledConv(conv, (2, 2, 2)).parts(x))

    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), plain(x, conv, (2, 2, 2)), atol=3e-6, rtol=0)


@pytest.mark.parametrize("factors", [(1, 1, 1), (2, 2, 2), (2.25, 3, 2.25)])
@pytest.mark.parametrize("numbers", [1, 1000, 4000])
@torch.inference_mode()
def test_slabs_leave_no_seams(factors: tuple, numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    conv = nn.Conv3d(3, 2, 3, padding=1)
    x = torch.randn(2, 3, 8, 8, 8)
    whole = last(UpsampledConv(conv, factors).parts(x))
    monkeypatch.setattr(module, "_SLAB_NUMBERS", numbers)

    parts = list(UpsampledConv(conv, factors).parts(x))

    assert len(parts) >= 2
    torch.testing.assert_close(parts[-1][1], whole, atol=1e-6, rtol=0)


@torch.inference_mode()
def test_the_normalisation_before_is_applied_as_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    norm = nn.GroupNorm(4, 8)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    conv = nn.Conv3d(8, 3, 3, padding=1)
    x = torch.randn(2, 8, 6, 5, 7) * torch.rand(8, 1, 1, 1) * 3 + 20  # means far from zero
    monkeypatch.setattr(module, "_SLAB_NUMBERS", 5000)
    expected = norm.double()(x.double()).relu()
    norm.float()

    before = group_norm_and_relu(x, norm)

    torch.testing.assert_close(before(x).double(), expected, atol=3e-5, rtol=0)
    result = last(UpsampledConv(conv, (2, 2, 2)).parts(x, before))
    torch.testing.assert_close(result.double(), plain(before(x), conv, (2, 2, 2)), atol=3e-6, rtol=0)


@torch.inference_mode()
def test_statistics_of_many_voxels_are_exact() -> None:
    torch.manual_seed(0)
    norm = nn.GroupNorm(2, 4)
    x = torch.randn(1, 4, 48, 96, 96) + 3

    before = group_norm_and_relu(x.contiguous(memory_format=torch.channels_last_3d), norm)

    groups = x.double().view(2, -1)
    scale = (groups.var(1, correction=0) + norm.eps).rsqrt()
    torch.testing.assert_close(before.scale.double().view(2, 2)[:, 0], scale, atol=0, rtol=1e-6)
    torch.testing.assert_close(before.shift.double().view(2, 2)[:, 0], -groups.mean(1) * scale, atol=0, rtol=1e-6)
