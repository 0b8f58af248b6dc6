"""What is drawn over a slice: crosshair, orientation letters, the plane's name, a scale bar, the focus ring."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from synthview.gui.theme import SPACE, TOKENS, plane_color
from synthview.gui.views.projection import MARGIN_PX, Projection
from synthview.volume.slicing import Plane

_GAP_PX = 10  # left free around the crosshair's centre, so that the voxel meant can be seen
_BAR_PX = (48.0, 140.0)  # the scale bar's shortest and longest length
_LINE_PLANES = {  # which plane the upright and the level line stand for
    Plane.AXIAL: (Plane.SAGITTAL, Plane.CORONAL),
    Plane.SAGITTAL: (Plane.CORONAL, Plane.AXIAL),
    Plane.CORONAL: (Plane.SAGITTAL, Plane.AXIAL),
}


def draw_crosshair(painter: QPainter, pane: QRectF, center: QPointF, plane: Plane) -> None:
    """Thin lines through ``center`` in the colours of the planes they stand for."""
    upright, level = _LINE_PLANES[plane]
    x, y = round(center.x()) + 0.5, round(center.y()) + 0.5  # on whole pixels: crisp
    lines = pane.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)  # the letters stay free
    for top, bottom in ((lines.top(), y - _GAP_PX), (y + _GAP_PX, lines.bottom())):
        if bottom > top:
            painter.fillRect(QRectF(x - 0.5, top, 1, bottom - top), _line_color(upright))
    for left, right in ((lines.left(), x - _GAP_PX), (x + _GAP_PX, lines.right())):
        if right > left:
            painter.fillRect(QRectF(left, y - 0.5, right - left, 1), _line_color(level))


def draw_letters(painter: QPainter, pane: QRectF, letters: tuple[str, str, str, str]) -> None:
    """Patient directions at the left, right, top and bottom edge of the pane."""
    painter.setFont(_font(painter, 10, bold=True))
    edges = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignTop)
    middle = (Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignHCenter)
    inner = pane.adjusted(SPACE[1], SPACE[0], -SPACE[1], -SPACE[0])
    for letter, edge, along in zip(letters[:3], edges, middle, strict=True):
        _text(painter, inner, edge | along, letter, TOKENS.text)
    _text(painter, inner, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter, letters[3], TOKENS.text)


def draw_name(painter: QPainter, pane: QRectF, plane: Plane) -> None:
    """The plane's name in its colour, top left."""
    painter.setFont(_font(painter, 10, bold=True))
    inner = pane.adjusted(SPACE[2], SPACE[1], -SPACE[2], -SPACE[1])
    corner = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    _text(painter, inner, corner, plane.value.capitalize(), plane_color(plane))


def draw_scale_bar(painter: QPainter, pane: QRectF, projection: Projection) -> None:
    """A bar of a round number of millimetres, bottom left."""
    length_mm = scale_bar_mm(projection.px_per_mm, pane.width() // 16 * 16)  # panes of nearly one size agree
    if length_mm is None:
        return
    painter.setFont(_font(painter, 9))
    left, bottom = pane.left() + SPACE[2], pane.bottom() - SPACE[2]
    right = left + length_mm * projection.px_per_mm
    for color, width in ((TOKENS.canvas, 3), (TOKENS.text, 1)):
        painter.setPen(QPen(QColor(color), width))
        painter.drawLine(QLineF(left, bottom, right, bottom))
        for x in (left, right):
            painter.drawLine(QLineF(x, bottom - SPACE[0], x, bottom))
    label = QRectF(left, bottom - SPACE[0] - 24, 120, 24)
    _text(painter, label, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, f"{length_mm:g} mm", TOKENS.text)


def scale_bar_mm(px_per_mm: float, pane_width: float) -> float | None:
    """The longest round length (1, 2 or 5 times a power of ten) that fits; None where none does."""
    shortest, longest = _BAR_PX[0], min(_BAR_PX[1], pane_width / 3)
    fitting = [
        step * 10.0**power
        for power in range(-3, 5)
        for step in (1, 2, 5)
        if shortest <= step * 10.0**power * px_per_mm <= longest
    ]
    return max(fitting, default=None)


def draw_focus(painter: QPainter, pane: QRectF) -> None:
    """The ring that says: the keys go here."""
    painter.setPen(QPen(QColor(TOKENS.accent), 2))
    painter.drawRect(pane.adjusted(1, 1, -1, -1))


@cache
def _line_color(plane: Plane) -> QColor:
    color = QColor(plane_color(plane))
    color.setAlphaF(0.75)
    return color


def _font(painter: QPainter, points: float, *, bold: bool = False) -> QFont:
    """So many points where the pane's own font has 10; larger in a pane with larger letters."""
    font = QFont(painter.font())
    font.setPointSizeF(points * painter.font().pointSizeF() / 10)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def _text(painter: QPainter, box: QRectF, where: Qt.AlignmentFlag, text: str, color: str) -> None:
    """Text that stays legible on a bright slice: a dark edge around it."""
    painter.setPen(QColor(TOKENS.canvas))
    for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        painter.drawText(box.translated(dx, dy), where, text)
    painter.setPen(QColor(color))
    painter.drawText(box, where, text)
