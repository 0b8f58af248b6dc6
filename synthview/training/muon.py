"""Muon: gradient descent whose steps are of equal length in all directions of a weight matrix.

Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024 (kellerjordan.github.io/posts/muon).  The
momentum's singular values are brought near 1 by a Newton-Schulz iteration.  torch has it for matrices and computes it
in bfloat16, which a processor without it emulates some fifty times more slowly; here it is in float32, and
convolutions' weights are matrices of (outputs, inputs · kernel).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the odd polynomial x → ax + bx³ + cx⁵
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For weights of two or more dimensions.

    Args:
        parameters: to be optimised.
        lr: length of a step: how far each singular value of a weight moves, about.
        momentum: share of the last steps' direction (Nesterov).
    """

    def __init__(self, parameters: Iterable[torch.Tensor], lr: float = 0.02, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(weight.grad)
                direction = weight.grad.add(state["momentum"], alpha=group["momentum"]).flatten(1)
                rows, columns = direction.shape
                longer = max(1.0, rows / columns) ** 0.5
                weight.add_(orthogonal(direction).view_as(weight), alpha=-group["lr"] * longer)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix with the singular vectors of (R, C) and singular values near 1 (0.7 to 1.2)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x: torch.Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def split_matrices(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weights of a network's full convolutions and linear layers between the first and the last, and all the rest.

    Of grouped convolutions each output has a few inputs of its own: they are no matrices.
    """
    layers = [m for m in network.modules() if isinstance(m, nn.Conv3d | nn.Linear) and getattr(m, "groups", 1) == 1]
    weights = [cast(nn.Parameter, layer.weight) for layer in layers[1:]]
    matrices = [weight for weight in weights if weight.shape[0] > 1]
    taken = {id(matrix) for matrix in matrices}
    return matrices, [parameter for parameter in network.parameters() if id(parameter) not in taken]
