"""A line for a comment, which gives the keyboard back when it is done."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from synthview.study.session_answers import MOST_COMMENT


class CommentLine(QLineEdit):
    """Takes the keyboard when asked to (or clicked); Enter and Esc end it and do nothing else.

    Signals:
        done: the reader has finished writing.
    """

    done = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMaxLength(MOST_COMMENT)
        self.setPlaceholderText("Comment (M to write, Enter when done)")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter and Esc from the page behind."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Tab):
            event.accept()
            self.done.emit()
        else:
            super().keyPressEvent(event)
