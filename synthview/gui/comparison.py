"""A second volume beside the one shown, looked at in the same way: one crosshair in mm, one zoom, one window."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from synthview.gui.state import Layout, ViewModel, ViewState
from synthview.volume import Volume

_SHARED = (
    "crosshair_mm", "window", "colormap", "inverted", "radiological", "show_crosshair", "overlay_shown",
    "overlay_opacity", "interpolated", "zoom", "pan_mm",
)  # fmt: skip


class Comparison(QObject):
    """Holds the volume beside and keeps both models at the same place.

    Attributes:
        beside: the model of the volume beside.

    Signals:
        changed: what the two volumes are called, the one shown and the one beside; empty for none.
    """

    changed = Signal(str, str)

    def __init__(self, model: ViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.beside = ViewModel(self)
        self._linking = False
        model.state_changed.connect(lambda old, new: self._follow(self.beside, old, new))
        self.beside.state_changed.connect(lambda old, new: self._follow(model, old, new))
        model.volume_changed.connect(self._on_volume_changed)

    def show(self, volume: Volume) -> None:
        """Put a volume beside the one shown, at the same place; the layout becomes that of a comparison.

        Volumes of another kind or unit keep a window of their own.
        """
        self._linking = True
        self.beside.show(volume)
        self._linking = False
        self._take_over()
        self._model.change(layout=Layout.COMPARE)
        self._say()

    def swap(self) -> None:
        """Exchange the two volumes; the one shown is what is saved and rendered."""
        shown, beside = self._model.original, self.beside.original
        if shown is None or beside is None:
            return
        state = self._model.state
        self._linking = True
        self._model.show(beside, keep_view=True)
        self.beside.show(shown, keep_view=True)
        self._linking = False
        self._model.change(window=self.beside.state.window if self._same_unit() else beside.display_window)
        if not self._same_unit():
            self.beside.change(window=state.window)
        self._say()

    def _take_over(self) -> None:
        """Look at the volume beside as at the one shown."""
        state = self._model.state
        shared = {name: getattr(state, name) for name in _SHARED if name != "window" or self._same_unit()}
        self._linking = True
        self.beside.change(**shared)
        self._linking = False

    def _follow(self, other: ViewModel, old: ViewState, new: ViewState) -> None:
        if self._linking or other.volume is None:
            return
        changes = {name: getattr(new, name) for name in _SHARED if getattr(old, name) != getattr(new, name)}
        if not self._same_unit():
            changes.pop("window", None)
        self._linking = True
        other.change(**changes)
        self._linking = False

    def _same_unit(self) -> bool:
        """Whether values of the two volumes mean the same, so that one window fits both."""
        shown, beside = self._model.original, self.beside.original
        if shown is None or beside is None or shown.voxels.ndim != beside.voxels.ndim:
            return False
        related = any(v.provenance is not None and v.provenance.reconstructed for v in (shown, beside))
        return shown.unit == beside.unit and (related or bool(shown.unit) or shown.voxels.ndim == 4)

    def _on_volume_changed(self, _volume: object) -> None:
        self._say()

    def _say(self) -> None:
        shown, beside = self._model.original, self.beside.original
        self.changed.emit(shown.name if shown is not None else "", beside.name if beside is not None else "")
