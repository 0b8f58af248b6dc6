"""The main window with a stop-watch; ``in_synthview.py`` runs the program with it."""

from __future__ import annotations

import time

from measure import peak_memory_mb, peak_memory_of_children_mb, report
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from synthview.gui.main_window import MainWindow
from synthview.gui.state import Plane


class WatchedWindow(MainWindow):
    """Waits until all three views have shown the volume, then times ``steps`` steps one after the other."""

    steps = 40

    def __init__(self) -> None:
        super().__init__()
        self._unpainted: set[Plane] = set(Plane)
        self._seen = False
        for plane, view in self.ortho.views.items():
            view.painted.connect(lambda plane=plane: self._on_painted(plane))

    def _on_painted(self, plane: Plane) -> None:
        if self.model.volume is not None:
            self._unpainted.discard(plane)
        if not self._unpainted and not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._on_first_image)

    def _on_first_image(self) -> None:
        report(first_image=time.perf_counter(), window_mb=peak_memory_mb())
        picture = self.ortho.grab_image().scaled(64, 64)
        report(colours=len({picture.pixel(x, y) for x in range(64) for y in range(64)}))
        QTimer.singleShot(4000, self._measure_steps)  # the 3D view and the worker process have started by then

    def _measure_steps(self) -> None:
        report(all_mb=peak_memory_mb() + peak_memory_of_children_mb())
        i, j, k = self.model.crosshair_ijk()
        half = self.steps // 2
        report(
            step_ms=[self._timed((i, j, k + n)) for n in range(-half, self.steps - half)],
            step_all_ms=[self._timed((i + n, j + n, k + n)) for n in range(-half, self.steps - half)],
        )
        self.close()

    def _timed(self, ijk: tuple[int, int, int]) -> float:
        """Milliseconds from moving the crosshair until all three views have been painted."""
        self._unpainted = set(Plane)
        start = time.perf_counter()
        self.model.set_crosshair_ijk(ijk)
        while self._unpainted:
            QApplication.processEvents()
        return (time.perf_counter() - start) * 1000
