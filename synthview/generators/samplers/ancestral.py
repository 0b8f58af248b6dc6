"""Ancestral sampling with fewer steps than a network was trained with, as in improved diffusion.

Nichol & Dhariwal, "Improved Denoising Diffusion Probabilistic Models", ICML 2021.  Of the N training steps R are kept,
evenly spread; the betas follow from the kept cumulative products, in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from synthview.generators.samplers.steps import Predict, Steps, part_of

Array = npt.NDArray[np.float64]


def training_betas(schedule: str, count: int) -> Array:
    """The betas of training: "linear" (0.0001 to 0.02 for 1000 steps, scaled for others) or "cosine".

    Raises:
        ValueError: another schedule.
    """
    if schedule == "linear":
        return np.linspace(0.1 / count, 20 / count, count, dtype=np.float64)
    if schedule == "cosine":
        edges = np.cos((np.arange(count + 1) / count + 0.008) / 1.008 * np.pi / 2) ** 2
        betas: Array = np.minimum(1 - edges[1:] / edges[:-1], 0.999)
        return betas
    raise ValueError(f"the schedule must be linear or cosine, got {schedule!r}")


def kept_steps(count: int, kept: int) -> list[int]:
    """Indices of ``kept`` of ``count`` training steps, evenly spread from the first to the last."""
    return [round(k * (count - 1) / max(kept - 1, 1)) for k in range(kept)]


class AncestralChain:
    """A reverse chain of fewer steps.

    Args:
        betas: of training.
        kept: how many steps to keep, 1 to ``len(betas)``.
        posterior_variance: draw with the posterior's variance ("sigma_small"); else with beta.
        predicts_image: the network predicts the clean image; else the noise.
        rescaled_time: the network takes times of a training in 1000 steps.

    Attributes:
        times: what the network takes as the time of each step.
        betas, alphas_cumprod: of the chain.
    """

    def __init__(
        self,
        betas: Array,
        kept: int,
        *,
        posterior_variance: bool = False,
        predicts_image: bool = False,
        rescaled_time: bool = True,
    ) -> None:
        indices = kept_steps(len(betas), kept)
        self.predicts_image = predicts_image
        self.times = [i * 1000 / len(betas) if rescaled_time else float(i) for i in indices]
        self.alphas_cumprod = np.cumprod(1 - betas)[indices]
        before = np.append(1.0, self.alphas_cumprod[:-1])
        self.betas = 1 - self.alphas_cumprod / before
        left = 1 - self.alphas_cumprod
        self._image_share = self.betas * np.sqrt(before) / left  # of the posterior's mean
        self._noisy_share = (1 - before) * np.sqrt(1 - self.betas) / left
        variance = self.betas * (1 - before) / left
        variance[0] = variance[min(1, kept - 1)]  # the true one is 0, and is never drawn with
        drawn = variance if posterior_variance else np.append(variance[:1], self.betas[1:])
        self._deviation = np.exp(np.float32(0.5) * np.log(np.maximum(drawn, 1e-20)).astype(np.float32))

    def __len__(self) -> int:
        return len(self.times)

    def clean(self, step: int, x: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
        """The clean image, clamped to [-1, 1], that the network's output at this step stands for."""
        if not self.predicts_image:
            product = self.alphas_cumprod[step]
            predicted = float(np.sqrt(1 / product)) * x - float(np.sqrt(1 / product - 1)) * predicted
        return predicted.clamp(-1, 1)

    def back(self, step: int, x: torch.Tensor, predicted: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """From this step's image to the one before; the last step (0) adds no noise."""
        mean = float(self._image_share[step]) * self.clean(step, x, predicted) + float(self._noisy_share[step]) * x
        return mean + float(self._deviation[step]) * noise if step else mean

    def sample(self, predict: Predict, draw: Callable[[int], torch.Tensor]) -> Steps[torch.Tensor]:
        """From noise to an image.

        Args:
            predict: the network.
            draw: noise by number: 0 is the start, 1 + j belongs to the j-th reverse step.
        """
        x = draw(0)
        for count, step in enumerate(reversed(range(len(self)))):
            predicted = yield from part_of(predict(x, self.times[step]), count / len(self), 1 / len(self))
            x = self.back(step, x, predicted, draw(1 + count) if step else x)
        return x
