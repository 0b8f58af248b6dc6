"""A training set as tensors: padded to the network's grid, in its range of values, a batch at a time."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from synthview.errors import TrainingDataError
from synthview.training.box_means import box_means
from synthview.training.dataset import Column, TrainingSet
from synthview.training.randomness import indices_of_step
from synthview.training.recipe import Data

Bytes = npt.NDArray[np.uint8]


class Batch:
    """What a step is given.

    Args:
        samples: of which these are some.
        indices: which.

    Attributes:
        indices: of the samples, (N,).
        features: (N, F) as the network takes them; None without features.
    """

    def __init__(self, samples: Samples, indices: list[int]) -> None:
        self._samples = samples
        self.indices = torch.tensor(indices)
        self.features = None if samples.features is None else samples.features[indices]

    @cached_property
    def volumes(self) -> torch.Tensor:
        """(N, 1, I, J, K) in [-1, 1], or (N, 4, I, J, K) probabilities; prepared when they are first asked for."""
        return torch.stack([self._samples.volume(index) for index in self.indices.tolist()])


class Samples:
    """A training set, ready for a network.

    Args:
        data: the training set.
        recipe: how to prepare it.
    """

    def __init__(self, data: TrainingSet, recipe: Data) -> None:
        stored = data.images if recipe.values == "images" else data.tissues
        if stored is None:
            raise TrainingDataError(f"{data.folder} has no {recipe.values}, which this recipe trains on")
        self.data, self.recipe = data, recipe
        self._stored = stored
        self.spacing_mm = _spacing(data, recipe)
        self.features = _features(data, recipe)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each feature."""
        return tuple(self.data.column(name) for name in self.recipe.features)

    @property
    def channels(self) -> int:
        """1 for scans, 4 for tissue maps."""
        return 1 if self.recipe.values == "images" else 4

    def volume(self, index: int) -> torch.Tensor:
        """One sample, (channels, I, J, K)."""
        stored = np.asarray(self._stored[index])
        stored = stored.reshape(-1, *stored.shape[-3:])
        if self.recipe.resample is not None:
            stored = np.stack([resample(channel, self.recipe.resample) for channel in stored])
        fitted = torch.from_numpy(fit(stored, self.recipe.shape).astype(np.float32)) / 255
        if self.recipe.values == "images":
            return fitted * 2 - 1
        total = fitted.sum(0, keepdim=True).clamp(min=1.0)
        tissues = fitted / total
        return torch.cat([tissues, 1 - tissues.sum(0, keepdim=True).clamp(0, 1)])

    def batch(self, seed: int, step: int, size: int) -> Batch:
        """The samples of a step."""
        return self.take(indices_of_step(seed, step, size, len(self)))

    def take(self, indices: list[int]) -> Batch:
        """These samples."""
        return Batch(self, indices)


def fit(stored: Bytes, shape: tuple[int, int, int]) -> Bytes:
    """(C, I, J, K) padded with zeros, or cropped, about the middle of each axis."""
    for axis, (have, want) in enumerate(zip(stored.shape[1:], shape, strict=True), start=1):
        if have > want:
            first = (have - want) // 2
            stored = stored.take(range(first, first + want), axis=axis)
        elif have < want:
            before = (want - have) // 2
            padding = [(0, 0)] * 4
            padding[axis] = (before, want - have - before)
            stored = np.pad(stored, padding)
    return stored


def resample(stored: Bytes, shape: tuple[int, int, int]) -> Bytes:
    """(I, J, K) to another number of voxels over the same field of view, as ``box_means``."""
    return np.clip(np.rint(box_means(stored, shape)), 0, 255).astype(np.uint8)


def _spacing(data: TrainingSet, recipe: Data) -> tuple[float, float, float]:
    about = data.about
    kept = recipe.resample or about.shape
    a, b, c = (mm * have / now for mm, have, now in zip(about.spacing_mm, about.shape, kept, strict=True))
    return (a, b, c)


def _features(data: TrainingSet, recipe: Data) -> torch.Tensor | None:
    if not recipe.features:
        return None
    if recipe.standardise:
        return torch.from_numpy(data.features(recipe.features))
    columns = [data.column(name) for name in recipe.features]
    scaled = [(data.values(c.name) - c.low) / ((c.high - c.low) or 1.0) for c in columns]
    return torch.from_numpy(np.stack(scaled, axis=1).astype(np.float32))
