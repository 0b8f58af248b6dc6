"""The orientation marker: three axes with the patient's directions, in the colours of the planes they cross."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from synthview.gui.render3d.camera import Camera
from synthview.gui.theme import SPACE, TOKENS

_ARM_PX = 24.0  # from the middle to an end
_LETTER_PX = 8.0  # from an end to its letter
_FLAT = 0.35  # an axis that is drawn shorter than this share of an arm points at the eye: its far letter is left out
_AXES: tuple[tuple[str, str, str], ...] = (  # letter at the positive and the negative end, and colour
    ("R", "L", TOKENS.sagittal),
    ("A", "P", TOKENS.coronal),
    ("S", "I", TOKENS.axial),
)


def draw_marker(painter: QPainter, pane: QRectF, camera: Camera) -> None:
    """Draw the marker into the pane's bottom left corner."""
    reach = _ARM_PX + _LETTER_PX + SPACE[1]
    middle = QPointF(pane.left() + SPACE[1] + reach, pane.bottom() - SPACE[1] - reach)
    font = QFont(painter.font())
    font.setPointSizeF(9)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    towards = camera.towards_viewer
    ends = [(axis, sign) for axis in range(3) for sign in (1, -1)]
    for axis, sign in sorted(ends, key=lambda end: end[1] * towards[end[0]]):  # the farthest first
        _draw_end(painter, middle, camera, (axis, sign))


def _draw_end(painter: QPainter, middle: QPointF, camera: Camera, end: tuple[int, int]) -> None:
    axis, sign = end
    positive, negative, color_name = _AXES[axis]
    depth = sign * camera.towards_viewer[axis]
    along = QPointF(sign * camera.right[axis], -sign * camera.up[axis])
    length = (along.x() ** 2 + along.y() ** 2) ** 0.5
    color = QColor(color_name)
    color.setAlphaF(1.0 if depth > -0.05 else 0.55)
    painter.setPen(QPen(color, 2 if sign > 0 else 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QLineF(middle, middle + along * _ARM_PX))
    if depth < 0 and length < _FLAT:
        return
    outwards = along * ((_ARM_PX * length + _LETTER_PX) / length) if length > 1e-6 else QPointF(0, 0)
    box = QRectF(0, 0, 24, 24)
    box.moveCenter(middle + outwards)
    painter.setPen(color)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, positive if sign > 0 else negative)
