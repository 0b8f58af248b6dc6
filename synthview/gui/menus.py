"""Submenus whose entries change: recent volumes, window presets."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from synthview.gui.settings import WindowSettings
from synthview.gui.state import ViewModel
from synthview.volume import Volume, Window, window_presets


class RecentVolumesMenu(QObject):
    """File → Recent volumes: filled each time it opens."""

    chosen = Signal(object)  # Path

    def __init__(self, bar: QMenuBar, actions: Mapping[str, QAction], settings: WindowSettings) -> None:
        super().__init__(bar)
        self._settings = settings
        self._menu = QMenu("&Recent volumes", bar)
        _menu_of(bar, actions["save"]).insertMenu(actions["save"], self._menu)
        self._menu.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self._menu.clear()
        for number, path in enumerate(self._settings.recent("volumes"), start=1):
            action = self._menu.addAction(f"&{number}  {path.name}" if number < 10 else path.name)
            action.setToolTip(str(path))
            action.triggered.connect(lambda _checked=False, path=path: self.chosen.emit(path))
        if self._menu.isEmpty():
            self._menu.addAction("No volume opened yet").setEnabled(False)


class WindowPresetsMenu(QObject):
    """View → Window and level: the presets of the kind of volume shown, with the keys 2–9."""

    def __init__(self, window: QMainWindow, actions: Mapping[str, QAction], model: ViewModel) -> None:
        super().__init__(window)
        self._window, self._model = window, model
        self._menu = next(m for m in window.findChildren(QMenu) if actions["auto-window"] in m.actions())
        self._presets: list[QAction] = []
        model.volume_changed.connect(self._fill)

    def _fill(self, volume: Volume) -> None:
        for action in self._presets:
            self._menu.removeAction(action)
            self._window.removeAction(action)
            action.deleteLater()
        self._presets = []
        for key, (name, preset) in enumerate(window_presets(volume.kind).items(), start=2):
            action = self._menu.addAction(f"{name}  ({preset.width:g} / {preset.level:g})")
            action.setShortcut(QKeySequence(str(key)))
            action.triggered.connect(lambda _checked=False, preset=preset: self._apply(preset))
            self._window.addAction(action)
            self._presets.append(action)

    def _apply(self, preset: Window) -> None:
        self._model.change(window=preset)


def _menu_of(bar: QMenuBar, action: QAction) -> QMenu:
    return next(menu for menu in bar.findChildren(QMenu) if action in menu.actions())
