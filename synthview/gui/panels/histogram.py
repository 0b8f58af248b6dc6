"""The histogram with two handles: what is drawn black and what is drawn white."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from synthview.gui.theme import RADIUS_INPUT, SPACE, TOKENS
from synthview.volume import Window
from synthview.volume.summary import Histogram

_HEIGHT_PX = 88
_GRAB_PX = 8  # this near to a handle, a press takes it
_HANDLE_PX = 8
_KEY_STEP = 0.01  # of the range


class HistogramStrip(QWidget):
    """Shows how often values occur and which of them the window covers.

    Signals:
        window_chosen: the ``Window`` a person dragged to.
    """

    window_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._histogram: Histogram | None = None
        self._window = Window(0.5, 1.0)
        self._grabbed: tuple[str, float, Window] | None = None  # what, at which value, from which window
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram with window")
        self.setToolTip("Drag the handles to set what is drawn black and white, or drag between them to move both")

    def set_histogram(self, histogram: Histogram | None) -> None:
        """Show another histogram; None for none."""
        self._histogram = histogram
        self.update()

    def set_window(self, window: Window) -> None:
        """Show another window."""
        if window != self._window:
            self._window = window
            self.update()

    def sizeHint(self) -> QSize:
        """As wide as the panel, of a fixed height."""
        return QSize(200, _HEIGHT_PX)

    # -- where values lie --

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_HANDLE_PX / 2, SPACE[0], -_HANDLE_PX / 2, -_HANDLE_PX - SPACE[0])

    def _range(self) -> tuple[float, float]:
        if self._histogram is None:
            return self._window.low, self._window.high
        return self._histogram.low, self._histogram.high

    def x_of(self, value: float) -> float:
        """Where a value lies across the widget; values outside the histogram lie at its edges."""
        (low, high), plot = self._range(), self._plot()
        return plot.left() + min(max((value - low) / (high - low), 0.0), 1.0) * plot.width()

    def value_at(self, x: float) -> float:
        """The value that lies there."""
        (low, high), plot = self._range(), self._plot()
        return low + (x - plot.left()) / plot.width() * (high - low)

    # -- drawing --

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bars, brighter inside the window, and the two handles."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = self._plot()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(TOKENS.raised))
        painter.drawRoundedRect(plot, RADIUS_INPUT, RADIUS_INPUT)
        if self._histogram is not None:
            self._draw_bars(painter, plot, self._histogram)
        if self.isEnabled():
            self._draw_handle(painter, plot, self.x_of(self._window.low), TOKENS.canvas)
            self._draw_handle(painter, plot, self.x_of(self._window.high), TOKENS.text)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(TOKENS.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS_INPUT, RADIUS_INPUT)
        painter.end()

    def _draw_bars(self, painter: QPainter, plot: QRectF, histogram: Histogram) -> None:
        heights = bar_heights(histogram)
        step = plot.width() / len(heights)
        outline = [QPointF(plot.left(), plot.bottom())]
        for number, height in enumerate(heights):
            y = plot.bottom() - height * (plot.height() - SPACE[0])
            outline += [QPointF(plot.left() + number * step, y), QPointF(plot.left() + (number + 1) * step, y)]
        outline.append(QPointF(plot.right(), plot.bottom()))
        shape = QPolygonF(outline)
        painter.setBrush(QColor(TOKENS.text_off))
        painter.drawPolygon(shape)
        painter.save()
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        painter.setClipRect(QRectF(low, plot.top(), high - low, plot.height()))
        painter.setBrush(QColor(TOKENS.accent))
        painter.drawPolygon(shape)
        painter.restore()

    def _draw_handle(self, painter: QPainter, plot: QRectF, x: float, fill: str) -> None:
        painter.setPen(QPen(QColor(TOKENS.text), 1))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setBrush(QColor(fill))
        tip, half = plot.bottom(), _HANDLE_PX / 2
        corners = [QPointF(x, tip), QPointF(x + half, tip + half), QPointF(x + half, tip + 2 * half)]
        corners += [QPointF(x - half, tip + 2 * half), QPointF(x - half, tip + half)]
        painter.drawPolygon(QPolygonF(corners))

    # -- mouse and keys --

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the nearer handle, or the stretch between them."""
        if event.button() is Qt.MouseButton.LeftButton:
            x = event.position().x()
            self._grabbed = self._what_is_at(x), self.value_at(x), self._window

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was taken."""
        x = event.position().x()
        if self._grabbed is None:
            over_handle = self._what_is_at(x) != "both"
            self.setCursor(Qt.CursorShape.SizeHorCursor if over_handle else Qt.CursorShape.ArrowCursor)
            return
        what, start, window = self._grabbed
        moved = self.value_at(x) - start
        low, high = window.low + moved * (what != "white"), window.high + moved * (what != "black")
        low_end, high_end = self._range()
        least = (high_end - low_end) / 500  # the handles never meet
        if what == "black":
            low = min(low, high - least)
        elif what == "white":
            high = max(high, low + least)
        self.window_chosen.emit(Window.from_range(low, high))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._grabbed = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move the window, with Shift they change its width."""
        direction = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if direction is None:
            super().keyPressEvent(event)
            return
        low, high = self._range()
        step = direction * _KEY_STEP * (high - low)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.window_chosen.emit(Window(self._window.level, max(self._window.width + 2 * step, abs(step))))
        else:
            self.window_chosen.emit(Window(self._window.level + step, self._window.width))

    def _what_is_at(self, x: float) -> str:
        """Either "black", "white" or "both"; where the handles lie together, the side of the press decides."""
        low, high = self.x_of(self._window.low), self.x_of(self._window.high)
        if min(abs(x - low), abs(x - high)) > _GRAB_PX:
            return "both"
        if high - low < 1:
            return "black" if x < low else "white"
        return "black" if abs(x - low) <= abs(x - high) else "white"


def bar_heights(histogram: Histogram) -> list[float]:
    """Heights from 0 to 1 on a square-root scale; a background that fills one bin does not flatten the rest."""
    counts = histogram.counts.astype(np.float64)
    occupied = np.sort(counts[counts > 0])
    if occupied.size == 0:
        return [0.0] * len(counts)
    tallest = occupied[-3] if occupied.size > 8 else occupied[-1]
    return [float(height) for height in np.minimum(np.sqrt(counts / tallest), 1.0)]
