"""Pictures of stimuli for a report: the slice that was shown, side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthview.volume import Volume
from synthview.volume.slicing import Plane, slice_geometry

_HEIGHT = 220  # pixels
_GAP = 6


def pair_png(volumes: Sequence[Volume], plane: Plane, position: float) -> bytes:
    """Slices of several volumes beside each other, radiological, as a PNG picture.

    Args:
        volumes: in RAS+ order, from left to right.
        plane: of the slices.
        position: along the axis through the slices, 0 to 1.
    """
    from matplotlib.image import imsave

    panes = [_pane(volume, plane, position) for volume in volumes]
    gap = np.full((_HEIGHT, _GAP), 255, dtype=np.uint8)
    row = np.hstack([part for pane in panes for part in (gap, pane)][1:])
    out = io.BytesIO()
    imsave(out, row, cmap="gray", vmin=0, vmax=255, format="png")
    return out.getvalue()


def _pane(volume: Volume, plane: Plane, position: float) -> npt.NDArray[np.uint8]:
    """One slice in its window, square pixels, ``_HEIGHT`` high."""
    geometry = slice_geometry(volume, plane)
    index = round(min(max(position, 0.0), 1.0) * (geometry.count - 1))
    cut = np.asarray(geometry.cut(volume.voxels, index), dtype=np.float64)
    window = volume.display_window
    grey = np.clip((cut - window.low) / max(window.high - window.low, 1e-9), 0, 1) * 255
    across, down = geometry.pixel_mm
    width = max(1, round(_HEIGHT * cut.shape[1] * across / (cut.shape[0] * down)))
    rows = np.minimum((np.arange(_HEIGHT) * cut.shape[0]) // _HEIGHT, cut.shape[0] - 1)
    columns = np.minimum((np.arange(width) * cut.shape[1]) // width, cut.shape[1] - 1)
    picture: npt.NDArray[np.uint8] = grey[np.ix_(rows, columns)].astype(np.uint8)
    return picture
