"""One slice view: the picture, and below it where in the volume it lies and a slider to move through it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.labels import caption
from synthview.gui.state import Layout, Plane, ViewModel, ViewState
from synthview.gui.theme import SPACE, TOKENS
from synthview.gui.views.scale_group import ScaleGroup
from synthview.gui.views.slice_canvas import SliceCanvas

CINE_PER_SECOND = 15
_LETTERS = {Plane.SAGITTAL: "LR", Plane.CORONAL: "PA", Plane.AXIAL: "IS"}  # below and above 0 mm


class SliceView(QWidget):
    """One plane of the model's volume.

    Attributes:
        plane: which plane.
        canvas: the picture itself; it has the keyboard focus.

    Signals:
        painted: after each paint of the picture.
        hovered: RAS+ mm under the mouse (perhaps outside the volume), or None when it leaves.
        maximise_requested: double click, or the button in the corner.
        cine_changed: whether the slices play by themselves.
    """

    painted = Signal()
    hovered = Signal(object)
    maximise_requested = Signal()
    cine_changed = Signal(bool)

    def __init__(
        self, model: ViewModel, plane: Plane, scales: ScaleGroup | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.plane = plane
        self._model = model
        self.canvas = SliceCanvas(model, plane, scales)
        self.setFocusProxy(self.canvas)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setProperty("plane", plane.value)
        self._slider.setAccessibleName(f"{plane.value.capitalize()} slice number")
        self._number = caption()
        self._place = caption()
        self._place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._maximise = QPushButton()
        self._maximise.setProperty("role", "tool")
        self._maximise.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._maximise.setCursor(Qt.CursorShape.ArrowCursor)
        self._cine = QTimer(self, interval=round(1000 / CINE_PER_SECOND))
        self._lay_out()
        self._connect()
        self._on_volume_changed(model.volume)

    @property
    def index(self) -> int:
        """The slice shown: voxel index of the RAS+ ordered volume."""
        return self.canvas.index

    @property
    def cine(self) -> bool:
        """Whether the slices play by themselves."""
        return self._cine.isActive()

    def set_cine(self, on: bool) -> None:
        """Play through the slices, over and over, or stop."""
        if on == self.cine or (on and self._model.volume is None):
            return
        if on:
            self._cine.start()
        else:
            self._cine.stop()
        self.cine_changed.emit(on)

    def _lay_out(self) -> None:
        corner = QVBoxLayout(self.canvas)
        corner.setContentsMargins(SPACE[0], SPACE[0], SPACE[0], SPACE[0])
        corner.addWidget(self._maximise, alignment=Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        footer = QHBoxLayout()
        footer.setContentsMargins(SPACE[1], 0, SPACE[1], 0)
        footer.setSpacing(SPACE[1])
        footer.addWidget(self._number)
        footer.addWidget(self._slider, stretch=1)
        footer.addWidget(self._place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, stretch=1)
        layout.addLayout(footer)

    def _connect(self) -> None:
        self.canvas.painted.connect(self.painted)
        self.canvas.hovered.connect(self.hovered)
        self.canvas.maximise_requested.connect(self.maximise_requested)
        self._maximise.clicked.connect(self.maximise_requested)
        self._slider.valueChanged.connect(self.canvas.gestures.go_to)
        self._cine.timeout.connect(self._on_cine)
        self._model.volume_changed.connect(self._on_volume_changed)
        self._model.state_changed.connect(self._on_state_changed)

    # -- following the model --

    def _on_volume_changed(self, _volume: object) -> None:
        volume = self._model.volume
        count = volume.shape[self.plane.through_axis] if volume is not None else 1
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, count - 1)
            self._slider.setPageStep(max(1, min(10, count // 4)))
        self._slider.setEnabled(count > 1)
        metrics = self._number.fontMetrics()
        self._number.setMinimumWidth(metrics.horizontalAdvance(f"{count} / {count}"))
        self._place.setMinimumWidth(metrics.horizontalAdvance("S 000.0 mm"))
        self._show_place()

    def _on_state_changed(self, old: ViewState, new: ViewState) -> None:
        if old.crosshair_mm != new.crosshair_mm:
            self._show_place()
        if (old.layout, old.large) != (new.layout, new.large):
            self._show_maximise_icon()

    def _show_place(self) -> None:
        volume = self._model.volume
        if volume is None:
            return
        index, axis = self.index, self.plane.through_axis
        with QSignalBlocker(self._slider):
            self._slider.setValue(index)
        self._number.setText(f"{index + 1} / {volume.shape[axis]}")
        mm = round(self._model.state.crosshair_mm[axis], 1)
        self._place.setText(f"{_LETTERS[self.plane][mm >= 0]} {abs(mm):.1f} mm")

    def _on_cine(self) -> None:
        volume = self._model.volume
        if volume is None:
            self.set_cine(False)
            return
        self.canvas.gestures.go_to((self.index + 1) % volume.shape[self.plane.through_axis])

    # -- the button in the corner --

    def _show_maximise_icon(self) -> None:
        state = self._model.state
        large = state.layout is Layout.LARGE and state.large == self.plane.value
        self._maximise.setIcon(icon("restore" if large else "maximise", TOKENS.text))
        words = "Show all views (F)" if large else "Show this view alone (F)"
        self._maximise.setToolTip(words)
        self._maximise.setAccessibleName(words)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the icon once the view is on the screen (the icon font is slow to load)."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._show_maximise_icon)

    def hideEvent(self, event: QHideEvent) -> None:
        """What can't be seen doesn't play."""
        self.set_cine(False)
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Other text sizes need other widths."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._on_volume_changed(self._model.volume)
