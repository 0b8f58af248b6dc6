"""Asks for what the weights of a checkpoint leave open, such as the size of its volumes."""

from __future__ import annotations

import re

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from synthview.errors import MissingArgumentError
from synthview.generators.info import OpenArgument
from synthview.gui.theme import SPACE

_MOST_RADIO_BUTTONS = 6
_WIDTH_PX = 440
_GRID = re.compile(r"(?<=\d)x(?=\d)")  # in "144x192x144"


class OpenArgumentDialog(QDialog):
    """One question with its choices; nothing is chosen at first, for there is no safe guess."""

    def __init__(self, error: MissingArgumentError, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open checkpoint")
        self.setMinimumWidth(_WIDTH_PX)
        argument = error.argument
        question = _label(argument.question, "heading")
        note = _label("The answer is kept for these weights: you will not be asked again.", "caption")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # the desktop's own icons are in other colours
        self._open = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        self._open.setProperty("role", "primary")
        self._open.setEnabled(False)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._group = QButtonGroup(self)
        self.combo: QComboBox | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[4], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[2])
        column.addWidget(question)
        self._add_choices(argument, column)
        column.addWidget(note)
        column.addWidget(self.buttons)

    @property
    def radio_buttons(self) -> list[QRadioButton]:
        """The choices, where they are few."""
        return [button for button in self._group.buttons() if isinstance(button, QRadioButton)]

    def value(self) -> str | None:
        """The choice, as it would be typed after ``name=``; None where nothing is chosen."""
        if self.combo is not None:
            return self.combo.currentText() if self.combo.currentIndex() >= 0 else None
        checked = self._group.checkedButton()
        return None if checked is None else str(checked.property("value"))

    def _add_choices(self, argument: OpenArgument, column: QVBoxLayout) -> None:
        if len(argument.choices) > _MOST_RADIO_BUTTONS:
            self.combo = QComboBox()
            self.combo.setAccessibleName(argument.question)
            self.combo.addItems(list(argument.choices))
            self.combo.setCurrentIndex(-1)
            self.combo.setPlaceholderText("Choose…")
            self.combo.currentIndexChanged.connect(self._on_choice)
            column.addWidget(self.combo)
            return
        for choice in argument.choices:
            button = QRadioButton(_GRID.sub(" × ", choice))
            button.setProperty("value", choice)
            self._group.addButton(button)
            column.addWidget(button)
        self._group.buttonClicked.connect(self._on_choice)

    def _on_choice(self) -> None:
        self._open.setEnabled(self.value() is not None)
        self._open.setDefault(True)


def ask_argument(error: MissingArgumentError, parent: QWidget | None = None) -> str | None:
    """Ask a person for the argument that ``error`` misses; None if they would rather not say."""
    dialog = OpenArgumentDialog(error, parent)
    try:
        return dialog.value() if dialog.exec() == QDialog.DialogCode.Accepted else None
    finally:
        dialog.deleteLater()


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setProperty("role", role)
    return label
