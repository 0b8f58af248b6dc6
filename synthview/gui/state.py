"""What the views show.  The views draw this state and never own any of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, Signal

from synthview.gui.label_overlay import LabelOverlay
from synthview.volume import Volume, Window
from synthview.volume.slicing import Plane

__all__ = ["Layout", "Plane", "ViewModel", "ViewState"]


class Layout(StrEnum):
    """How the four panes are arranged."""

    QUAD = "2 × 2"
    ROW = "three in a row"
    LARGE = "one large"
    COMPARE = "two volumes, one above the other"


_ANY_WINDOW = Window(0.5, 1.0)


@dataclass(frozen=True)
class ViewState:
    """How the volume is looked at.

    Attributes:
        crosshair_mm: RAS+ millimetres, shared by all views; always inside the volume.
        window: values drawn black and white.
        colormap: name of a colour map (``gui.colormaps``).
        inverted: black and white exchanged.
        radiological: patient's right drawn left (True) or right (neurological).
        show_crosshair: whether the crosshair lines are drawn.
        overlay_shown: whether labels or tissues are drawn in colour over the grey image.
        overlay_opacity: how much of the grey image they cover, 0 to 1.
        interpolated: smooth between voxels when zoomed (True), or show the voxels.
        zoom: factor on "the slice fits its pane".
        pan_mm: RAS+ millimetres by which the panes' centre is away from the volume's centre.
        layout: arrangement of the panes.
        large: the pane shown in ``Layout.LARGE``: a plane, or "3d".
    """

    crosshair_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    window: Window = _ANY_WINDOW
    colormap: str = "grey"
    inverted: bool = False
    radiological: bool = True
    show_crosshair: bool = True
    overlay_shown: bool = True
    overlay_opacity: float = 0.6
    interpolated: bool = True
    zoom: float = 1.0
    pan_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    layout: Layout = Layout.QUAD
    large: str = Plane.AXIAL.value


class ViewModel(QObject):
    """Holds the volume shown and how it is looked at; everyone changes both here and hears of it here.

    ``volume`` has its axes in RAS+ order (``Volume.to_ras``), so that axis 0 is left to right, 1 posterior to anterior,
    2 inferior to superior; ``original`` is the volume as it was given.
    """

    volume_changed = Signal(object)  # Volume in RAS+ order, or None
    state_changed = Signal(object, object)  # old and new ViewState
    overlay_changed = Signal(object)  # LabelOverlay or None

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._original: Volume | None = None
        self._volume: Volume | None = None
        self._state = ViewState()
        self._overlay: LabelOverlay | None = None

    @property
    def overlay(self) -> LabelOverlay | None:
        """Labels or tissues drawn over the volume; a tissue map's own are not among them."""
        return self._overlay

    @property
    def has_colors(self) -> bool:
        """Whether anything is there to be drawn in colour over the grey image."""
        return self._overlay is not None or (self._volume is not None and self._volume.voxels.ndim == 4)

    def set_overlay(self, overlay: LabelOverlay | None) -> None:
        """Lay labels or tissues over the volume, or take them away."""
        if overlay is not self._overlay:
            self._overlay = overlay
            self.overlay_changed.emit(overlay)

    @property
    def original(self) -> Volume | None:
        """The volume as it was given, in its own axis order."""
        return self._original

    @property
    def volume(self) -> Volume | None:
        """The volume with its axes in RAS+ order."""
        return self._volume

    @property
    def state(self) -> ViewState:
        """How it is looked at."""
        return self._state

    def show(self, volume: Volume, *, keep_view: bool = False) -> None:
        """Show another volume.

        Args:
            volume: in any axis order.
            keep_view: keep crosshair, zoom and pan, and the window where values mean the same (a moving slider, the
                next seed); otherwise the view starts in the middle of the volume with the volume's own window.
        """
        ras = volume.to_ras()
        if not keep_view:
            self.set_overlay(None)  # which belonged to the volume before
        before, state = self._volume, self._state
        self._original, self._volume = volume, ras
        if keep_view and before is not None:
            state = replace(state, crosshair_mm=_inside(ras, state.crosshair_mm))
            if (before.kind, before.unit) != (ras.kind, ras.unit):  # 0 to 1 became HU
                state = replace(state, window=volume.display_window)
        else:
            i, j, k = ((n - 1) // 2 for n in ras.shape)
            middle = ras.ijk_to_mm((i, j, k))
            state = replace(state, crosshair_mm=middle, zoom=1.0, pan_mm=(0.0, 0.0, 0.0), window=volume.display_window)
        self.volume_changed.emit(ras)
        self._set(state)

    def change(self, **changes: Any) -> None:
        """Change fields of the state; the crosshair is kept inside the volume."""
        if "crosshair_mm" in changes and self._volume is not None:
            changes["crosshair_mm"] = _inside(self._volume, changes["crosshair_mm"])
        self._set(replace(self._state, **changes))

    def crosshair_ijk(self) -> tuple[int, int, int]:
        """The voxel of ``volume`` under the crosshair, clamped to the volume; (0, 0, 0) where there is none."""
        if self._volume is None:
            return 0, 0, 0
        i, j, k = _clamped(self._volume, self._volume.mm_to_ijk(self._state.crosshair_mm))
        return round(i), round(j), round(k)

    def set_crosshair_ijk(self, ijk: tuple[float, float, float]) -> None:
        """Move the crosshair to a voxel of ``volume``."""
        if self._volume is not None:
            self.change(crosshair_mm=self._volume.ijk_to_mm(ijk))

    def _set(self, state: ViewState) -> None:
        if state != self._state:
            old, self._state = self._state, state
            self.state_changed.emit(old, state)


def _clamped(volume: Volume, ijk: tuple[float, float, float]) -> tuple[float, float, float]:
    i, j, k = (min(max(value, 0.0), n - 1.0) for value, n in zip(ijk, volume.shape, strict=True))
    return i, j, k


def _inside(volume: Volume, mm: tuple[float, float, float]) -> tuple[float, float, float]:
    return volume.ijk_to_mm(_clamped(volume, volume.mm_to_ijk(mm)))
