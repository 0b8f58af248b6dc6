"""Averages of a network's weights over the steps: what is sampled from and shipped."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Averages:
    """Exponential moving averages of some networks, which weigh the first steps less.

    Args:
        networks: name to network.
        decay: share that the average keeps at each step; at step t no more than (1 + t) / (10 + t).
    """

    def __init__(self, networks: dict[str, nn.Module], decay: float) -> None:
        self.decay = decay
        self._networks = networks
        self.networks = {name: copy.deepcopy(network).eval() for name, network in networks.items()}
        for network in self.networks.values():
            network.requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After the step of this number (from 0)."""
        keep = min(self.decay, (1 + step) / (10 + step))
        for name, network in self._networks.items():
            average = self.networks[name]
            for old, new in zip(average.parameters(), network.parameters(), strict=True):
                old.lerp_(new, 1 - keep)
            for kept, buffer in zip(average.buffers(), network.buffers(), strict=True):
                kept.copy_(buffer)
