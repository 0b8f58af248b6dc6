"""DDIM, DDPM and PNDM, as latent diffusion models are sampled.

Training has N noise levels; of them S are visited, t = 0, N/S, 2N/S, …, from the last down.  ᾱ is the share of the
image in a noisy one's variance, x = √ᾱ·image + √(1-ᾱ)·noise; past the last level it is 1.

    DDIM  Song et al., ICLR 2021          one step along the deterministic path, or partly random (eta)
    DDPM  Ho et al., NeurIPS 2020         draws from the posterior at every step
    PNDM  Liu et al., ICLR 2022           DDIM's path with fourth-order steps: three of Runge-Kutta, then multistep
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from synthview.generators.samplers.steps import Predict, Steps, part_of

SAMPLERS = ("ddim", "ddpm", "pndm")
PREDICTIONS = ("epsilon", "v_prediction", "sample")
SCHEDULES = ("scaled_linear_beta", "linear_beta", "sigmoid_beta", "cosine")
_RUNGE_KUTTA_STEPS = 3
_MULTISTEP = (55 / 24, -59 / 24, 37 / 24, -9 / 24)  # Adams-Bashforth, the newest first


@dataclass(frozen=True, eq=False)
class Levels:
    """The noise levels of training, and those that sampling visits.

    Attributes:
        alphas_cumprod: ᾱ of each level of training, float32.
        times: levels to visit, the noisiest first.
        prediction: what the network predicts: the noise ("epsilon"), "v_prediction" or the clean image ("sample").
        last: ᾱ past the last level.
    """

    alphas_cumprod: torch.Tensor
    times: list[int]
    prediction: str = "epsilon"
    last: float = 1.0

    def alpha(self, time: int) -> torch.Tensor:
        """ᾱ at a time; below 0 that of the end."""
        return self.alphas_cumprod[time] if time >= 0 else torch.tensor(self.last)

    def image_and_noise(self, x: torch.Tensor, predicted: torch.Tensor, time: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What a network's output says of ``x``: its clean image, and its noise."""
        signal, noise = self.alpha(time) ** 0.5, (1 - self.alpha(time)) ** 0.5
        if self.prediction == "epsilon":
            return (x - noise * predicted) / signal, predicted
        if self.prediction == "sample":
            return predicted, (x - signal * predicted) / noise
        return signal * x - noise * predicted, signal * predicted + noise * x

    def before(self, index: int) -> int:
        """The time visited after ``times[index]``; -1 past the last."""
        return self.times[index + 1] if index + 1 < len(self.times) else -1


