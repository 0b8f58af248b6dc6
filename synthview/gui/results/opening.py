"""Study → Results… and Plan…: opens their windows; pyqtgraph and the statistics are loaded only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from synthview.gui.results.plan_page import PlanPage
    from synthview.gui.results.window import ResultsWindow
    from synthview.gui.settings import WindowSettings


def open_results(parent: QWidget, settings: WindowSettings) -> ResultsWindow:
    """Open a window for the results of a study and ask for the table; it closes with its parent."""
    from synthview.gui.results.window import ResultsWindow

    window = ResultsWindow(settings, parent)
    window.show()
    window.ask_open()
    return window


def open_plan(parent: QWidget, settings: WindowSettings) -> PlanPage:
    """Open the page that says how many pairs and readers a study needs; it closes with its parent."""
    from synthview.gui.results.plan_page import PlanPage

    page = PlanPage(settings, parent)
    page.setWindowFlag(Qt.WindowType.Window)
    page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    page.show()
    return page
