"""One run of napari: opens FILE as a person's script would, reports when it is seen, then steps through slices.

Run with napari's own interpreter: ``python in_napari.py FILE STEPS``.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import napari
import nibabel as nib
import numpy as np
from measure import peak_memory_mb, report
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication


class Run:
    """Waits for the first picture, then times ``steps`` slices one after the other."""

    def __init__(self, path: str, steps: int) -> None:
        self._steps = steps
        self._seen = False
        self._drawn = False
        self.viewer = napari.Viewer()
        self.viewer.add_image(np.asarray(nib.load(path).dataobj))
        canvas = self.viewer.window._qt_viewer.canvas._scene_canvas
        canvas.events.draw.connect(self._on_draw, position="last")

    def _on_draw(self, _event: Any) -> None:
        self._drawn = True
        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._on_first_image)

    def _on_first_image(self) -> None:
        report(first_image=time.perf_counter(), window_mb=peak_memory_mb())
        report(spread=float(self.viewer.screenshot(canvas_only=True, flash=False)[..., 0].std()))
        QTimer.singleShot(500, self._step)

    def _step(self) -> None:
        """Each step ends when the canvas has been drawn."""
        app = QApplication.instance()
        assert app is not None
        middle = self.viewer.dims.nsteps[0] // 2
        times_ms = []
        for number in range(self._steps):
            self._drawn = False
            start = time.perf_counter()
            self.viewer.dims.set_current_step(0, middle - self._steps // 2 + number)
            while not self._drawn:
                app.processEvents()
            times_ms.append((time.perf_counter() - start) * 1000)
        report(step_ms=times_ms)
        self.viewer.close()


if __name__ == "__main__":
    run = Run(sys.argv[1], int(sys.argv[2]))
    napari.run()
