"""What the reader does with a trial, noted in the session: slices, window, zoom, plane, focus."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from synthview.gui.reading.panels import Panels
from synthview.gui.state import ViewState

_SETTLED_MS = 150  # a window or zoom that changes all the time is noted when it comes to rest


class ActivityLog(QObject):
    """Notes changes of the panels; every slice at once, so that dwell times follow from the notes' times.

    Args:
        panels: what is looked at.
        note: ``ReadingSession.log``: a kind and its details.
    """

    def __init__(self, panels: Panels, note: Callable[..., None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._note = panels, note
        self._slice: tuple[str, int] | None = None
        self._settling = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settling.timeout.connect(self.flush)
        self._window_due = self._zoom_due = False
        panels.state_changed.connect(self._on_state_changed)
        panels.plane_changed.connect(lambda _plane: self._note_slice())

    def begin(self) -> None:
        """The trial is on the screen: note where it starts."""
        self._settling.stop()
        self._window_due = self._zoom_due = False
        self._slice = None
        self._note_slice()

    def flush(self) -> None:
        """Note what has not come to rest yet."""
        self._settling.stop()
        state = self._panels.models[0].state
        if self._window_due:
            self._note("window", level=round(state.window.level, 2), width=round(state.window.width, 2))
        if self._zoom_due:
            self._note("zoom", factor=round(state.zoom, 3))
        self._window_due = self._zoom_due = False

    def focus(self, *, has: bool) -> None:
        """The window got or lost the keyboard."""
        self._note("focus", has=has)

    def _on_state_changed(self, old: ViewState, new: ViewState) -> None:
        if old.crosshair_mm != new.crosshair_mm:
            self._note_slice()
        self._window_due = self._window_due or old.window != new.window
        self._zoom_due = self._zoom_due or (old.zoom, old.pan_mm) != (new.zoom, new.pan_mm)
        if self._window_due or self._zoom_due:
            self._settling.start()

    def _note_slice(self) -> None:
        canvas = self._panels.canvases[0]
        at = (canvas.plane.value, canvas.index)
        if at != self._slice and canvas.model.volume is not None:
            self._slice = at
            self._note("slice", plane=at[0], index=at[1])
