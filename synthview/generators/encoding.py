"""What a family's encoder is: from a real scan to a code, and from the code back to a volume.

scan ─ to the network's grid and range (``scan_grid``) ─ encoder ─ code ─ decoder ─ back to the scan's unit and place
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthview.errors import WrongRequestError
from synthview.generators.checkpoint import file_sha256
from synthview.generators.scan_grid import Grid, centred_grid, resampled, stretched_grid, value_range
from synthview.volume import Volume, VolumeKind

Step = tuple[float, torch.Tensor | None]


class Encoder(ABC):
    """An encoder with its weights; families make one in ``Family.encoder``.

    Attributes:
        network: the encoder alone; None where it is a part of the generator.
        range: the network's lowest and highest value.
        spacing: mm along right, anterior and superior of the network's grid; None to stretch the whole field of view.
        sha256: of the files that hold nothing but the encoder; empty where it is in the checkpoint itself.
        is_latent: whether its code is a latent of the generator, so that ``decode`` and ``generate`` take it.
        what: the kind of scan it takes, for messages.
    """

    range: ClassVar[tuple[float, float]] = (-1.0, 1.0)
    is_latent: ClassVar[bool] = True
    what: ClassVar[str] = "a scan with one channel"

    def __init__(
        self, network: nn.Module | None, spacing: tuple[float, float, float] | None, files: tuple[Path, ...] = ()
    ) -> None:
        self.network = network
        self.spacing = spacing
        self.sha256 = " ".join(map(file_sha256, files))

    @abstractmethod
    def encode(self, generator: nn.Module, x: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """(1, C, …) on the network's grid to a code (1, …), yielding often enough to be stopped; the last has it."""

    @abstractmethod
    def decode(self, generator: nn.Module, code: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Step]:
        """The code to a raw output (1, C, …), by the generator's own layers."""

    def grid(self, scan: Volume, shape: tuple[int, int, int]) -> Grid:
        """Where the network's voxels lie in the scan's space."""
        return stretched_grid(scan, shape) if self.spacing is None else centred_grid(scan, shape, self.spacing)

    def accept(self, scan: Volume) -> Volume:
        """The scan as this encoder takes it, axes in RAS+ order.

        Raises:
            WrongRequestError: it is another kind of image.
        """
        if scan.voxels.ndim != 3 or scan.kind in {VolumeKind.TISSUE_MAP, VolumeKind.LABEL_MAP}:
            raise WrongRequestError(f"this encoder takes {self.what}, and {scan.name or 'the volume'} is a {scan.kind}")
        return scan.to_ras()

    def prepare(self, scan: Volume, grid: Grid) -> tuple[npt.NDArray[np.float32], tuple[float, float]]:
        """The scan on the grid and in the network's range, channels first; and the range of the scan that became it."""
        low, high = value_range(scan)
        voxels = np.clip(resampled(scan, grid, low), low, high)
        start, end = self.range
        return ((voxels - low) / (high - low) * (end - start) + start)[None].astype(np.float32), (low, high)

    def restore(self, raw: npt.NDArray[np.float32], values: tuple[float, float], grid: Grid, scan: Volume) -> Volume:
        """A raw output (C, …), with axes in RAS+ order, in the scan's unit and place."""
        start, end = self.range
        low, high = values
        voxels = (np.clip(raw[0], start, end) - start) / (end - start) * (high - low) + low
        return Volume(voxels.astype(np.float32), grid.affine, scan.kind, scan.unit, scan.window)


EncoderSource = Callable[[], Encoder]
"""Reads an encoder's weights; called once somebody wants to encode."""


def sibling(weights: Path, *prefixes: str) -> tuple[Path, ...]:
    """The encoders that training scripts write beside ``G_….pth``: for "E", ``E_….pth``; empty if one is missing."""
    if not weights.name.startswith("G_"):
        return ()
    found = tuple(weights.with_name(prefix + weights.name.removeprefix("G")) for prefix in prefixes)
    return found if all(path.is_file() for path in found) else ()
