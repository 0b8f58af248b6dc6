"""The one or two stimuli of a trial: same size to the pixel, same slice, same window, shown at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from synthview.gui.reading.solid import Solid
from synthview.gui.state import Plane, ViewModel, ViewState
from synthview.gui.theme import SPACE, TOKENS
from synthview.gui.views.slice_canvas import SliceCanvas
from synthview.study.protocol_screen import Tools
from synthview.volume import Volume, Window

FADE_MS = 60
_SHARED = ("crosshair_mm", "window", "zoom", "pan_mm", "show_crosshair")


class ReadingCanvas(SliceCanvas):
    """A slice of one stimulus; what the study doesn't allow does nothing.

    Attributes:
        tools: what the reader may do.
        scrollable: whether other slices may be looked at.
        opacity: 0 is black, 1 is fully there.
        chosen: whether the ring of the choice is drawn.
    """

    def __init__(self, model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(model, Plane.AXIAL, parent=parent)
        self.tools, self.scrollable = Tools(), True
        self.opacity, self.chosen = 0.0, False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Stimulus")

    def set_plane(self, plane: Plane) -> None:
        """Look at another plane."""
        if plane is not self.plane:
            self.plane = plane
            self._picture = self._backdrop = self._scene = None
            self.update()

    def set_chosen(self, chosen: bool) -> None:
        """Draw the ring, or take it away."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slice, as far as it has faded in, and the ring around the chosen one."""
        if self.opacity > 0:
            super().paintEvent(event)
        painter = QPainter(self)
        if self.opacity < 1:
            black = QColor(TOKENS.canvas)
            black.setAlphaF(1 - self.opacity)
            painter.fillRect(self.rect(), black)
        if self.chosen:
            painter.setPen(QPen(QColor(TOKENS.accent), 3))
            painter.drawRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left: crosshair in both; right: window; middle: pan."""
        button = event.button()
        if button is Qt.MouseButton.LeftButton and self.scrollable:
            self.model.change(show_crosshair=True)
            super().mousePressEvent(event)
        elif (button is Qt.MouseButton.RightButton and self.tools.window) or (
            button is Qt.MouseButton.MiddleButton and self.tools.zoom
        ):
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The crosshair is there while the button is held."""
        super().mouseReleaseEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            self.model.change(show_crosshair=False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click is a click."""
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Slices, or with Ctrl the zoom."""
        zooms = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if self.tools.zoom if zooms else self.scrollable:
            super().wheelEvent(event)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys belong to the page."""
        event.ignore()


class Panels(QWidget):
    """One or two canvases side by side, linked.

    Attributes:
        canvases: both; of a single stimulus the first is shown.
        models: what they show.

    Signals:
        first_painted: every stimulus of the trial is on the screen for the first time.
        state_changed: old and new ``ViewState`` of what is shown.
        plane_changed: the plane shown.
    """

    first_painted = Signal()
    state_changed = Signal(object, object)
    plane_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = (ViewModel(self), ViewModel(self))
        self.canvases = tuple(ReadingCanvas(model, self) for model in self.models)
        self.solid = Solid(self.canvases, self)
        self._count = 2
        self._waiting_for: set[int] = set()
        self._own_window: Window | None = None
        self._fade = QVariantAnimation(self, duration=FADE_MS, startValue=0.2, endValue=1.0)
        self._fade.valueChanged.connect(self._set_opacity)
        for number, (model, canvas) in enumerate(zip(self.models, self.canvases, strict=True)):
            model.state_changed.connect(lambda old, new, n=number: self._on_state_changed(n, old, new))
            canvas.painted.connect(lambda n=number: self._on_painted(n))
        self.blank()

    @property
    def shown(self) -> tuple[ReadingCanvas, ...]:
        """The canvases that hold a stimulus."""
        return self.canvases[: self._count]

    @property
    def plane(self) -> Plane:
        """The plane shown."""
        return self.canvases[0].plane

    def present(self, volumes: Sequence[Volume], plane: Plane, position: float, tools: Tools, scrollable: bool) -> None:
        """Fade in the stimuli of a trial, together.

        Args:
            volumes: one, or left and right, harmonised to one grid.
            plane: at first.
            position: of the slice, 0 (left, posterior, inferior end) to 1.
            tools: what the reader may do.
            scrollable: whether other slices may be looked at.
        """
        self._count = len(volumes)
        self.solid.hide()
        self._own_window = volumes[0].display_window
        for canvas, model, volume in zip(self.canvases, self.models, volumes, strict=False):
            canvas.tools, canvas.scrollable, canvas.opacity = tools, scrollable, 0.0
            canvas.set_plane(plane)
            canvas.set_chosen(False)
            model.change(show_crosshair=False, interpolated=True)
            model.show(volume)
            ijk = [(n - 1) // 2 for n in volume.shape]
            ijk[plane.through_axis] = round(position * (volume.shape[plane.through_axis] - 1))
            model.set_crosshair_ijk((ijk[0], ijk[1], ijk[2]))
            model.change(window=self._own_window)
        self._place()
        self._waiting_for = set(range(self._count))
        self._fade.start()

    def blank(self) -> None:
        """Show nothing."""
        self._fade.stop()
        self.solid.hide()
        self._waiting_for = set()
        self._set_opacity(0.0)
        for canvas in self.canvases:
            canvas.set_chosen(False)

    # -- what the keys do --

    def step(self, slices: int) -> None:
        """Move by so many slices, in both."""
        if self.canvases[0].scrollable:
            self.canvases[0].gestures.step(slices)

    def set_plane(self, plane: Plane) -> None:
        """Look at another plane, in both."""
        if plane is not self.plane:
            for canvas in self.canvases:
                canvas.set_plane(plane)
            self.plane_changed.emit(plane)

    def set_window(self, window: Window) -> None:
        """Change the window, in both."""
        self.models[0].change(window=window)

    def preset(self, low: float, high: float) -> None:
        """Set black and white between the stimuli's own black (0) and white (1)."""
        if (own := self._own_window) is not None:
            self.set_window(Window.from_range(own.low + low * own.width, own.low + high * own.width))

    def zoom(self, factor: float | None) -> None:
        """Zoom by a factor; None to fit again."""
        model = self.models[0]
        if factor is None:
            model.change(zoom=1.0, pan_mm=(0.0, 0.0, 0.0))
        else:
            model.change(zoom=min(max(model.state.zoom * factor, 0.5), 12.0))

    def switch_3d(self) -> bool:
        """Show the stimuli in 3D, or their slices again; returns whether it is 3D now."""
        volumes = [model.original for model in self.models[: self._count]]
        if self.solid.shown or not all(volumes):
            self.solid.hide()
        else:
            self.solid.show_volumes([volume for volume in volumes if volume is not None])
        return self.solid.shown

    def choose(self, index: int | None) -> None:
        """Draw the ring around the first or second stimulus; None for neither."""
        for number, canvas in enumerate(self.canvases):
            canvas.set_chosen(number == index and self._count == 2)

    # -- linking --

    def _on_state_changed(self, number: int, old: ViewState, new: ViewState) -> None:
        changed = {name: getattr(new, name) for name in _SHARED if getattr(old, name) != getattr(new, name)}
        if number < self._count == 2 and changed and self.models[1 - number].volume is not None:
            self.models[1 - number].change(**changed)
        if number == 0:
            self.state_changed.emit(old, new)

    def _on_painted(self, number: int) -> None:
        if number in self._waiting_for and self.canvases[number].opacity > 0:
            self._waiting_for.discard(number)
            if not self._waiting_for:
                self.first_painted.emit()

    def _set_opacity(self, opacity: float) -> None:
        for canvas in self.canvases:
            canvas.opacity = float(opacity)
            canvas.update()

    # -- place --

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep both panels of one size, to the pixel."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        gap = SPACE[4]
        if self._count == 2:
            width = (self.width() - gap) // 2
            self.canvases[0].setGeometry(0, 0, width, self.height())
            self.canvases[1].setGeometry(self.width() - width, 0, width, self.height())
        else:
            width = min(self.width(), round(self.height() * 1.4))
            self.canvases[0].setGeometry((self.width() - width) // 2, 0, width, self.height())
        for number, canvas in enumerate(self.canvases):
            canvas.setVisible(number < self._count)
        self.solid.place()

    def close_panels(self) -> None:
        """Stop fading; the window is closing."""
        with suppress(RuntimeError):
            self._fade.stop()
        self.solid.close()
