"""The 3D pane: shows the newest picture of the render process and turns gestures into new requests.

1. A gesture, a setting or another volume: a quick picture is asked for, and the settle timer starts.
2. The picture arrives and is painted; if nothing has moved since, a full one is asked for.
3. Whatever moves before that one is ready makes the process give it up, and 1 begins again.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QFont,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.render3d.camera import Camera
from synthview.gui.render3d.client import Failure, Frame, RenderClient, View
from synthview.gui.render3d.failure_note import FailureNote
from synthview.gui.render3d.gestures import after_drag, after_key, after_wheel
from synthview.gui.render3d.marker import draw_marker
from synthview.gui.render3d.settings import RenderSettings, VolumeFacts, still_fits, with_clipping
from synthview.gui.state import Layout, ViewModel, ViewState
from synthview.gui.theme import SPACE, TOKENS, plane_color
from synthview.volume import Volume

PANE = "3d"
_SETTLE_MS = 150  # nothing has moved for so long: the full picture is worth its time


class VolumeView(QWidget):
    """The model's volume in 3D.

    Attributes:
        client: the window's end of the render process; it starts with the first picture.

    Signals:
        painted: after each paint.
        settings_changed: the new ``RenderSettings``.
        facts_changed: ``VolumeFacts`` of the volume, once known.
        frame_shown: the ``Frame`` now on the screen.
        failed: a ``Failure``; the pane says the same.
    """

    painted = Signal()
    settings_changed = Signal(object)
    facts_changed = Signal(object)
    frame_shown = Signal(object)
    failed = Signal(object)

    def __init__(self, model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._settings = RenderSettings()
        self._facts: VolumeFacts | None = None
        self._camera = Camera()
        self._frame: tuple[Frame, QImage] | None = None
        self._asked: View | None = None
        self._ever_painted = False
        self._drag_from: QPointF | None = None
        self._layout_before = Layout.QUAD
        self.client = RenderClient(parent=self)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._note = FailureNote(self)
        self._buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._connect()
        self._on_volume_changed(model.volume)

    def _lay_out(self) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMinimumSize(80, 80)
        self.setAccessibleName("3D view")
        self._note.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE[0])
        row.addStretch(1)
        for name, words in (
            ("reset", "Reset the 3D view"),
            ("clip", "Cut the volume open (clipping box)"),
            ("maximise", "Show this view alone (F)"),
        ):
            button = QPushButton()
            button.setProperty("role", "tool")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setCursor(Qt.CursorShape.ArrowCursor)
            button.setToolTip(words)
            button.setAccessibleName(words)
            self._buttons[name] = button
            row.addWidget(button)
        self._buttons["clip"].setCheckable(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[0], SPACE[0], SPACE[0], SPACE[0])
        column.addLayout(row)
        column.addWidget(self._note, stretch=1)
        column.addStretch(0)
        column.setAlignment(row, Qt.AlignmentFlag.AlignTop)

    def _connect(self) -> None:
        self._settle.timeout.connect(self._on_settled)
        self.client.frame_ready.connect(self._on_frame)
        self.client.described.connect(self._on_described)
        self.client.failed.connect(self._on_failed)
        self._note.retry_requested.connect(self.retry)
        self._buttons["reset"].clicked.connect(self.reset_view)
        self._buttons["clip"].clicked.connect(lambda on: self.set_settings(with_clipping(self._settings, on)))
        self._buttons["maximise"].clicked.connect(self.toggle_large)
        self._model.volume_changed.connect(self._on_volume_changed)
        self._model.state_changed.connect(self._on_state_changed)

    # -- what it shows --

    @property
    def settings(self) -> RenderSettings:
        """How the volume is drawn."""
        return self._settings

    @property
    def facts(self) -> VolumeFacts | None:
        """About the values of the volume; None until the volume has been looked at."""
        return self._facts

    @property
    def camera(self) -> Camera:
        """Where the picture is looked at from."""
        return self._camera

    @property
    def frame(self) -> Frame | None:
        """The picture on the screen."""
        return self._frame[0] if self._frame is not None else None

    @property
    def failure_text(self) -> str:
        """What the pane says instead of a picture; empty while there is no failure."""
        return "" if self._note.isHidden() else self._note.text

    @property
    def settled(self) -> bool:
        """Whether the full picture of what is wanted is on the screen."""
        frame = self.frame
        return frame is not None and frame.view is self._asked and not frame.view.moving

    def set_settings(self, settings: RenderSettings) -> None:
        """Draw the volume in another way."""
        if settings != self._settings:
            self._settings = settings
            self._buttons["clip"].setChecked(settings.clipped)
            self.settings_changed.emit(settings)
            self._ask_quickly()

    def set_camera(self, camera: Camera) -> None:
        """Look from somewhere else."""
        if camera != self._camera:
            self._camera = camera
            self._ask_quickly()

    def reset_view(self) -> None:
        """Look from where one looks at first."""
        self.set_camera(Camera())

    def view_from(self, side: str) -> None:
        """Look straight from "A", "P", "L", "R", "S" or "I"."""
        self.set_camera(self._camera.seen_from(side))

    def toggle_large(self) -> None:
        """Show this pane alone, or all panes again as they were before."""
        if self._is_large():
            self._model.change(layout=self._layout_before)
        else:
            self._model.change(layout=Layout.LARGE, large=PANE)

    def retry(self) -> None:
        """After a failure: start again."""
        self._note.hide()
        self.client.retry()
        self._ask_quickly()

    def grab_image(self) -> QImage:
        """The pane as it is on the screen, less its buttons, at the screen's own resolution."""
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._paint(painter)
        painter.end()
        return image

    # -- asking for pictures --

    def _ask_quickly(self) -> None:
        self._settle.start()
        self._ask(moving=True)

    def _ask(self, *, moving: bool) -> None:
        if self._model.volume is None or not self.isVisible() or not self._ever_painted:
            return
        ratio = self.devicePixelRatioF()
        size = max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)
        self._asked = View(size, self._camera, self._settings, moving)
        self.client.request(self._asked)

    def _on_settled(self) -> None:
        if self._frame is not None:
            self._ask_fully_after(self._frame[0])

    def _ask_fully_after(self, frame: Frame) -> None:
        """Ask for the full picture if the quick one on the screen is the last that was wanted."""
        if frame.view is self._asked and frame.view.moving and not self._settle.isActive():
            self._ask(moving=False)

    def _on_frame(self, frame: Frame) -> None:
        if self._model.volume is None:
            return
        height, width, _ = frame.pixels.shape
        image = QImage(frame.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._frame = frame, image  # the image looks into the frame's pixels: they are kept together
        self.update()
        self.frame_shown.emit(frame)
        self._ask_fully_after(frame)

    def _on_described(self, facts: VolumeFacts) -> None:
        before, self._facts = self._facts, facts
        if not still_fits(self._settings, before, facts):
            self.set_settings(replace(self._settings, threshold=None))
        self.facts_changed.emit(facts)

    def _on_failed(self, failure: Failure) -> None:
        self._frame = None
        self._note.say(failure)
        self.update()
        self.failed.emit(failure)

    # -- following the model --

    def _on_volume_changed(self, volume: Volume | None) -> None:
        self.client.set_volume(volume)
        if volume is None:
            self._frame = None
            self.update()
        self._ask_quickly()

    def _on_state_changed(self, old: ViewState, new: ViewState) -> None:
        if old.layout is not Layout.LARGE:
            self._layout_before = old.layout
        if (old.layout, old.large) != (new.layout, new.large):
            self._draw_icons()

    def _is_large(self) -> bool:
        state = self._model.state
        return state.layout is Layout.LARGE and state.large == PANE

    # -- Qt's events --

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the newest picture and what belongs over it."""
        painter = QPainter(self)
        self._paint(painter)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(QColor(TOKENS.accent), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()
        if not self._ever_painted:
            self._ever_painted = True
            QTimer.singleShot(0, self, self._ask_quickly)
        self.painted.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the picture up to date; the icons come once the view is on the screen (their font is slow to load)."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._draw_icons)
        self._ask_quickly()

    def hideEvent(self, event: QHideEvent) -> None:
        """What can't be seen isn't drawn."""
        self._settle.stop()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw at the new size."""
        super().resizeEvent(event)
        self._ask_quickly()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the render process."""
        self._settle.stop()
        self.client.close()
        super().closeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the volume."""
        self._drag_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Left: rotate.  Middle, or Shift and left: move.  Right: zoom."""
        if self._drag_from is not None:
            moved, self._drag_from = event.position() - self._drag_from, event.position()
            self.set_camera(after_drag(self._camera, moved, self.height(), event.buttons(), event.modifiers()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Left: show this view alone, or all of them again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.toggle_large()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self.set_camera(after_wheel(self._camera, event.angleDelta().y()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows rotate, + and - zoom."""
        camera = after_key(self._camera, Qt.Key(event.key()))
        if camera is None:
            super().keyPressEvent(event)
        else:
            self.set_camera(camera)

    # -- painting --

    def _paint(self, painter: QPainter) -> None:
        pane = QRectF(self.rect())
        painter.fillRect(pane, QColor(TOKENS.canvas))
        if self._frame is not None:
            frame, image = self._frame
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(_fitted(pane, frame), image)
            draw_marker(painter, pane, frame.view.camera)
        elif self._model.volume is not None and self._note.isHidden():
            self._write(painter, pane, Qt.AlignmentFlag.AlignCenter, "Rendering…", TOKENS.text_dim, bold=False)
        name = pane.adjusted(SPACE[2], SPACE[1], -SPACE[2], -SPACE[1])
        corner = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        self._write(painter, name, corner, "3D", plane_color(PANE), bold=True)

    def _write(
        self, painter: QPainter, box: QRectF, where: Qt.AlignmentFlag, text: str, color: str, *, bold: bool
    ) -> None:
        font = QFont(self.font())
        font.setPointSizeF(10)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(box, where, text)

    def _draw_icons(self) -> None:
        large = self._is_large()
        for name, button in self._buttons.items():
            button.setIcon(icon("restore" if name == "maximise" and large else name))
        self._buttons["maximise"].setToolTip("Show all views (F)" if large else "Show this view alone (F)")


def _fitted(pane: QRectF, frame: Frame) -> QRectF:
    """Where the picture goes: over the whole pane, or centred at its height while the pane is being resized."""
    width, height = frame.view.size
    box = QRectF(0, 0, pane.height() * width / height, pane.height())
    box.moveCenter(pane.center())
    return box
