"""The two docks: models and controls at the left, display and cursor at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QFrame, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from synthview.gui.theme import SPACE

_WIDTH_PX = 272


def build_docks(window: QMainWindow, *, left: list[QWidget], right: list[QWidget]) -> tuple[QDockWidget, QDockWidget]:
    """Put the panels into a dock at each side; each dock scrolls when the window is low."""
    left_dock = _dock("models", "Models and controls", left, stretch_first=True)
    right_dock = _dock("display", "Display", right, stretch_first=False)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, left_dock)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, right_dock)
    return left_dock, right_dock


def _dock(name: str, title: str, panels: list[QWidget], *, stretch_first: bool) -> QDockWidget:
    content = QWidget()
    content.setProperty("role", "panel")
    column = QVBoxLayout(content)
    column.setContentsMargins(SPACE[2], SPACE[1], SPACE[2], SPACE[2])
    column.setSpacing(SPACE[3])
    for number, panel in enumerate(panels):
        if number:
            column.addWidget(_line())
        column.addWidget(panel, stretch=1 if stretch_first and number == 0 else 0)
    if not stretch_first:
        column.addStretch(1)
    area = QScrollArea(widgetResizable=True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    area.setMinimumWidth(_WIDTH_PX)
    dock = QDockWidget(title)
    dock.setObjectName(name)
    dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetClosable)
    dock.setTitleBarWidget(QWidget())  # the panels have titles of their own
    dock.setWidget(area)
    return dock


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line
