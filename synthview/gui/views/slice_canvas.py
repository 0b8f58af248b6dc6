"""Paints one slice with what belongs over it, and nothing that hasn't changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from synthview.gui.state import Plane, ViewModel, ViewState
from synthview.gui.theme import TOKENS
from synthview.gui.views import overlay
from synthview.gui.views.projection import Projection, fit_scale, project
from synthview.gui.views.scale_group import ScaleGroup
from synthview.gui.views.slice_gestures import SliceGestures
from synthview.gui.views.slice_picture import slice_picture
from synthview.volume import Window
from synthview.volume.slicing import slice_geometry

_SMALL_PX = 120  # panes smaller than this have no room for a scale bar


@dataclass(frozen=True)
class _PictureKey:
    """What the pixels of a slice depend on."""

    volume_number: int
    index: int
    window: Window
    colormap: str
    inverted: bool
    radiological: bool
    overlay_number: int
    overlay_opacity: float


@dataclass(frozen=True)
class _Scene:
    """What the pane depends on; the same scene is never drawn twice in a row without need."""

    picture: _PictureKey
    projection: Projection
    smooth: bool
    crosshair: QPointF | None


class SliceCanvas(QWidget):
    """The picture of one plane; mouse and keys are handled by its ``SliceGestures``.

    Attributes:
        gestures: what mouse and keys do; also steps through the slices.

    Signals:
        painted: after each paint.
        hovered: RAS+ mm under the mouse, or None when it leaves the volume.
        maximise_requested: it was double-clicked.
    """

    painted = Signal()
    hovered = Signal(object)
    maximise_requested = Signal()

    def __init__(
        self, model: ViewModel, plane: Plane, scales: ScaleGroup | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.plane = plane
        self.model = model
        self._scales = scales or ScaleGroup()
        self._scales.add(self, self._fit)
        self._volume_number = 0
        self._overlay_number = 0
        self._scene: _Scene | None = None
        self._picture: tuple[_PictureKey, QImage] | None = None
        self._backdrop: tuple[tuple[Any, ...], QPixmap] | None = None
        self.gestures = SliceGestures(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMinimumSize(80, 80)
        self.setAccessibleName(f"{plane.value.capitalize()} slice")
        model.volume_changed.connect(self._on_volume_changed)
        model.state_changed.connect(self._on_state_changed)
        model.overlay_changed.connect(self._on_overlay_changed)

    @property
    def index(self) -> int:
        """The slice shown: voxel index along the axis through the slices."""
        return self.model.crosshair_ijk()[self.plane.through_axis]

    def projection(self) -> Projection | None:
        """Where the slice lies in this pane; None without a volume."""
        volume, state = self.model.volume, self.model.state
        if volume is None:
            return None
        geometry = slice_geometry(volume, self.plane, radiological=state.radiological)
        pane = QSizeF(self.size())
        return project(volume, geometry, pane, state.zoom, state.pan_mm, self._scales.scale(fit_scale(geometry, pane)))

    def _fit(self) -> float | None:
        """Logical pixels per mm at which this slice alone would fit."""
        volume = self.model.volume
        return None if volume is None else fit_scale(slice_geometry(volume, self.plane), QSizeF(self.size()))

    def sizeHint(self) -> QSize:
        """Large enough to be of use alone."""
        return QSize(400, 400)

    # -- when to draw --

    def _on_volume_changed(self, _volume: object) -> None:
        self._volume_number += 1
        self._scene = None
        self._scales.changed()

    def _on_overlay_changed(self, _overlay: object) -> None:
        self._overlay_number += 1
        self._scene = None
        self.update()

    def _on_state_changed(self, _old: ViewState, _new: ViewState) -> None:
        scene = self._current_scene()
        if scene != self._scene:
            self._scene = scene
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The slice fits another size now."""
        self._scene = None
        super().resizeEvent(event)
        self._scales.changed()

    def showEvent(self, event: QShowEvent) -> None:
        """The others make room for this one."""
        super().showEvent(event)
        self._scales.changed()

    def hideEvent(self, event: QHideEvent) -> None:
        """The others have the room of this one."""
        super().hideEvent(event)
        self._scales.changed()

    def _current_scene(self) -> _Scene | None:
        projection, state = self.projection(), self.model.state
        if projection is None:
            return None
        key = _PictureKey(
            self._volume_number,
            self.index,
            state.window,
            state.colormap,
            state.inverted,
            state.radiological,
            self._overlay_number,
            state.overlay_opacity if state.overlay_shown and self.model.has_colors else 0.0,
        )
        crosshair = projection.to_pane(self._crosshair_ijk()) if state.show_crosshair else None
        return _Scene(key, projection, state.interpolated, crosshair)

    def _crosshair_ijk(self) -> tuple[float, float, float]:
        volume = self.model.volume
        return volume.mm_to_ijk(self.model.state.crosshair_mm) if volume is not None else (0.0, 0.0, 0.0)

    # -- drawing --

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the slice from the cached picture where it still holds, then what belongs over it."""
        scene = self._scene = self._current_scene()
        pane = QRectF(self.rect())
        painter = QPainter(self)
        if scene is None:
            painter.fillRect(pane, TOKENS.canvas)
        else:
            painter.drawPixmap(0, 0, self._drawn(scene))
            painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
            if scene.crosshair is not None:
                overlay.draw_crosshair(painter, pane, scene.crosshair, self.plane)
        if self.hasFocus():
            overlay.draw_focus(painter, pane)
        painter.end()
        self.painted.emit()

    def _drawn(self, scene: _Scene) -> QPixmap:
        """The scene without its crosshair, at the screen's own resolution."""
        ratio = self.devicePixelRatioF()
        key = (scene.picture, scene.projection, scene.smooth, self.size().toTuple(), ratio)
        if self._backdrop is None or self._backdrop[0] != key:
            self._backdrop = key, self._draw_backdrop(scene, ratio)
        return self._backdrop[1]

    def _draw_backdrop(self, scene: _Scene, ratio: float) -> QPixmap:
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(TOKENS.canvas)
        pane, projection = QRectF(self.rect()), scene.projection
        painter = QPainter(pixmap)
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scene.smooth)
        painter.drawImage(projection.rect, self._picture_of(scene.picture, projection))
        overlay.draw_letters(painter, pane, projection.geometry.edge_letters)
        overlay.draw_name(painter, pane, self.plane)
        if min(pane.width(), pane.height()) > _SMALL_PX:
            overlay.draw_scale_bar(painter, pane, projection)
        painter.end()
        return pixmap

    def _picture_of(self, key: _PictureKey, projection: Projection) -> QImage:
        if self._picture is None or self._picture[0] != key:
            volume = self.model.volume
            assert volume is not None  # there is no scene without a volume
            image = slice_picture(
                volume,
                projection.geometry,
                key.index,
                key.window,
                key.colormap,
                inverted=key.inverted,
                overlay=self.model.overlay,
                opacity=key.overlay_opacity,
            )
            self._picture = key, image
        return self._picture[1]

    # -- mouse and keys --

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture."""
        self.gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a gesture, or say what is under the mouse."""
        self.gestures.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        self.gestures.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Maximise or restore."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.maximise_requested.emit()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        self.hovered.emit(None)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Slice forward or back; with Ctrl, zoom about the mouse."""
        self.gestures.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Slice forward or back."""
        if not self.gestures.key(event):
            super().keyPressEvent(event)
