"""What stands in the 3D pane when there can be no picture: why, what to do, and a button to try again."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from synthview.gui.icons import icon
from synthview.gui.labels import caption
from synthview.gui.render3d.client import Failure
from synthview.gui.theme import SPACE, TOKENS

_ICON_PX = 32


class FailureNote(QWidget):
    """Says why there is no 3D.

    Signals:
        retry_requested: "Try again" was pressed.
    """

    retry_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = QLabel()
        self._reason, self._advice = QLabel(), caption()
        button = QPushButton("Try again")
        button.clicked.connect(self.retry_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[4], SPACE[3], SPACE[4], SPACE[3])
        column.setSpacing(SPACE[1])
        column.addStretch(1)
        for label in (self._icon, self._reason, self._advice):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(label)
        column.addSpacing(SPACE[1])
        column.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    @property
    def text(self) -> str:
        """What is said: the reason and the advice."""
        return f"{self._reason.text()} {self._advice.text()}"

    def say(self, failure: Failure) -> None:
        """Show why, and what to do."""
        self._icon.setPixmap(icon("warning", TOKENS.warn).pixmap(_ICON_PX, _ICON_PX))
        self._reason.setText(failure.reason)
        self._advice.setText(failure.advice)
        self.show()
