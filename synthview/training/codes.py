"""A latent for every training sample, found before the training: standardised scores on the main components.

A generator trained to make each sample of its code needs no encoder, and cannot fall onto a few pictures: Bojanowski et
al., "Optimizing the Latent Space of Generative Networks", ICML 2018, which starts from such scores and learns the codes
with the generator.  Theirs stay on a sphere; ours stay uncorrelated, of mean 0 and variance 1, so that N(0, 1) is where
new latents are drawn from.  What the features explain is taken out, so that a code says what a person is besides age
and sex, and the same code with another age is the same person older.

Where a training set keeps the numbers that decided each sample, those are the codes, and nothing has to be found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from synthview.errors import WrongRequestError
from synthview.training.samples import Samples

_APPEARANCE = ("gamma", "bias")  # names of codes that tissues don't depend on
_POOLED_VOXELS = 8000  # about as many of each sample are compared
_KNOTS = (-0.7, 0.0, 0.7)  # of the feature's range of standard deviations, where its slope may change


def known_codes(samples: Samples) -> npt.NDArray[np.float32] | None:
    """The numbers that decided each sample, (N, L); None: they aren't known.

    Without those that the features tell, and for tissue maps without those of how scans look.
    """
    codes = samples.data.codes
    if codes is None:
        return None
    names = samples.data.about.codes or ("",) * codes.shape[1]
    unseen = _APPEARANCE if samples.recipe.values == "tissues" else ()
    kept = [n for n, name in enumerate(names) if name not in samples.recipe.features and not name.startswith(unseen)]
    return np.ascontiguousarray(codes[:, kept])


def component_codes(
    samples: Samples, length: int, progress: Callable[[float], None] | None = None
) -> npt.NDArray[np.float32]:
    """Scores of every sample, (N, length), mean 0 and variance 1 along each column, uncorrelated.

    Args:
        samples: the training set.
        length: of a code; fewer than there are samples.
        progress: called with the fraction done.

    Raises:
        WrongRequestError: there are too few samples.
    """
    count = len(samples)
    explained = _explained(None if samples.features is None else samples.features.numpy(), count)
    if length + explained.shape[1] >= count:
        raise WrongRequestError(
            f"{samples.data.folder} has {count} samples, too few for codes of {length} numbers: make more, or set "
            f"network.latent_dim below {count - explained.shape[1]}"
        )
    rows = np.stack([_pooled(samples, index, progress) for index in range(count)])
    rows -= explained @ np.linalg.lstsq(explained, rows, rcond=None)[0]
    values, vectors = np.linalg.eigh(rows @ rows.T)  # of N × N: far smaller than voxels × voxels
    main = vectors[:, ::-1][:, :length]
    if values[::-1][length - 1] <= 1e-9 * values[-1]:
        raise WrongRequestError(f"{samples.data.folder}: its samples differ in fewer than {length} ways")
    signs = np.sign(main[np.abs(main).argmax(axis=0), np.arange(length)])
    return np.ascontiguousarray(main * signs * np.sqrt(count), dtype=np.float32)


def _pooled(samples: Samples, index: int, progress: Callable[[float], None] | None) -> npt.NDArray[np.float64]:
    volume = samples.volume(index)[None]
    factor = max(1, round((volume[0].numel() / _POOLED_VOXELS) ** (1 / 3)))
    if progress is not None:
        progress(index / len(samples))
    pooled: npt.NDArray[np.float32] = F.avg_pool3d(volume, factor, ceil_mode=True).numpy()
    return pooled.ravel().astype(np.float64)


def _explained(features: npt.NDArray[np.float32] | None, count: int) -> npt.NDArray[np.float64]:
    """Columns of the regression: 1, each feature, and its bends where it has more than two values; (N, …)."""
    columns = [np.ones(count)]
    for column in np.zeros((count, 0)).T if features is None else features.T.astype(np.float64):
        columns.append(column)
        if len(np.unique(column)) > 2:
            columns += [np.maximum(column - knot * column.std(), 0.0) for knot in _KNOTS]
    return np.stack(columns, axis=1)


class Codes(nn.Module):
    """The codes of all samples, as something to be learnt.

    Args:
        scores: to begin with, (N, length).
        features: (N, F) that they must say nothing of; or None.
    """

    def __init__(self, scores: npt.NDArray[np.float32], features: torch.Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(scores.copy()))
        self._explained = _explained(None if features is None else features.numpy(), len(scores))

    @property
    def length(self) -> int:
        """Of a code."""
        return self.weight.shape[1]

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        """Codes of some samples, (n, length)."""
        return self.weight[indices]

    @torch.no_grad()
    def settle(self) -> None:
        """Back to mean 0, variance 1, uncorrelated, and nothing that the features explain; by the least change."""
        codes = self.weight.cpu().double().numpy()
        codes -= self._explained @ np.linalg.lstsq(self._explained, codes, rcond=None)[0]
        values, vectors = np.linalg.eigh(codes.T @ codes / len(codes))
        whitened = codes @ (vectors / np.sqrt(np.maximum(values, 1e-9))) @ vectors.T
        self.weight.copy_(torch.from_numpy(whitened))


def random_codes(generator: torch.Generator, count: int, length: int) -> torch.Tensor:
    """Latents from N(0, 1), (count, length)."""
    return torch.randn(count, length, generator=generator)
