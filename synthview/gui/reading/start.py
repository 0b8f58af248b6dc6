"""Opens the reading screen: from ``synthview study run``, or from the menu Study."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from synthview.gui.reading.window import ReadingWindow
from synthview.gui.start import end_on_interrupt
from synthview.gui.theme import apply_theme
from synthview.study.place import open_place


def open_reading(path: Path, reader: str = "") -> ReadingWindow:
    """The reading window of a study's folder or a reader's bundle, full screen.

    Raises:
        StudyError: it is neither, or is damaged.
        StoreError: there is no such reader.
    """
    place = open_place(path)
    try:
        if reader:
            place.store.trials(reader)
    except BaseException:
        place.close()
        raise
    window = ReadingWindow(place, reader)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.showFullScreen()
    return window


def start(path: Path, reader: str) -> int:
    """Read, and return when the window is closed; the exit status."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("synthview")
    app.setDesktopFileName("synthview")
    apply_theme(app)
    window = open_reading(path, reader)
    interrupt = end_on_interrupt(app, window.close_now)
    window.closed.connect(app.quit)
    try:
        return app.exec()
    finally:
        interrupt.stop()
