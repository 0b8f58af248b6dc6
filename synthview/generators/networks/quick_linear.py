"""Linear layers with what follows them in one pass, where torch has one for the processor.

oneDNN, which torch has on most processors, adds the bias and takes GELU's error function while results are still in
registers.  torch has no public name for that: ``torch.compile`` puts it in, which would need a compiler at hand.  It is
used in float32 and without gradients only; all else takes the usual steps.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

_AT_ONCE: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def apply_linear(x: torch.Tensor, layer: nn.Linear, *, gelu: bool = False) -> torch.Tensor:
    """``layer(x)``, with GELU after it or without, (rows, inputs) to (rows, outputs); the same but for rounding."""
    if not _is_quick(x):
        plain = cast(torch.Tensor, layer(x))
        return F.gelu(plain) if gelu else plain
    then, how = ("gelu", "none") if gelu else ("none", "")
    return cast(torch.Tensor, _AT_ONCE(x, layer.weight, layer.bias, then, [], how))


def _is_quick(x: torch.Tensor) -> bool:
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    return not torch.is_grad_enabled() and _AT_ONCE is not None
