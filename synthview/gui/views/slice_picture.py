"""From voxels to the picture of a slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from synthview.gui.colormaps import rgb32, rgb32_table, tissue_colors
from synthview.volume import Volume, Window
from synthview.volume.slicing import SliceGeometry


def slice_picture(
    volume: Volume, geometry: SliceGeometry, index: int, window: Window, colormap: str, *, inverted: bool
) -> QImage:
    """The slice ``index`` of a volume in RAS+ order, one pixel per voxel, in RGB32.

    A tissue map is drawn in the colours of its classes, mixed as its probabilities say; the window then applies to the
    probabilities, and the colour map has no part in it.
    """
    pixels = geometry.cut(volume.voxels, index)
    grey = window.apply(pixels)
    if pixels.ndim == 3:
        return _to_image(_mixed(255 - grey if inverted else grey))
    return _to_image(rgb32_table(colormap, inverted=inverted)[grey])


def _mixed(probabilities: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """(C, rows, columns) probabilities 0-255 to (rows, columns) RGB32."""
    colors = tissue_colors(len(probabilities))  # (C, 3)
    rgb = np.tensordot(probabilities.astype(np.float32) / 255, colors, axes=(0, 0))  # (rows, columns, 3)
    return rgb32(np.minimum(rgb, 255))


def _to_image(rgb32: npt.NDArray[Any]) -> QImage:
    rows, columns = rgb32.shape
    rgb32 = np.ascontiguousarray(rgb32)
    return QImage(rgb32.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()  # owns its pixels
