"""The two docks: models and controls at the left, display and cursor at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QFrame, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from synthview.gui.theme import SPACE

_WIDTH_PX = 272


def build_docks(window: QMainWindow, *, left: list[QWidget], right: list[QWidget]) -> tuple[QDockWidget, QDockWidget]:
    """Put the panels into a dock at each side.

    The right dock scrolls when the window is low; of the left one the panels do so themselves, so that the button that
    makes a volume is always in sight.
    """
    left_dock = _dock("models", "Models and controls", left, panels_scroll=True)
    right_dock = _dock("display", "Display", right, panels_scroll=False)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, left_dock)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, right_dock)
    return left_dock, right_dock


def _dock(name: str, title: str, panels: list[QWidget], *, panels_scroll: bool) -> QDockWidget:
    content = QWidget()
    content.setProperty("role", "panel")
    column = QVBoxLayout(content)
    column.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[2])
    column.setSpacing(SPACE[3])
    for number, panel in enumerate(panels):
        if number:
            column.addWidget(_line())
        column.addWidget(panel, stretch=1 if panels_scroll and number == 0 else 0)
    if not panels_scroll:
        column.addStretch(1)
    area = content if panels_scroll else _scrolling(content)
    area.setMinimumWidth(_WIDTH_PX)
    dock = QDockWidget(title)
    dock.setObjectName(name)
    dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetClosable)
    dock.setTitleBarWidget(QWidget())  # the panels have titles of their own
    dock.setWidget(area)
    return dock


def _scrolling(content: QWidget) -> QScrollArea:
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line
