"""Linear layers with GELU in one pass, against the two that they stand for."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from synthview.generators.networks import quick_linear
from synthview.generators.networks.quick_linear import apply_linear


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of torch's private operation, where this torch has it."""
    at_once = quick_linear._AT_ONCE
    if at_once is None:
        pytest.skip("this torch has no oneDNN")
    asked: list[str] = []

    def noted(*given: Any) -> Any:
        asked.append(given[3])
        return at_once(*given)

    monkeypatch.setattr(quick_linear, "_AT_ONCE", noted)
    return asked


def _layer_and_rows() -> tuple[nn.Linear, torch.Tensor]:
    torch.manual_seed(0)
    return nn.Linear(24, 96), torch.randn(50, 24) * 3


@pytest.mark.parametrize("gelu", [False, True])
@torch.inference_mode()
def test_linear_is_the_same_in_two_passes(gelu: bool) -> None:
    layer, rows = _layer_and_rows()
    expected = F.gelu(layer(rows)) if gelu else layer(rows)
    torch.testing.assert_close(apply_linear(rows, layer, gelu=gelu), expected, rtol=1e-5, atol=1e-5)


def test_gradients_autocast_and_other_precisions_take_the_usual_steps(calls: list[str]) -> None:
    layer, rows = _layer_and_rows()
    assert apply_linear(rows, layer, gelu=True).requires_grad
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            assert apply_linear(rows, layer, gelu=True).dtype == torch.bfloat16
        assert apply_linear(rows.double(), nn.Linear(24, 96).double()).dtype == torch.float64
        assert not calls
        apply_linear(rows, layer, gelu=True)
        apply_linear(rows, layer)
    assert calls == ["gelu", "none"]


@torch.inference_mode()
def test_a_torch_without_the_private_operation_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, rows = _layer_and_rows()
    before = apply_linear(rows, layer, gelu=True)
    monkeypatch.setattr(quick_linear, "_AT_ONCE", None)
    torch.testing.assert_close(apply_linear(rows, layer, gelu=True), before, rtol=1e-5, atol=1e-5)
