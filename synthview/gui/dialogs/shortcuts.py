"""Help → Mouse and keys: made from the one table of actions, so that it can't disagree with them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from synthview.gui.actions import ACTIONS, GESTURES, SEPARATOR
from synthview.gui.labels import heading
from synthview.gui.theme import SPACE


def shortcut_rows() -> list[tuple[str, str, str]]:
    """(section, what, keys) of every action that has a key, in the order of the menus."""
    rows = []
    for action in ACTIONS:
        if action.keys:
            section = action.menu.removeprefix(SEPARATOR).split("/")[0].replace("&", "")
            native = QKeySequence.SequenceFormat.NativeText
            keys = "   ".join(QKeySequence(key).toString(native) for key in action.keys)
            rows.append((section, action.text.replace("&", "").removesuffix("…"), keys))
    return rows


class ShortcutsDialog(QDialog):
    """Two tables: what the mouse does, what the keys do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Mouse and keys")
        self.resize(760, 720)
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        grid.setHorizontalSpacing(SPACE[4])
        grid.setVerticalSpacing(SPACE[0])
        grid.setColumnMinimumWidth(1, 208)
        grid.setColumnStretch(1, 1)
        self._title(grid, "In the views")
        for what, mouse, keys in GESTURES:
            self._row(grid, what, mouse, keys)
        section = ""
        for in_section, what, keys in shortcut_rows():
            if in_section != section:
                section = in_section
                self._title(grid, section)
            self._row(grid, what, "", keys)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, SPACE[3], SPACE[3])
        layout.addWidget(area)
        layout.addWidget(buttons)

    @staticmethod
    def _title(grid: QGridLayout, text: str) -> None:
        label = heading(text)
        label.setContentsMargins(0, SPACE[2], 0, SPACE[0])
        grid.addWidget(label, grid.rowCount(), 0, 1, 3)

    @staticmethod
    def _row(grid: QGridLayout, what: str, mouse: str, keys: str) -> None:
        row = grid.rowCount()
        grid.addWidget(QLabel(what), row, 0, Qt.AlignmentFlag.AlignTop)
        for column, text in ((1, mouse), (2, keys)):
            label = QLabel(text, wordWrap=column == 1)
            label.setProperty("role", "value" if column == 2 else "caption")
            grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
