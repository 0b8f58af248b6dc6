"""The bar of the most used actions."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow, QToolBar

_ENTRIES = (
    "open", "save", "screenshot", "",
    "layout-quad", "layout-row", "layout-large", "layout-compare", "",
    "crosshair", "interpolate", "invert", "auto-window", "",
    "zoom-out", "zoom-in", "fit", "",
    "swap-orientation", "cine", "panels",
)  # fmt: skip


def build_toolbar(window: QMainWindow, actions: Mapping[str, QAction]) -> QToolBar:
    """A tool bar of actions that are in the menus too; each tip names its key."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setIconSize(QSize(20, 20))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    for entry in _ENTRIES:
        if not entry:
            bar.addSeparator()
            continue
        action = actions[entry]
        text = action.text().replace("&", "").removesuffix("…")
        keys = action.shortcut().toString()
        action.setToolTip(f"{text} ({keys})" if keys else text)
        bar.addAction(action)
    window.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
    return bar
