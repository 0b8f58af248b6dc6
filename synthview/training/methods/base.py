"""What a method of training is: its networks, its optimisers, and one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from synthview.training.randomness import torch_generator
from synthview.training.recipe import Recipe
from synthview.training.samples import Batch, Samples
from synthview.training.typed import typed

Losses = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Setting:
    """What a method is made of.

    Attributes:
        recipe: all of it.
        samples: the training set.
        device: where to compute.
        cached: arrays found before the training ("codes"), which a run's folder keeps.
    """

    recipe: Recipe
    samples: Samples
    device: torch.device
    cached: Mapping[str, Any]


class Method(ABC):
    """A way to train a generator.

    Subclasses build their networks in ``__init__`` from ``self.network`` and ``self.loss`` and name them in
    ``networks``; those that ``averaged`` names are averaged over the steps, sampled from and exported.

    Attributes:
        Network: dataclass of the recipe's [network].
        Loss: dataclass of the recipe's [loss].
        averaged: names of the networks of which an exponential moving average is kept and exported.
        shown: range of values of the family's volumes, but for CT in Hounsfield units.
    """

    Network: ClassVar[type]
    Loss: ClassVar[type]
    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    shown: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.recipe, self.samples, self.device = setting.recipe, setting.samples, setting.device
        self.network: Any = typed(self.Network, self.recipe.network, f"{self.recipe.name}: network")
        self.loss: Any = typed(self.Loss, self.recipe.loss, f"{self.recipe.name}: loss")
        self.networks: dict[str, nn.Module] = {}
        self.optimisers: dict[str, torch.optim.Optimizer] = {}

    @classmethod
    def prepare(cls, recipe: Recipe, samples: Samples) -> dict[str, Any]:
        """Arrays to be found once before the training."""
        return {}

    def done(self, step: int) -> float:
        """How far the learning rates have come on their way down, 0-1."""
        return step / self.recipe.training.steps

    @abstractmethod
    def step(self, batch: Batch, step: int) -> Losses:
        """One update of all networks; what is drawn depends on the seed and ``step`` only."""

    @abstractmethod
    def latents(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """What ``sample`` takes, for a sheet of samples."""

    @abstractmethod
    def sample(self, averages: Mapping[str, nn.Module], z: torch.Tensor, features: torch.Tensor | None) -> torch.Tensor:
        """Volumes (N, C, I, J, K) in [-1, 1], or probabilities, from averaged networks."""

    def exported(self, averages: Mapping[str, nn.Module]) -> dict[str, torch.Tensor]:
        """The tensors of a checkpoint of the recipe's family."""
        return dict(averages["generator"].state_dict())

    @classmethod
    def networks_in(cls, tensors: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
        """The averaged networks' own tensors in a checkpoint of the family, by network: what ``exported`` joined."""
        return {"generator": dict(tensors)}

    def arguments(self) -> dict[str, Any]:
        """Arguments of the family that its manifest has to state."""
        return {}

    def random(self, purpose: str, step: int) -> torch.Generator:
        """Random numbers of this step."""
        return torch_generator(self.recipe.seed, purpose, step)

    def normal(self, generator: torch.Generator, *shape: int) -> torch.Tensor:
        """N(0, 1), drawn on the CPU."""
        return torch.randn(shape, generator=generator).to(self.device)

    @contextmanager
    def precision(self) -> Iterator[None]:
        """The forward pass in bfloat16, where the recipe says so."""
        wanted = self.recipe.training.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=wanted):
            yield

    def update(self, name: str, loss: torch.Tensor) -> None:
        """One step of an optimiser, and of its companion for matrices where there is one, down a loss."""
        optimisers = [self.optimisers[each] for each in (name, f"{name} matrices") if each in self.optimisers]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimiser in optimisers:
            optimiser.step()


@contextmanager
def frozen(*networks: nn.Module) -> Iterator[None]:
    """Networks whose parameters take no gradients meanwhile."""
    for network in networks:
        network.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(requires_grad=True)


def adam(network: nn.Module, rate: float, betas: tuple[float, float] = (0.5, 0.999)) -> torch.optim.Optimizer:
    """Adam with a GAN's usual momentum."""
    return torch.optim.Adam(network.parameters(), lr=rate, betas=betas)