def make_levels(
    count: int = 1000,
    steps: int = 50,
    schedule: str = "scaled_linear_beta",
    beta_start: float = 0.0015,
    beta_end: float = 0.0205,
    *,
    prediction: str = "epsilon",
    alpha_to_one: bool = True,
    offset: int = 0,
) -> Levels:
    """Noise levels as GenerativeModels' schedulers make them, in float32.

    Args:
        count: levels of training.
        steps: how many to visit, 1 to ``count``.
        schedule: one of ``SCHEDULES``.
        beta_start: its first beta; the cosine has its own.
        beta_end: its last beta.
        prediction: one of ``PREDICTIONS``.
        alpha_to_one: sampling ends without noise; else at the first level.
        offset: added to every time.
    """
    alphas_cumprod = torch.cumprod(1 - _betas(schedule, count, beta_start, beta_end), dim=0)
    times = [min(k * (count // steps) + offset, count - 1) for k in reversed(range(steps))]
    return Levels(alphas_cumprod, times, prediction, 1.0 if alpha_to_one else float(alphas_cumprod[0]))


def _betas(schedule: str, count: int, start: float, end: float) -> torch.Tensor:
    if schedule == "scaled_linear_beta":
        return torch.linspace(start**0.5, end**0.5, count) ** 2
    if schedule == "linear_beta":
        return torch.linspace(start, end, count)
    if schedule == "sigmoid_beta":
        return torch.sigmoid(torch.linspace(-6, 6, count)) * (end - start) + start
    if schedule == "cosine":
        edges = torch.cos((torch.linspace(0, count, count + 1) / count + 0.008) / 1.008 * torch.pi / 2) ** 2
        return torch.clip(1 - edges[1:] / edges[:-1], 0, 0.999)
    raise ValueError(f"the schedule must be one of {', '.join(SCHEDULES)}, got {schedule!r}")


def sample(
    sampler: str, levels: Levels, predict: Predict, x: torch.Tensor, *, noise: torch.Generator, eta: float = 0.0
) -> Steps[torch.Tensor]:
    """From noise to an image.

    Args:
        sampler: one of ``SAMPLERS``.
        levels: from ``make_levels``.
        predict: the network.
        x: the noise to begin with.
        noise: CPU generator for what is drawn on the way.
        eta: DDIM's share of randomness, 0 to 1.

    Returns:
        The image, of the shape of ``x``.
    """

    def draw() -> torch.Tensor:
        return torch.randn(x.shape, generator=noise).to(x)

    if sampler == "pndm":
        return pndm(levels, predict, x)
    return ddim(levels, predict, x, draw, 1.0 if sampler == "ddpm" else eta)


def ddim(
    levels: Levels, predict: Predict, x: torch.Tensor, draw: Callable[[], torch.Tensor], eta: float = 0.0
) -> Steps[torch.Tensor]:
    """DDIM; with ``eta`` 1 every step draws from the posterior, which is DDPM."""
    for index, time in enumerate(levels.times):
        predicted = yield from part_of(predict(x, time), index / len(levels.times), 1 / len(levels.times))
        image, noise = levels.image_and_noise(x, predicted, time)
        now, then = levels.alpha(time), levels.alpha(levels.before(index))
        spread = eta * ((1 - then) / (1 - now) * (1 - now / then)) ** 0.5
        x = then**0.5 * image + (1 - then - spread**2).clamp(min=0) ** 0.5 * noise
        if eta and index + 1 < len(levels.times):
            x = x + spread * draw()
    return x


def pndm(levels: Levels, predict: Predict, x: torch.Tensor) -> Steps[torch.Tensor]:
    """PNDM: Runge-Kutta for the first three steps, then the last four noises together (F-PNDM)."""
    past: list[torch.Tensor] = []
    total = len(levels.times)
    for index, time in enumerate(levels.times):
        then = levels.before(index)
        if index < _RUNGE_KUTTA_STEPS and then >= 0:
            first, noise = yield from part_of(_runge_kutta(levels, predict, x, time, then), index / total, 1 / total)
        else:
            first = yield from part_of(_noise(levels, predict, x, time), index / total, 1 / total)
            noise = first
        past = [first, *past[:_RUNGE_KUTTA_STEPS]]
        if index >= _RUNGE_KUTTA_STEPS:
            noise = sum((w * e for w, e in zip(_MULTISTEP, past, strict=True)), torch.zeros_like(x))
        x = _transfer(levels, x, noise, time, then)
    return x


def _runge_kutta(
    levels: Levels, predict: Predict, x: torch.Tensor, time: int, then: int
) -> Steps[tuple[torch.Tensor, torch.Tensor]]:
    """The noise at the start of a step, and its fourth-order mean over the step."""
    middle = (time + then) // 2
    first = yield from part_of(_noise(levels, predict, x, time), 0.0, 0.25)
    second = yield from part_of(_noise(levels, predict, _transfer(levels, x, first, time, middle), middle), 0.25, 0.25)
    third = yield from part_of(_noise(levels, predict, _transfer(levels, x, second, time, middle), middle), 0.5, 0.25)
    fourth = yield from part_of(_noise(levels, predict, _transfer(levels, x, third, time, then), then), 0.75, 0.25)
    return first, (first + 2 * second + 2 * third + fourth) / 6


def _noise(levels: Levels, predict: Predict, x: torch.Tensor, time: int) -> Steps[torch.Tensor]:
    predicted = yield from predict(x, time)
    return levels.image_and_noise(x, predicted, time)[1]


def _transfer(levels: Levels, x: torch.Tensor, noise: torch.Tensor, time: int, then: int) -> torch.Tensor:
    """Along the deterministic path from one time to another, given the noise on the way."""
    now, later = levels.alpha(time), levels.alpha(then)
    return later**0.5 * (x - (1 - now) ** 0.5 * noise) / now**0.5 + (1 - later) ** 0.5 * noise
