"""Where a slice lies in its pane: from voxels to logical pixels and back."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

from synthview.volume import Volume
from synthview.volume.slicing import SliceGeometry

_Mm = tuple[float, float, float]
MARGIN_PX = 24  # kept free around a slice that fits its pane: the orientation letters stand there


@dataclass(frozen=True)
class Projection:
    """One slice in its pane.

    Attributes:
        geometry: which voxel is which pixel of the slice.
        pixel_size: width and height of a slice pixel on the screen, in logical pixels.
        origin: the picture's top left corner in the pane, in logical pixels.
    """

    geometry: SliceGeometry
    pixel_size: tuple[float, float]
    origin: tuple[float, float]

    @property
    def rect(self) -> QRectF:
        """The picture in the pane."""
        columns, rows = self.geometry.size
        return QRectF(*self.origin, columns * self.pixel_size[0], rows * self.pixel_size[1])

    @property
    def px_per_mm(self) -> float:
        """Logical pixels per millimetre; the same across and down."""
        return self.pixel_size[0] / self.geometry.pixel_mm[0]

    def to_pane(self, ijk: _Mm) -> QPointF:
        """Where the centre of a voxel is drawn."""
        column, row = self.geometry.to_image(ijk)
        return QPointF(
            self.origin[0] + (column + 0.5) * self.pixel_size[0], self.origin[1] + (row + 0.5) * self.pixel_size[1]
        )

    def to_ijk(self, position: QPointF, index: float) -> _Mm:
        """The voxel position drawn at a point of the pane, in the slice ``index``; may lie outside the volume."""
        column = (position.x() - self.origin[0]) / self.pixel_size[0] - 0.5
        row = (position.y() - self.origin[1]) / self.pixel_size[1] - 0.5
        return self.geometry.to_ijk(column, row, index)


def fit_scale(geometry: SliceGeometry, pane: QSizeF) -> float:
    """Logical pixels per millimetre at which a whole slice fits a pane."""
    columns, rows = geometry.size
    width_mm, height_mm = columns * geometry.pixel_mm[0], rows * geometry.pixel_mm[1]
    free_width, free_height = max(pane.width() - 2 * MARGIN_PX, 16.0), max(pane.height() - 2 * MARGIN_PX, 16.0)
    return min(free_width / width_mm, free_height / height_mm)


def project(  # noqa: PLR0917  (the last is seldom given)
    volume: Volume, geometry: SliceGeometry, pane: QSizeF, zoom: float, pan_mm: _Mm, fit: float | None = None
) -> Projection:
    """Put a slice into its pane.

    Args:
        volume: in RAS+ order.
        geometry: of the plane shown.
        pane: size in logical pixels.
        zoom: factor on "the slice fits its pane".
        pan_mm: RAS+ millimetres from the volume's centre to what is drawn in the pane's centre.
        fit: logical pixels per mm where zoom is 1; by default those at which the slice fits.
    """
    scale = (fit_scale(geometry, pane) if fit is None else fit) * zoom
    pixel_size = (geometry.pixel_mm[0] * scale, geometry.pixel_mm[1] * scale)
    x, y, z = volume_center_mm(volume)
    column, row = geometry.to_image(volume.mm_to_ijk((x + pan_mm[0], y + pan_mm[1], z + pan_mm[2])))
    origin = (pane.width() / 2 - (column + 0.5) * pixel_size[0], pane.height() / 2 - (row + 0.5) * pixel_size[1])
    return Projection(geometry, pixel_size, origin)


def volume_center_mm(volume: Volume) -> _Mm:
    """The middle of the volume in RAS+ millimetres."""
    i, j, k = volume.shape
    return volume.ijk_to_mm(((i - 1) / 2, (j - 1) / 2, (k - 1) / 2))
