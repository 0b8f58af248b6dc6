"""A picture of synthetic beside real volumes, of one grid and one scale: what figures can't say."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthview.training.data.comparison import on_one_grid
from synthview.training.data.volumes import Array, VolumeSet, evenly
from synthview.training.sheets import sheet
from synthview.volume.nifti import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4  # and rows, of each set
_INCHES_WIDE, _DOTS = 6.0, 160  # of one set; dots per inch


def save_side_by_side(real: VolumeSet, synthetic: VolumeSet, path: Path) -> None:
    """Draw 16 volumes of each set, or all of a smaller one, evenly taken, and save them as PNG.

    Of each volume it shows the middle axial, coronal and sagittal slice, one above the other, as radiologists see them:
    the person's right is on the left.

    Args:
        real: brought to the coarser grid of the two, as for the figures.
        synthetic: likewise.
        path: of the picture.

    Raises:
        SaveError: it can't be written.
    """
    from matplotlib.figure import Figure

    real, synthetic = on_one_grid(real, synthetic)
    pictures = [_picture(some) for some in (synthetic, real)]
    rows, columns = np.max([picture.shape for picture in pictures], axis=0)
    inches = _INCHES_WIDE * rows / columns
    figure = Figure((2.1 * _INCHES_WIDE, inches + 0.5), facecolor="black")
    for axes, picture, some, word in zip(
        figure.subplots(1, 2), pictures, (synthetic, real), ("synthetic", "real"), strict=True
    ):
        _draw(axes, picture, rows)
        shown = f"{_COLUMNS**2} of {len(some)}" if len(some) > _COLUMNS**2 else f"{len(some)}"
        axes.set_title(f"{shown} {word}", color="white", fontsize=12)
    figure.subplots_adjust(0.01, 0.01, 0.99, inches / (inches + 0.5), 0.04)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=_DOTS)
    write_atomically(path, written.getvalue())


def _picture(some: VolumeSet) -> Array:
    chosen = [some.images[i] for i in evenly(len(some), _COLUMNS**2)]
    return sheet(np.stack(chosen), _COLUMNS)


def _draw(axes: Axes, picture: Array, rows: int) -> None:
    """A picture in its own pixels, from the top of a place so many rows high."""
    whole = np.zeros((rows, picture.shape[1]), dtype=np.uint8)
    whole[: len(picture)] = picture
    axes.imshow(whole, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
