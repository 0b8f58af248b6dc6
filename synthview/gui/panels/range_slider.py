"""A slider with two handles, for the two ends of a range."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from synthview.gui.theme import TOKENS

_HANDLE_PX, _GROOVE_PX = 12.0, 4.0
_STEP, _PAGE = 0.01, 0.1
_NARROWEST = 0.01  # the handles never cross
_KEYS = {
    Qt.Key.Key_Left: -_STEP,
    Qt.Key.Key_Down: -_STEP,
    Qt.Key.Key_Right: _STEP,
    Qt.Key.Key_Up: _STEP,
    Qt.Key.Key_PageDown: -_PAGE,
    Qt.Key.Key_PageUp: _PAGE,
    Qt.Key.Key_Home: -1.0,
    Qt.Key.Key_End: 1.0,
}


class RangeSlider(QWidget):
    """Two ends between 0 and 1.

    The handle last touched takes the arrow keys; Space takes the other one.

    Args:
        color: of the part between the handles.
        parent: Qt's owner.

    Signals:
        moved: the new low and high end, by a person's hand.
    """

    moved = Signal(float, float)

    def __init__(self, color: str = TOKENS.accent, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = color
        self._ends = [0.0, 1.0]
        self._active = 0
        self._held = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def ends(self) -> tuple[float, float]:
        """Low and high end."""
        return self._ends[0], self._ends[1]

    def set_ends(self, low: float, high: float) -> None:
        """Set both ends; no signal."""
        if (low, high) != self.ends():
            self._ends = [low, high]
            self.update()

    def sizeHint(self) -> QSize:
        """As high as the other sliders."""
        return QSize(96, 20)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the nearer handle."""
        if event.button() == Qt.MouseButton.LeftButton:
            x = event.position().x()
            distances = [abs(x - self._x(end)) for end in self._ends]
            # handles on top of each other: the one that can still be moved to where the mouse is
            self._active = int(distances[1] < distances[0] or (distances[0] == distances[1] and x > self._x(1 / 2)))
            self._held = True
            self._move_to(self._fraction(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the handle."""
        if self._held:
            self._move_to(self._fraction(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._held = False
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Page and Home/End move the active handle; Space changes to the other."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self._active = 1 - self._active
            self.update()
        elif key in _KEYS:
            self._move_to(self._ends[self._active] + _KEYS[key])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Groove, range, handles."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        enabled, middle = self.isEnabled(), self.height() / 2
        low, high = (self._x(end) for end in self._ends)
        for left, right, color in (
            (self._x(0), self._x(1), TOKENS.line),
            (low, high, self._color if enabled else TOKENS.line),
        ):
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(QRectF(left, middle - _GROOVE_PX / 2, right - left, _GROOVE_PX), 2, 2)
        for number, x in enumerate((low, high)):
            focused = self.hasFocus() and number == self._active
            painter.setBrush(QColor(TOKENS.text if enabled else TOKENS.text_off))
            painter.setPen(QPen(QColor(TOKENS.accent), 2) if focused else QPen(Qt.PenStyle.NoPen))
            painter.drawEllipse(QPointF(x, middle), _HANDLE_PX / 2, _HANDLE_PX / 2)

    def _move_to(self, fraction: float) -> None:
        low, high = self.ends()
        if self._active == 0:
            low = min(max(fraction, 0.0), high - _NARROWEST)
        else:
            high = max(min(fraction, 1.0), low + _NARROWEST)
        if (low, high) != self.ends():
            self.set_ends(low, high)
            self.moved.emit(low, high)

    def _x(self, fraction: float) -> float:
        return _HANDLE_PX / 2 + 1 + fraction * (self.width() - _HANDLE_PX - 2)

    def _fraction(self, x: float) -> float:
        return (x - _HANDLE_PX / 2 - 1) / max(self.width() - _HANDLE_PX - 2, 1)
