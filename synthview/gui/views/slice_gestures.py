"""What mouse and keys do in a slice view (the table a person sees is ``gui.actions.GESTURES``)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from synthview.gui.state import ViewState
from synthview.volume import Window

if TYPE_CHECKING:
    from synthview.gui.views.slice_canvas import SliceCanvas

ZOOM_LIMITS = (0.1, 40.0)
_ZOOM_PER_NOTCH = 1.2
_NOTCH = 120  # Qt's angle units in one notch of a wheel
_WINDOW_PX = 250  # a right drag this far across makes the window e times as wide, this far up raises it by its width
_KEY_STEPS = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
    Qt.Key.Key_Home: -(10**9),
    Qt.Key.Key_End: 10**9,
}


def dragged_window(window: Window, across_px: float, down_px: float) -> Window:
    """The window after a drag: to the right is wider, up is a higher level, both in proportion to the width."""
    width = window.width * math.exp(min(max(across_px / _WINDOW_PX, -20.0), 20.0))
    return Window(window.level - down_px / _WINDOW_PX * window.width, max(width, 1e-6))


@dataclass(frozen=True)
class _Drag:
    button: Qt.MouseButton
    start: QPointF
    state: ViewState


class SliceGestures:
    """Turns what the mouse and the keys do on one canvas into changes of the model."""

    def __init__(self, canvas: SliceCanvas) -> None:
        self._canvas = canvas
        self._drag: _Drag | None = None
        self._wheel_rest = 0

    def press(self, event: QMouseEvent) -> None:
        """Begin: left sets the crosshair, right windows, middle pans."""
        self._drag = _Drag(event.button(), event.position(), self._canvas.model.state)
        if event.button() is Qt.MouseButton.LeftButton:
            self._set_crosshair(event.position())

    def move(self, event: QMouseEvent) -> None:
        """Go on with the drag that is under way."""
        if self._drag is not None:
            if self._drag.button is Qt.MouseButton.LeftButton:
                self._set_crosshair(event.position())
            elif self._drag.button is Qt.MouseButton.RightButton:
                self._set_window(self._drag, event.position())
            elif self._drag.button is Qt.MouseButton.MiddleButton:
                self._pan(self._drag, event.position())
        self._canvas.hovered.emit(self._mm_at(event.position()))

    def release(self, event: QMouseEvent) -> None:
        """End the drag."""
        if self._drag is not None and event.button() is self._drag.button:
            self._drag = None

    def wheel(self, event: QWheelEvent) -> None:
        """One slice per notch; fine wheels and touch pads add up to notches.  With Ctrl, zoom."""
        angle = event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_about(event.position(), _ZOOM_PER_NOTCH ** (angle / _NOTCH))
        else:
            self._wheel_rest += angle
            steps = int(self._wheel_rest / _NOTCH)
            self._wheel_rest -= steps * _NOTCH
            self.step(steps)
            self._canvas.hovered.emit(self._mm_at(event.position()))
        event.accept()

    def key(self, event: QKeyEvent) -> bool:
        """Step through the slices; False if the key has no meaning here."""
        steps = _KEY_STEPS.get(Qt.Key(event.key()))
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        if steps is None or not plain:
            return False
        self.step(steps)
        return True

    def step(self, steps: int) -> None:
        """Move by so many slices; the first and the last slice stop it."""
        projection = self._canvas.projection()
        if projection is None or steps == 0:
            return
        geometry, index = projection.geometry, self._canvas.index
        self.go_to(min(max(index + steps, 0), geometry.count - 1))

    def go_to(self, index: int) -> None:
        """Show the slice ``index``; the crosshair moves with it and keeps its place in the other directions."""
        projection, volume = self._canvas.projection(), self._canvas.model.volume
        if projection is None or volume is None:
            return
        ijk = list(volume.mm_to_ijk(self._canvas.model.state.crosshair_mm))
        ijk[projection.geometry.axes[2]] = index
        self._canvas.model.set_crosshair_ijk((ijk[0], ijk[1], ijk[2]))

    def _set_crosshair(self, position: QPointF) -> None:
        """Onto the voxel under the mouse; outside the slice, onto the nearest one."""
        projection, model = self._canvas.projection(), self._canvas.model
        if projection is None or model.volume is None:
            return
        i, j, k = (
            min(max(round(index), 0), n - 1)
            for index, n in zip(projection.to_ijk(position, self._canvas.index), model.volume.shape, strict=True)
        )
        model.set_crosshair_ijk((i, j, k))

    def _set_window(self, drag: _Drag, position: QPointF) -> None:
        moved = position - drag.start
        self._canvas.model.change(window=dragged_window(drag.state.window, moved.x(), moved.y()))

    def _pan(self, drag: _Drag, position: QPointF) -> None:
        away = self._mm_between(position, drag.start)
        self._canvas.model.change(pan_mm=_sum(drag.state.pan_mm, away, 1.0))

    def _zoom_about(self, position: QPointF, factor: float) -> None:
        """Zoom so that what is under the mouse stays there."""
        canvas = self._canvas
        state = canvas.model.state
        zoom = min(max(state.zoom * factor, ZOOM_LIMITS[0]), ZOOM_LIMITS[1])
        from_middle = self._mm_between(QPointF(canvas.width() / 2, canvas.height() / 2), position)
        canvas.model.change(zoom=zoom, pan_mm=_sum(state.pan_mm, from_middle, 1 - state.zoom / zoom))

    def _mm_between(self, start: QPointF, end: QPointF) -> tuple[float, float, float]:
        """The way from one point of the pane to another, in RAS+ millimetres."""
        projection, volume = self._canvas.projection(), self._canvas.model.volume
        if projection is None or volume is None:
            return 0.0, 0.0, 0.0
        return _sum(
            volume.ijk_to_mm(projection.to_ijk(end, 0.0)), volume.ijk_to_mm(projection.to_ijk(start, 0.0)), -1.0
        )

    def _mm_at(self, position: QPointF) -> tuple[float, float, float] | None:
        projection, volume = self._canvas.projection(), self._canvas.model.volume
        if projection is None or volume is None:
            return None
        return volume.ijk_to_mm(projection.to_ijk(position, self._canvas.index))


def _sum(a: tuple[float, float, float], b: tuple[float, float, float], times: float) -> tuple[float, float, float]:
    """A + times * b."""
    x, y, z = (p + times * q for p, q in zip(a, b, strict=True))
    return x, y, z
