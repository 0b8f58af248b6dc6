"""What the menu Study does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from synthview.errors import SynthviewError

if TYPE_CHECKING:
    from synthview.gui.main_window import MainWindow

_BUNDLES = "Readers' bundles (*.svbundle);;All files (*)"


class StudyCommands(QObject):
    """The slots of the menu Study; its windows stand beside the main one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._open: list[QWidget] = []

    def slots(self) -> dict[str, Callable[..., object]]:
        """Action id to what it calls."""
        return {
            "study-new": lambda: self.design(None),
            "study-protocol": self._choose_protocol,
            "study-read": self._choose_study,
            "study-bundle": self._choose_bundle,
            "study-demo": self.demo,
        }

    def design(self, path: Path | None) -> None:
        """Open the designer, with a protocol in it."""
        from synthview.gui.study.designer import Designer

        designer = Designer(path)
        designer.read_requested.connect(self.read)
        self._keep(designer)
        designer.show()

    def read(self, path: Path, reader: str = "") -> None:
        """Open the reading screen of a study's folder or a reader's bundle."""
        from synthview.gui.reading.start import open_reading

        try:
            self._keep(open_reading(path, reader))
        except SynthviewError as error:
            self._window.show_error(str(error))

    def demo(self) -> None:
        """Make the demo study on first use, and read it."""
        from synthview.gui.study.demo import DemoDialog

        dialog = DemoDialog(self._window)
        dialog.made.connect(self.read)
        self._keep(dialog)
        dialog.open()

    def _choose_protocol(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a protocol", self._folder(), "Protocols (*.yaml *.yml *.json);;All files (*)"
        )
        if name:
            self._window.settings.keep_folder("study", Path(name).parent)
            self.design(Path(name))

    def _choose_study(self) -> None:
        name = QFileDialog.getExistingDirectory(self._window, "Choose the study's folder", self._folder())
        self._read_chosen(name)

    def _choose_bundle(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Choose the reader's bundle", self._folder(), _BUNDLES)
        self._read_chosen(name)

    def _read_chosen(self, name: str) -> None:
        if name:
            self._window.settings.keep_folder("study", Path(name).parent)
            self.read(Path(name))

    def _folder(self) -> str:
        return self._window.settings.folder("study")

    def _keep(self, widget: QWidget) -> None:
        widget.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._open.append(widget)
        widget.destroyed.connect(lambda: self._open.remove(widget) if widget in self._open else None)
