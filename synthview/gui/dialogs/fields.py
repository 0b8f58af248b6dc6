"""A form whose fields say what is wrong with them: a name, a control, and a line that is empty while all is well."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from synthview.gui.theme import SPACE

_NAME_PX = 112
_TEXT_LINES = 2


class FieldRow(QWidget):
    """One field: its name, its controls, and below them what is wrong.

    Args:
        field: name in the manifest, such as "output.spacing".
        label: what the screen calls it.
        controls: its inputs, from left to right.
    """

    def __init__(self, field: str, label: str, *controls: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._label = label
        name = QLabel(label)
        name.setFixedWidth(_NAME_PX)
        name.setBuddy(controls[0])
        self._problem = QLabel(wordWrap=True)
        self._problem.setProperty("role", "bad")
        self._problem.hide()
        line = QHBoxLayout()
        line.setSpacing(SPACE[1])
        line.addWidget(name)
        for control in controls:
            line.addWidget(control, stretch=1)
            control.setAccessibleName(label)
        below = QHBoxLayout()
        below.addSpacing(_NAME_PX + SPACE[1])
        below.addWidget(self._problem, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        column.addLayout(line)
        column.addLayout(below)

    @property
    def problem(self) -> str:
        """What is wrong; empty while nothing is."""
        return self._problem.text()

    def show_problem(self, problem: str) -> None:
        """Say what is wrong, as the end of "LABEL …"; empty for nothing."""
        self._problem.setText(f"{self._label} {problem}" if problem else "")
        self._problem.setVisible(bool(problem))


class TextBox(QPlainTextEdit):
    """A text of a few lines; Tab leaves it."""

    changed = Signal()

    def __init__(self, text: str, placeholder: str = "") -> None:
        super().__init__(text)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * _TEXT_LINES + 2 * SPACE[1] + SPACE[0])
        self.textChanged.connect(self.changed)


def line_edit(text: str, placeholder: str = "") -> QLineEdit:
    """A one-line input."""
    edit = QLineEdit(text)
    edit.setPlaceholderText(placeholder)
    return edit


class Choice(QComboBox):
    """A list to choose from, which the wheel does not change while the form is scrolled over it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form."""
        event.ignore()


def choice(entries: dict[str, str], chosen: str) -> Choice:
    """A list to choose from: value to what the screen says; "" is for what is not known."""
    combo = Choice()
    for value, words in entries.items():
        combo.addItem(words, value)
    combo.setCurrentIndex(max(combo.findData(chosen), 0))
    return combo


def number_or_text(text: str) -> float | str:
    """What was typed, as a number if it is one; otherwise the typed model says what is wrong with it."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return text.strip()
