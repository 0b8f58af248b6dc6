"""Convolutions by oneDNN where torch would take its slow way, against ``nn.Conv3d``."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from synthview.generators.networks.quick_conv import QuickConv3d, quicken_convs


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what oneDNN was asked for by name."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        pytest.skip("this torch has no oneDNN")
    shapes: list[tuple[int, ...]] = []
    by_name: Callable[..., torch.Tensor] = torch.mkldnn_convolution

    def noted(x: torch.Tensor, *given: Any) -> torch.Tensor:
        shapes.append(tuple(x.shape))
        return by_name(x, *given)

    monkeypatch.setattr(torch, "mkldnn_convolution", noted)
    return shapes


def _pair(kernel: int = 3, **options: Any) -> tuple[nn.Conv3d, nn.Module]:
    torch.manual_seed(0)
    plain = nn.Conv3d(8, 12, kernel, **options)
    return plain, quicken_convs(nn.Sequential(plain))


@pytest.mark.parametrize(
    "options",
    [
        {"padding": 1},
        {"padding": 1, "stride": 2},
        {"padding": (0, 1, 2), "bias": False},
        {"padding": 2, "dilation": 2, "groups": 4},
    ],
)
@torch.inference_mode()
def test_small_volumes_are_the_same(asked: list[tuple[int, ...]], options: dict[str, Any]) -> None:
    plain, quick = _pair(**options)
    x = torch.randn(1, 8, 7, 9, 6)
    torch.testing.assert_close(quick(x), plain(x), rtol=1e-5, atol=1e-5)
    assert asked == [(1, 8, 7, 9, 6)]


@torch.inference_mode()
def test_what_torch_does_quickly_is_left_to_it(asked: list[tuple[int, ...]]) -> None:
    _, quick = _pair()
    quick(torch.randn(2, 8, 7, 9, 6))
    quick(torch.randn(1, 8, 64, 64, 6))
    _pair(1)[1](torch.randn(1, 8, 7, 9, 6))
    _pair(padding=1, padding_mode="circular")[1](torch.randn(1, 8, 7, 9, 6))
    _pair(padding="same")[1](torch.randn(1, 8, 7, 9, 6))
    assert not asked


def test_gradients_autocast_and_other_precisions_take_the_usual_way(asked: list[tuple[int, ...]]) -> None:
    x = torch.randn(1, 8, 7, 9, 6)
    _, quick = _pair()
    assert quick(x).requires_grad
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            assert quick(x).dtype == torch.bfloat16
        assert quick.double()(x.double()).dtype == torch.float64
    assert not asked


def test_a_network_keeps_its_tensors_and_their_names() -> None:
    network = nn.Sequential(nn.Conv3d(2, 3, 3), nn.Sequential(nn.Conv3d(3, 4, 1, bias=False)))
    before = dict(network.named_parameters())
    quicken_convs(network)
    assert {name: id(p) for name, p in network.named_parameters()} == {name: id(p) for name, p in before.items()}
    assert all(type(m) is QuickConv3d for m in network.modules() if isinstance(m, nn.Conv3d))
