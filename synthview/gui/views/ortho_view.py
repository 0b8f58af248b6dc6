"""The views together: axial, sagittal, coronal and 3D, linked, alone or with those of a second volume."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QCursor, QImage, QPainter
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from synthview.gui.labels import caption
from synthview.gui.state import Layout, Plane, ViewModel, ViewState
from synthview.gui.theme import SPACE, TOKENS
from synthview.gui.views.empty_state import EmptyState
from synthview.gui.views.scale_group import ScaleGroup
from synthview.gui.views.slice_view import SliceView
from synthview.volume.slicing import read_at

VOLUME_PANE = "3d"
BESIDE = " beside"  # ends the names of the second volume's panes
_NOTHING_BESIDE = "Nothing to compare with yet: File → Open beside…, or Generate → Reconstruct a real scan…"
_Cells = dict[str, tuple[int, int]]
_QUAD: _Cells = {Plane.AXIAL: (0, 0), Plane.SAGITTAL: (0, 1), Plane.CORONAL: (1, 0), VOLUME_PANE: (1, 1)}
_COMPARE: _Cells = {
    **{plane.value: (1, column) for column, plane in enumerate(Plane)},
    **{plane.value + BESIDE: (3, column) for column, plane in enumerate(Plane)},
}
_CAPTION_ROWS = (0, 2)
_ROW: _Cells = {Plane.AXIAL: (0, 0), Plane.SAGITTAL: (0, 1), Plane.CORONAL: (0, 2)}


class OrthoView(QWidget):
    """Three slice views and the 3D pane; what to drop here while there is no volume.

    Attributes:
        views: the slice views by plane.
        beside: the slice views of the volume beside, by plane.
        empty: what is shown without a volume; it offers to open one.

    Signals:
        hovered: a ``Reading`` of the original volume under the mouse, or None.
    """

    hovered = Signal(object)

    def __init__(
        self, model: ViewModel, volume_pane: QWidget, beside: ViewModel | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        scales = ScaleGroup()
        self.views = {plane: SliceView(model, plane, scales) for plane in Plane}
        second = beside or ViewModel(self)
        self.beside = {plane: SliceView(second, plane, scales) for plane in Plane}
        self._captions = [caption(), caption(_NOTHING_BESIDE)]
        self.empty = EmptyState()
        self._panes: dict[str, QWidget] = {plane.value: view for plane, view in self.views.items()}
        self._panes |= {plane.value + BESIDE: view for plane, view in self.beside.items()}
        self._panes[VOLUME_PANE] = volume_pane
        for label in self._captions:
            label.setContentsMargins(SPACE[2], SPACE[0], SPACE[2], 0)
        self._grid_page = QWidget()
        self._grid = QGridLayout(self._grid_page)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACE[0])
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self._grid_page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pages)
        self._layout_before_large = Layout.QUAD
        self._arrange()
        self._connect()
        self._on_volume_changed(model.volume)

    def _connect(self) -> None:
        for plane, view in self.views.items():
            view.hovered.connect(self._on_hovered)
            view.maximise_requested.connect(lambda plane=plane: self.toggle_large(plane.value))
        for plane, view in self.beside.items():
            view.hovered.connect(self._on_hovered)
            view.maximise_requested.connect(lambda plane=plane: self.toggle_large(plane.value + BESIDE))
        self._model.volume_changed.connect(self._on_volume_changed)
        self._model.state_changed.connect(self._on_state_changed)

    # -- what a person asks for --

    def active_pane(self) -> str | None:
        """The pane under the mouse, else the one with the keyboard focus: a plane, "3d", or None."""
        shown = {name: pane for name, pane in self._panes.items() if pane.isVisible()}
        for name, pane in shown.items():
            if pane.rect().contains(pane.mapFromGlobal(QCursor.pos())):
                return name
        for name, pane in shown.items():
            focus = pane.focusWidget() or pane
            if focus.hasFocus():
                return name
        return None

    def toggle_large(self, pane: str) -> None:
        """Show a pane alone, or all of them again as they were before."""
        if self._model.state.layout is Layout.LARGE:
            self._model.change(layout=self._layout_before_large)
        else:
            self._model.change(layout=Layout.LARGE, large=pane)

    def toggle_cine(self) -> None:
        """Play through the slices of the active view (the axial one where none is), or stop what plays."""
        playing = [view for view in self.views.values() if view.cine]
        for view in playing:
            view.set_cine(False)
        if not playing:
            shown = [plane.value for plane, view in self.views.items() if view.isVisible()]
            active = self.active_pane()
            chosen = active if active in shown else next(iter(shown), None)
            if chosen is not None:
                self.views[Plane(chosen)].set_cine(True)

    def name_compared(self, shown: str, beside: str) -> None:
        """Say above each row which volume it shows."""
        for label, text in zip(self._captions, (shown, beside or _NOTHING_BESIDE), strict=True):
            label.setText(text)

    def grab_image(self) -> QImage:
        """The views as they are on the screen, at the screen's own resolution."""
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(TOKENS.window)
        painter = QPainter(image)
        for pane in (*self._panes.values(), *self._captions):
            if pane.isVisible():
                painter.drawImage(pane.mapTo(self, QPoint(0, 0)), _grab(pane))
        painter.end()
        return image

    # -- following the model --

    def _on_volume_changed(self, _volume: object) -> None:
        self._pages.setCurrentWidget(self.empty if self._model.volume is None else self._grid_page)
        self.hovered.emit(None)

    def _on_state_changed(self, old: ViewState, new: ViewState) -> None:
        if (old.layout, old.large) != (new.layout, new.large):
            if old.layout is not Layout.LARGE:
                self._layout_before_large = old.layout
            self._arrange()

    def _on_hovered(self, mm: tuple[float, float, float] | None) -> None:
        volume = self._model.original
        self.hovered.emit(read_at(volume, mm) if volume is not None and mm is not None else None)

    def _arrange(self) -> None:
        """Put the panes where the layout wants them; the widgets stay the same."""
        cells = self._cells()
        for pane in (*self._panes.values(), *self._captions):
            self._grid.removeWidget(pane)
            pane.setParent(self._grid_page)  # keeps a pane that is in no cell; a no-op for the others
        for label, line in zip(self._captions, _CAPTION_ROWS, strict=True):
            label.setVisible(cells is _COMPARE)
            if cells is _COMPARE:
                self._grid.addWidget(label, line, 0, 1, len(Plane))
        for line in range(4):
            self._grid.setRowStretch(line, int(any(row == line for row, _ in cells.values())))
            self._grid.setColumnStretch(line, int(any(column == line for _, column in cells.values())))
        for name, pane in self._panes.items():
            if name in cells:
                self._grid.addWidget(pane, *cells[name])
            pane.setVisible(name in cells)

    def _cells(self) -> _Cells:
        state = self._model.state
        if state.layout is Layout.QUAD:
            return _QUAD
        fixed = {Layout.ROW: _ROW, Layout.COMPARE: _COMPARE}
        return fixed.get(state.layout, {state.large: (0, 0)})


def _grab(pane: QWidget) -> QImage:
    """The picture of a pane; a pane that is drawn by OpenGL may know better (``grab_image``)."""
    own = getattr(pane, "grab_image", None)
    image: QImage = own() if callable(own) else pane.grab().toImage()
    return image
