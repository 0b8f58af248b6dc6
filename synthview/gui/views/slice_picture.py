"""From voxels to the picture of a slice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from synthview.gui.colormaps import rgb32, rgb32_table, tissue_colors
from synthview.gui.label_overlay import LabelOverlay, Rgba, grey_of_tissues
from synthview.volume import Volume, Window
from synthview.volume.slicing import SliceGeometry

_UNIT = Window(0.5, 1.0)


def slice_picture(
    volume: Volume,
    geometry: SliceGeometry,
    index: int,
    window: Window,
    colormap: str,
    *,
    inverted: bool,
    overlay: LabelOverlay | None = None,
    opacity: float = 0.0,
) -> QImage:
    """The slice ``index`` of a volume in RAS+ order, one pixel per voxel, in RGB32.

    A tissue map is drawn grey, as a T1-weighted image would show it, and over that its classes in their colours, mixed
    as its probabilities say; the window applies to the probabilities, and the colour map has no part in it.

    Args:
        volume: in RAS+ order.
        geometry: of its slices.
        index: which slice.
        window: values drawn black and white.
        colormap: name of a colour map.
        inverted: black and white exchanged.
        overlay: labels or tissues to be drawn over it.
        opacity: of the colours, 0 to 1; 0 draws the grey image alone.
    """
    pixels = geometry.cut(volume.voxels, index)
    if pixels.ndim == 3:
        shares = window.apply(pixels).astype(np.float32) / np.float32(255)
        grey = _UNIT.apply(grey_of_tissues(shares))
        rgb = rgb32_table("grey", inverted=inverted)[grey]
        own = _own_colors(shares)
    else:
        rgb = rgb32_table(colormap, inverted=inverted)[window.apply(pixels)]
        own = None
    if opacity > 0:
        for colors in (own, None if overlay is None else overlay.drawn(volume, geometry, index)):
            if colors is not None:
                rgb = _blended(rgb, colors, opacity)
    return _to_image(rgb)


def _own_colors(shares: npt.NDArray[np.float32]) -> Rgba:
    """(C, rows, columns) probabilities to colours (rows, columns, 3) that cover everything: the background is black."""
    rgb = np.minimum(np.tensordot(shares, tissue_colors(len(shares)), axes=(0, 0)), 255)
    return np.concatenate([rgb, np.ones((*rgb.shape[:2], 1))], axis=-1).astype(np.float32)


def _blended(base: npt.NDArray[np.uint32], over: Rgba, opacity: float) -> npt.NDArray[np.uint32]:
    """RGB32 with colours over it."""
    channels = [(base >> np.uint32(shift)) & np.uint32(255) for shift in (16, 8, 0)]
    alpha = over[..., 3:] * np.float32(opacity)
    mixed = np.stack(channels, axis=-1).astype(np.float32) * (1 - alpha) + over[..., :3] * alpha
    return rgb32(mixed)


def _to_image(rgb32: npt.NDArray[Any]) -> QImage:
    rows, columns = rgb32.shape
    rgb32 = np.ascontiguousarray(rgb32)
    return QImage(rgb32.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()  # owns its pixels
