"""Makes the application and its window, and runs them."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from synthview.gui.main_window import MainWindow
from synthview.gui.theme import apply_theme


def start(files: list[Path]) -> int:
    """Show the window with ``files`` in it and run until it is closed; returns the exit status."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("synthview")
    app.setDesktopFileName("synthview")
    apply_theme(app)
    window = MainWindow()
    _report_uncaught(window)
    interrupt = end_on_interrupt(app, app.closeAllWindows)
    window.open_paths(files)
    window.show()
    try:
        return app.exec()
    finally:
        interrupt.stop()
        window.shut_down()


def _report_uncaught(window: MainWindow) -> None:
    """Show what nobody caught in the window's message bar as well as on stderr."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        window.show_error(f"Something failed that should not have ({error}). Your files are as they were.", details)

    sys.excepthook = hook


def end_on_interrupt(app: QApplication, close: Callable[[], object]) -> QTimer:
    """Let Ctrl+C or a plain ``kill`` close the window in order; Python sees a signal only when Qt gives it a turn."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: close())
    timer = QTimer(app, interval=250)
    timer.timeout.connect(lambda: None)
    timer.start()
    return timer
