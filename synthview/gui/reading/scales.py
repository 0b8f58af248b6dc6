"""Questions answered by a number, and the choice between two: what is picked is seen, and may be clicked too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from synthview.gui.reading.words import label
from synthview.gui.theme import SPACE
from synthview.study.protocol_screen import Likert


def option(text: str, role: str) -> QPushButton:
    """A button that never takes the keyboard."""
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setProperty("picked", "false")
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return button


def set_picked(button: QPushButton, picked: bool) -> None:
    """Show whether it is what the reader said."""
    wanted = "true" if picked else "false"
    if button.property("picked") != wanted:
        button.setProperty("picked", wanted)
        button.style().unpolish(button)
        button.style().polish(button)


class Scales(QWidget):
    """The number questions of a trial, below each other.

    Signals:
        rated: index of the scale and the number that was clicked.
    """

    rated = Signal(int, int)

    def __init__(self, scales: Sequence[Likert], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scales = tuple(scales)
        self._buttons: list[list[QPushButton]] = []
        self._questions = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE[0])
        for index, scale in enumerate(scales):
            row = QHBoxLayout()
            row.setSpacing(SPACE[1])
            words = label(scale.question, "question", wrap=False)
            self._questions.append(words)
            row.addStretch(1)
            row.addWidget(words)
            row.addSpacing(SPACE[2])
            buttons = []
            for number, text in enumerate(scale.labels, start=1):
                button = option(f"{number}  {text}", "option")
                button.clicked.connect(lambda _=False, i=index, n=number: self.rated.emit(i, n))
                buttons.append(button)
                row.addWidget(button)
            row.addStretch(1)
            self._buttons.append(buttons)
            column.addLayout(row)

    def show_state(self, numbers: Mapping[str, int], active: int) -> None:
        """Show what was said, and which scale the number keys answer."""
        several = len(self._scales) > 1
        for index, (scale, buttons, words) in enumerate(zip(self._scales, self._buttons, self._questions, strict=True)):
            mark = "▸ " if several and index == active else ""
            words.setText(mark + scale.question)
            for number, button in enumerate(buttons, start=1):
                set_picked(button, numbers.get(scale.name) == number)
