"""The stimuli in 3D, where a study allows it: over their slices, turned together."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QPushButton, QWidget

from synthview.gui.render3d.client import Frame
from synthview.gui.state import ViewModel
from synthview.gui.views.volume_view import VolumeView
from synthview.volume import Volume


class Solid(QObject):
    """One 3D view for each stimulus; the render processes start when 3D is asked for the first time.

    Args:
        places: the widgets that are covered.
    """

    def __init__(self, places: Sequence[QWidget], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places = tuple(places)
        self._views: list[VolumeView] = []
        self._models: list[ViewModel] = []
        self.shown = False

    @property
    def views(self) -> tuple[VolumeView, ...]:
        """The 3D views there are so far."""
        return tuple(self._views)

    def show_volumes(self, volumes: Sequence[Volume]) -> None:
        """Cover the slices with these volumes in 3D."""
        while len(self._views) < len(volumes):
            self._add(self._places[len(self._views)])
        for view, model, volume in zip(self._views, self._models, volumes, strict=False):
            if model.original is not volume:
                model.show(volume)
                view.reset_view()
            view.show()
            view.raise_()
        self.shown = True
        self.place()

    def hide(self) -> None:
        """Uncover the slices."""
        for view in self._views:
            view.hide()
        self.shown = False

    def place(self) -> None:
        """Cover the places where they are now."""
        for view, place in zip(self._views, self._places, strict=False):
            view.setGeometry(place.geometry())

    def close(self) -> None:
        """End the render processes."""
        for view in self._views:
            view.close()

    def _add(self, place: QWidget) -> None:
        model = ViewModel(self)
        view = VolumeView(model, place.parentWidget())
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys belong to the page
        for button in view.findChildren(QPushButton):
            button.hide()
        view.frame_shown.connect(lambda frame: self._turn_others(view, frame))
        self._models.append(model)
        self._views.append(view)

    def _turn_others(self, view: VolumeView, frame: Frame) -> None:
        if frame.view.camera == view.camera:
            for other in self._views:
                other.set_camera(view.camera)
