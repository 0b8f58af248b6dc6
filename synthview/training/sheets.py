"""Sheets of samples: each volume's three middle slices, as radiologists see them, real ones in the first rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from synthview.volume.nifti import write_atomically

_GREY = np.array([1.0, 0.5, 0.2, 0.0], dtype=np.float32)  # of white matter, grey matter, CSF, background
_GAP = 2
_LARGE = 160  # pixels


def grey(volumes: torch.Tensor) -> npt.NDArray[np.float32]:
    """(N, C, I, J, K) as a network gives it, to (N, I, J, K) from 0 to 1; tissues as on a T1-weighted image."""
    values = volumes.detach().float().cpu().numpy()
    if values.shape[1] == 1:
        return np.clip(values[:, 0] * 0.5 + 0.5, 0, 1)
    return tissues_as_grey(values)


def tissues_as_grey(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Probabilities (N, 4, …) of white matter, grey matter, CSF and background as a T1-weighted image shows them."""
    shown: npt.NDArray[np.float32] = np.einsum("nc...,c->n...", values, _GREY)
    return shown


def sheet(volumes: npt.NDArray[np.float32], columns: int) -> npt.NDArray[np.uint8]:
    """A picture of axial, coronal and sagittal slices through the middle, each volume's one above the other.

    Args:
        volumes: (N, I, J, K) from 0 to 1, RAS+.
        columns: volumes beside each other.
    """
    return grid([_tile(volume) for volume in volumes], columns)


def grid(tiles: Sequence[npt.NDArray[np.float32]], columns: int) -> npt.NDArray[np.uint8]:
    """A picture of pictures of one size, from 0 to 1, so many beside each other."""
    height, width = tiles[0].shape
    rows = -(-len(tiles) // columns)
    picture = np.zeros((rows * (height + _GAP), columns * (width + _GAP)), dtype=np.float32)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = row * (height + _GAP), column * (width + _GAP)
        picture[top : top + height, left : left + width] = tile
    return (picture * 255).round().astype(np.uint8)


def enlarged(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A picture as many whole times larger as makes its longer side ``_LARGE`` pixels or more, interpolated."""
    times = -(-_LARGE // max(picture.shape))
    larger: npt.NDArray[np.float32] = ndimage.zoom(picture, times, order=1, grid_mode=True, mode="nearest")
    return larger


def square(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A picture, from 0 to 1, with black at its shorter sides."""
    side = max(picture.shape)
    rows, columns = ((side - n) // 2 for n in picture.shape)
    padded = np.pad(picture, ((rows, side - picture.shape[0] - rows), (columns, side - picture.shape[1] - columns)))
    return (padded * 255).round().astype(np.uint8)


def save_sheet(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """As PNG."""
    write_atomically(path, png(picture))


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture (H, W) as a PNG file."""
    from matplotlib import image

    written = io.BytesIO()
    image.imsave(written, picture, cmap="gray", vmin=0, vmax=255, format="png")
    return written.getvalue()


def _tile(volume: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    i, j, k = (n // 2 for n in volume.shape)
    slices = [volume[::-1, ::-1, k].T, volume[::-1, j, ::-1].T, volume[i, ::-1, ::-1].T]
    width = max(each.shape[1] for each in slices)
    padded = [np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in slices]
    return np.concatenate(padded)
